"""cotdata's column: a run built by its own command, read from the run's parquet."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.settings import ROOT, BenchmarkError
from benchmarks.trained_tokens.families import Family
from benchmarks.trained_tokens.judge import Trained

_SOURCE: Final = "rows"


def build(family: Family, model: Path, rows: Path, work: Path) -> Iterator[tuple[int, Trained]]:
    """Run `cotdata build` for a family; return the rows that it kept, each with its number.

    Nothing is filtered and nothing is said about the family: its folder is all that is named.

    Raises:
        BenchmarkError: The build failed, or the run has no tokens.
    """
    folder = work / "cotdata"
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / family.key
    shutil.rmtree(output, ignore_errors=True)
    recipe = folder / f"{family.key}.yaml"
    recipe.write_text(json.dumps(_recipe(family, model, rows, output)), encoding="utf-8")
    command = [sys.executable, "-m", "cotdata", "build", str(recipe), "--fresh", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise BenchmarkError(" ".join(lines[:3]) or f"exit {done.returncode}")
    return _read(output)


def _recipe(family: Family, model: Path, rows: Path, output: Path) -> dict[str, object]:
    """Return the recipe; JSON is YAML."""
    return {
        "schema": 1,
        "name": f"trained-tokens-{family.key}",
        "sources": [{"name": _SOURCE, "from": str(rows), "adapter": "medical_o1"}],
        "stages": [{"kind": "require_fields"}],
        "render": {"model": str(model), "max_tokens": 32_768},
        "output": {"dir": str(output)},
    }


def _read(output: Path) -> Iterator[tuple[int, Trained]]:
    files = sorted((output / "data").glob("*.parquet"))
    run = pl.concat([pl.read_parquet(file) for file in files])
    missing = {"input_ids", "labels"} - set(run.columns)
    if missing:
        raise BenchmarkError(f"the run has no column {', '.join(sorted(missing))}")
    columns = (run[name].to_list() for name in ("row_id", "input_ids", "labels"))
    kept = zip(*columns, strict=True)
    return ((int(row.partition(":")[2]), Trained(ids, labels)) for row, ids, labels in kept)
