"""The laws that a whole build keeps: accounting, the same bytes, survival of kill -9."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import polars as pl
import pytest

from cotdata.recipe import load_recipe
from cotdata.run import build
from tests.run.recipes import medical_rows, recipe, run_bytes, write_jsonl, write_recipe

ROWS = medical_rows(1_200)


def make(folder: Path, output: Path | None = None, **changes: Any) -> Path:
    """Build a recipe beside its rows and return the run's folder."""
    if not (folder / "rows.jsonl").exists():
        write_jsonl(folder / "rows.jsonl", ROWS)
    path = write_recipe(folder / "recipe.yaml", recipe(**changes))
    return build(load_recipe(path, output=output or folder / "run"), workers=2).path


def test_every_record_is_kept_or_rejected_and_none_twice(tmp_path: Path) -> None:
    run = make(tmp_path)
    kept = pl.read_parquet(run / "data/*.parquet")["row_id"].to_list()
    rejected = pl.read_parquet(run / "rejected/*.parquet")["row_id"].to_list()
    assert sorted(kept + rejected) == sorted(f"corpus:{index}" for index in range(len(ROWS)))


def test_every_stage_adds_up_and_hands_on_what_it_kept(tmp_path: Path) -> None:
    manifest = json.loads((make(tmp_path) / "manifest.json").read_bytes())
    rows = sum(source["kept"] for source in manifest["sources"])
    for stage in manifest["stages"]:
        assert stage["rows_in"] == rows
        assert stage["rows_in"] + stage["made"] == stage["kept"] + stage["rejected"]
        rows = stage["kept"]
    assert rows == sum(split["rows"] for split in manifest["splits"].values())


def test_every_rejected_row_has_its_text_a_reason_and_evidence(tmp_path: Path) -> None:
    rejected = pl.read_parquet(make(tmp_path) / "rejected/*.parquet")
    assert rejected.height > 100
    assert (
        rejected.select("origin", "stage", "reason", "evidence").null_count().sum_horizontal()[0]
        == 0
    )
    assert all(isinstance(json.loads(text), dict | list) for text in rejected["evidence"])
    dropped = rejected.filter(pl.col("reason") == "exact_duplicate")
    assert dropped["Complex_CoT"].null_count() == 0


def test_a_duplicate_names_a_twin_that_is_kept_and_has_its_text(tmp_path: Path) -> None:
    run = make(tmp_path, stages=[{"kind": "exact_dedup"}])
    kept = pl.read_parquet(run / "data/*.parquet")
    rejected = pl.read_parquet(run / "rejected/*.parquet").filter(stage="exact_dedup")
    twins = rejected.with_columns(
        pl.col("evidence").str.json_path_match("$.kept").alias("kept")
    ).join(kept, left_on="kept", right_on="row_id")
    assert twins.height == rejected.height > 50
    for column in ("Question", "Complex_CoT", "Response"):
        assert (twins[column].eq_missing(twins[f"{column}_right"])).all()


def test_the_same_question_never_stands_on_two_sides(tmp_path: Path) -> None:
    stages = [{"kind": "split", "validation": 0.3, "test": 0.2}]
    run = make(tmp_path, stages=stages)
    sides = [
        set(pl.read_parquet(run / f"data/{name}-*.parquet")["Question"].str.to_lowercase())
        for name in ("train", "validation", "test")
    ]
    assert all(sides)
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]


@pytest.mark.parametrize("workers", [1, 4])
def test_the_number_of_workers_leaves_no_trace(
    tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cotdata.run.ingest.SHARD_ROWS", 100)
    first = run_bytes(make(tmp_path))
    monkeypatch.setenv("COTDATA_CACHE_DIR", str(tmp_path / "other"))
    loaded = load_recipe(tmp_path / "recipe.yaml", output=tmp_path / "again")
    assert run_bytes(build(loaded, workers=workers).path) == first


def test_the_cut_into_files_leaves_no_trace_but_the_origin(tmp_path: Path) -> None:
    make(tmp_path / "one")
    for number, start in enumerate(range(0, len(ROWS), 333)):
        write_jsonl(tmp_path / "many" / f"part-{number}.jsonl", ROWS[start : start + 333])
    sources = [{"name": "corpus", "from": "part-*.jsonl", "adapter": "medical_o1"}]
    write_jsonl(tmp_path / "many" / "rows.jsonl", [])
    many = make(tmp_path / "many", sources=sources)
    for part in ("data", "rejected"):
        one_rows = pl.read_parquet(tmp_path / f"one/run/{part}/*.parquet")
        assert many_rows_equal(one_rows, pl.read_parquet(many / part / "*.parquet"))


def many_rows_equal(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    """Compare all that does not name the file."""
    named = ["origin", "evidence", "raw"]
    return left.drop(named, strict=False).equals(right.drop(named, strict=False))


@pytest.mark.parametrize("shard_rows", [7, 64, 5_000])
def test_the_size_of_work_shards_leaves_no_trace(
    tmp_path: Path, shard_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make(tmp_path)
    monkeypatch.setattr("cotdata.run.ingest.SHARD_ROWS", shard_rows)
    again = make(tmp_path, tmp_path / "again")
    for part in ("data", "rejected"):
        left, right = (pl.read_parquet(run / part / "*.parquet") for run in (first, again))
        assert left.equals(right)


def test_building_again_verifies_and_changes_nothing(tmp_path: Path) -> None:
    path = make(tmp_path)
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    again = build(load_recipe(tmp_path / "recipe.yaml", output=path))
    assert not again.is_new
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before


KILLED_BUILD = dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from cotdata.recipe import load_recipe
    from cotdata.run import build, ingest

    class Killer:
        def __init__(self, after):
            self.left = after
        def start(self, step, total, unit):
            self.count()
        def advance(self, amount):
            self.count()
        def say(self, message):
            self.count()
        def count(self):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    ingest.SHARD_ROWS = 100
    build(load_recipe(Path(sys.argv[1]), output=Path(sys.argv[2])), workers=2,
          progress=Killer(int(sys.argv[3])))
    """
)


def run_killed(folder: Path, output: Path, after: int, cache: Path) -> int:
    """Build in a process that kills itself at its `after`-th sign of life."""
    command: list[str | Path] = [
        sys.executable,
        "-c",
        KILLED_BUILD,
        folder / "recipe.yaml",
        output,
        str(after),
    ]
    environment = {**os.environ, "COTDATA_CACHE_DIR": str(cache)}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


@pytest.mark.slow
def test_a_build_killed_anywhere_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cotdata.run.ingest.SHARD_ROWS", 100)
    expected = run_bytes(make(tmp_path))
    cache, output = tmp_path / "cache", tmp_path / "killed"
    kills = 0
    # Each attempt lives a little longer than the one before, so that all of a build is hit.
    for after in range(1, 200, 4):
        code = run_killed(tmp_path, output, after, cache)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        assert not output.exists(), "a killed build must not leave a run"
        kills += 1
    assert kills > 3
    assert run_bytes(output) == expected
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".killed")]


@pytest.mark.slow
def test_a_build_killed_without_a_cache_to_go_on_from_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cotdata.run.ingest.SHARD_ROWS", 100)
    expected = run_bytes(make(tmp_path))
    for after in (2, 20, 40):
        cache, output = tmp_path / f"cache{after}", tmp_path / f"killed{after}"
        assert run_killed(tmp_path, output, after, cache) == -signal.SIGKILL
        assert run_killed(tmp_path, output, 10_000, cache) == 0
        assert run_bytes(output) == expected
        shutil.rmtree(output)


def test_an_edited_stage_re_runs_only_what_follows(tmp_path: Path, own_cache: Path) -> None:
    make(tmp_path)
    before = {path.name for path in own_cache.glob("v1/[ds]*/*")}
    stages = recipe()["stages"]
    stages[-1]["validation"] = 0.2
    make(tmp_path, tmp_path / "again", stages=stages)
    added = {path.parent.name for path in own_cache.glob("v1/[ds]*/*") if path.name not in before}
    assert added == {"decisions"}
    assert len({path.name for path in own_cache.glob("v1/[ds]*/*")} - before) == 1
