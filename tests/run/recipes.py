"""Small corpora and recipes for the tests of whole builds."""

import json
import random
from pathlib import Path
from typing import Any

import yaml

WORDS = [
    "fever",
    "cough",
    "liver",
    "biopsy",
    "patient",
    "history",
    "enzyme",
    "elevated",
    "imaging",
    "lesion",
    "renal",
    "cardiac",
    "dose",
    "therapy",
    "chronic",
    "acute",
    "onset",
    "pain",
    "swelling",
    "rash",
    "anemia",
    "platelet",
    "culture",
    "antibiotic",
    "steroid",
]


def medical_rows(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Return rows with planted defects: every 10th a twin, every 17th broken in some way."""
    rng = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for index in range(count):
        if index % 10 == 9:
            rows.append(dict(rows[index - 7]))
            continue
        row: dict[str, Any] = {
            "Question": f"Case {index}: " + " ".join(rng.choices(WORDS, k=12)) + "?",
            "Complex_CoT": " ".join(rng.choices(WORDS, k=rng.randint(5, 80))),
            "Response": " ".join(rng.choices(WORDS, k=15)) + ".",
        }
        if index % 23 == 5:
            row["Question"] = "\ufeff " + row["Question"]
        if index % 17 == 3:
            defect: dict[str, Any] = rng.choice(
                [{"Question": None}, {"Response": ["a", "b"]}, {"Complex_CoT": ""}, {"Question": 7}]
            )
            row |= defect
        rows.append(row)
    return rows


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def recipe(**changes: Any) -> dict[str, Any]:
    """Return a recipe over `rows.jsonl` with every kind of stage, changed as asked."""
    return {
        "schema": 1,
        "name": "test",
        "seed": 7,
        "sources": [{"name": "corpus", "from": "rows.jsonl", "adapter": "medical_o1"}],
        "stages": [
            {"kind": "normalize_text"},
            {"kind": "require_fields"},
            {"kind": "length", "column": "Complex_CoT", "min_chars": 60},
            {"kind": "exact_dedup"},
            {"kind": "length", "column": "Response", "min_words": 2},
            {"kind": "split", "validation": 0.1, "test": 20},
        ],
        **changes,
    }


def write_recipe(path: Path, content: dict[str, Any]) -> Path:
    """Write a recipe as YAML."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def run_bytes(run: Path) -> dict[str, bytes]:
    """Return every file of a run but the one that may differ."""
    return {
        file.relative_to(run).as_posix(): file.read_bytes()
        for file in sorted(run.rglob("*"))
        if file.is_file() and file.name != "timings.json"
    }
