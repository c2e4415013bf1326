"""Rendered runs for tests: rows, a recipe and what the byte renderer makes of them."""

from pathlib import Path
from typing import Any

import polars as pl

from cotdata.manifest import Manifest
from cotdata.recipe import load_recipe
from cotdata.run import build
from tests.run.byte_renderer import FORBIDDEN, model_folder
from tests.run.recipes import medical_rows, recipe, write_jsonl, write_recipe

STAGES: list[dict[str, Any]] = [
    {"kind": "normalize_text"},
    {"kind": "require_fields"},
    {"kind": "split", "validation": 0.2},
]


def asked_for_a_stop(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows, every 30th with a question that no rendering accepts."""
    return [
        {**row, "Question": f"a{FORBIDDEN}b {place}?"}
        if place % 30 == 0 and isinstance(row["Question"], str)
        else row
        for place, row in enumerate(rows)
    ]


ROWS = asked_for_a_stop(medical_rows(300))


def make(folder: Path, output: str = "run", workers: int = 2, **changes: Any) -> Path:
    """Build a recipe that renders, changed as asked, and return the run's folder."""
    write_jsonl(folder / "rows.jsonl", ROWS)
    model_folder(folder)
    changes = {"render": {"model": "bytes", "max_tokens": 500}, "stages": STAGES, **changes}
    path = write_recipe(folder / "recipe.yaml", recipe(**changes))
    return build(load_recipe(path, output=folder / output), workers=workers).path


def manifest_of(run: Path) -> Manifest:
    return Manifest.model_validate_json((run / "manifest.json").read_bytes())


def kept(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / "data/*.parquet")


def rejected(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / "rejected/*.parquet")
