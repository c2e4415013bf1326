"""A cache that others share, damage or clean, and inputs that change under a build."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from cotdata import SourceError, WriteError
from cotdata.recipe import load_recipe
from cotdata.run import build, verify
from cotdata.sources.local import LocalReader
from cotdata.sources.records import Batch, Wanted
from tests.run.recipes import medical_rows, recipe, run_bytes, write_jsonl, write_recipe


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "rows.jsonl", medical_rows(400))
    write_recipe(tmp_path / "recipe.yaml", recipe())
    return tmp_path


def test_builds_that_share_a_cache_do_not_disturb_each_other(folder: Path) -> None:
    write_jsonl(folder / "rows.jsonl", medical_rows(20_000))
    command = [sys.executable, "-m", "cotdata", "build", str(folder / "recipe.yaml"), "--output"]
    started = [
        subprocess.Popen([*command, str(folder / f"run{number}")], stderr=subprocess.PIPE)
        for number in range(4)
    ]
    errors = [process.communicate(timeout=120)[1].decode() for process in started]
    assert [process.returncode for process in started] == [0] * 4, errors
    first, *others = (run_bytes(folder / f"run{number}") for number in range(4))
    assert all(other == first for other in others)


def test_an_input_that_changes_while_it_is_read_is_an_error_and_is_not_cached(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = folder / "rows.jsonl"
    before = rows.read_bytes()
    honest = LocalReader.batches

    def changing(
        self: LocalReader, wanted: Wanted, first: int, stop: int | None
    ) -> Iterator[Batch]:
        rows.write_bytes(before + b'{"Question":"new","Complex_CoT":"x","Response":"y"}\n')
        return honest(self, wanted, first, stop)

    loaded = load_recipe(folder / "recipe.yaml", output=folder / "run")
    with monkeypatch.context() as patch:
        patch.setattr(LocalReader, "batches", changing)
        with pytest.raises(SourceError, match="changed while it was read"):
            build(loaded)
    rows.write_bytes(before)
    kept = pl.read_parquet(build(loaded).path / "data/*.parquet")
    assert "new" not in kept["Question"]


def test_a_checkpoint_that_lost_files_before_it_was_done_is_made_again(
    folder: Path, own_cache: Path
) -> None:
    expected = run_bytes(build(load_recipe(folder / "recipe.yaml", output=folder / "run")).path)
    for done in own_cache.glob("v1/decisions/*/done.json"):
        done.unlink()
    for file in own_cache.glob("v1/decisions/*/rows/*/counts.json"):
        file.unlink()
    again = load_recipe(folder / "recipe.yaml", output=folder / "again")
    assert run_bytes(build(again).path) == expected


def test_a_damaged_shard_is_an_error_that_names_the_way_out(folder: Path, own_cache: Path) -> None:
    build(load_recipe(folder / "recipe.yaml", output=folder / "run"))
    for shard in own_cache.glob("v1/sources/*/*.arrow"):
        size = shard.stat().st_size
        os.truncate(shard, size - 64)
        os.truncate(shard, size)
    again = load_recipe(folder / "recipe.yaml", output=folder / "again")
    with pytest.raises(WriteError, match="--fresh"):
        build(again)
    assert build(again, fresh=True).is_new


@pytest.mark.parametrize("rows", ["5:5", "100000:"])
def test_a_source_without_rows_gives_a_run_without_rows(folder: Path, rows: str) -> None:
    sources = [{"name": "corpus", "from": "rows.jsonl", "adapter": "medical_o1", "rows": rows}]
    sources[0]["max_rows"] = 3  # type: ignore[assignment]
    path = write_recipe(folder / "recipe.yaml", recipe(sources=sources))
    run = build(load_recipe(path, output=folder / "run"))
    assert run.manifest.after.rows == 0
    assert verify(run.path).sources[0].available == 400


@pytest.mark.parametrize("name", ["o [1]", "o*", "o?x", "{o}"])
def test_wildcards_in_the_name_of_the_output_mean_nothing(folder: Path, name: str) -> None:
    bystander = folder / ".o1.partial-abc"
    bystander.mkdir()
    run = build(load_recipe(folder / "recipe.yaml", output=folder / name))
    assert verify(run.path).after.rows == run.manifest.after.rows
    assert bystander.is_dir()


def test_the_working_directory_is_not_replaced(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    with pytest.raises(WriteError, match="the folder that you are in"):
        build(load_recipe(folder / "recipe.yaml", output="."))


def test_a_build_never_writes_over_what_it_reads(folder: Path) -> None:
    run = build(load_recipe(folder / "recipe.yaml", output=folder / "run")).path
    sources = [{"name": "again", "from": "run/data/*.parquet", "adapter": "medical_o1"}]
    path = write_recipe(folder / "second.yaml", recipe(sources=sources))
    with pytest.raises(WriteError, match="lies in its output folder"):
        build(load_recipe(path, output=run), force=True)
    assert verify(run).name == "test"


def test_a_build_never_writes_into_a_folder_that_it_reads_whole(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "rows.jsonl").rename(folder / "data" / "rows.jsonl")
    sources = [{"name": "all", "from": "data", "adapter": "medical_o1"}]
    path = write_recipe(folder / "second.yaml", recipe(sources=sources))
    with pytest.raises(WriteError, match="reads whole"):
        build(load_recipe(path, output=folder / "data" / "run"))
    assert build(load_recipe(path, output=folder / "run")).is_new


def test_a_manifest_of_another_tool_is_no_run(folder: Path) -> None:
    (folder / "package").mkdir()
    (folder / "package" / "manifest.json").write_text('{"fingerprint": "abc", "outputs": []}')
    with pytest.raises(WriteError, match="not a run of cotdata"):
        build(load_recipe(folder / "recipe.yaml", output=folder / "package"), force=True)
    assert (folder / "package" / "manifest.json").exists()
