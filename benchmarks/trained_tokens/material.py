"""What every tool is given: the same rows, and for each family a folder as on the Hub."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.settings import COLUMNS, BenchmarkError
from benchmarks.trained_tokens.families import Family

#: A model small enough to be made on the spot; trainers insist on one, nothing is trained.
_TINY: Final = {
    "vocab_size": 151_936,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 131_072,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
}


@dataclass(frozen=True)
class Row:
    """One conversation; texts carry no blanks at their ends."""

    index: int
    question: str
    reasoning: str
    answer: str


def read_rows(files: Sequence[Path]) -> list[Row]:
    """Return the rows of JSON files (a list, or one object a line), in order.

    Blanks at the ends of the three texts are taken off once, for everybody: tools, templates and
    servers differ in what they do with them, and the tokens of a family do not hang on it.
    """
    rows: list[Row] = []
    for file in files:
        for record in _records(file):
            texts = [record.get(column) for column in COLUMNS]
            if not all(isinstance(text, str) and text.strip() for text in texts):
                raise BenchmarkError(f"{file}: a row without {', '.join(COLUMNS)}")
            rows.append(Row(len(rows), *(str(text).strip() for text in texts)))
    if not rows:
        raise BenchmarkError("no rows: name files with --data")
    return rows


def write_rows(rows: Sequence[Row], target: Path) -> Path:
    """Write the rows as JSON Lines with the columns of the dataset, and `row`, their number."""
    with target.open("w", encoding="utf-8") as sink:
        for row in rows:
            texts = (row.question, row.reasoning, row.answer)
            record = {"row": row.index, **dict(zip(COLUMNS, texts, strict=True))}
            sink.write(json.dumps(record, ensure_ascii=False) + "\n")
    return target


def write_model_folder(family: Family, tokenizers: Path, templates: Path, target: Path) -> Path:
    """Copy a family's tokenizer, with its own template, beside a `config.json`; no weights.

    Without `config.json`, which a folder on the Hub always has, some releases of transformers
    read the R1-Distill tokenizer so that every blank is lost.
    """
    source = tokenizers / family.tokenizer
    if not (source / "tokenizer.json").is_file():
        raise BenchmarkError(f"{source}: no tokenizer.json; see --tokenizers")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    settings = json.loads((source / "tokenizer_config.json").read_text(encoding="utf-8"))
    if family.template:
        settings["chat_template"] = (templates / family.template).read_text(encoding="utf-8")
    _write_json(target / "tokenizer_config.json", settings)
    _write_json(target / "config.json", {**_TINY, **family.config})
    return target


def _records(file: Path) -> list[dict[str, Any]]:
    text = file.read_text(encoding="utf-8")
    if text.lstrip().startswith("["):
        return list(json.loads(text))
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _write_json(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
