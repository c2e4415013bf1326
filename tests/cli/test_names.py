"""Names of files and folders that are not UTF-8: they work, or are refused with a reason."""

import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from cotdata.bundled import bundled
from tests.cli.conftest import CommandLine

NO_TEXT = os.fsdecode(b"a\xffb")
WRITERS = {"parquet": "write_parquet", "arrow": "write_ipc", "jsonl": "write_ndjson"}
MAPPING = "{Question: Question, Response: Response}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("place", [NO_TEXT, f"{NO_TEXT}/run"])
def test_an_output_that_no_reader_could_open_is_refused(
    here: Path, cotdata: CommandLine, place: str
) -> None:
    printed = cotdata("build", "recipes/custom.yaml", "--output", place)
    assert printed.code == 2
    assert "holds bytes that are not UTF-8" in printed.err
    assert "fix: choose another folder with --output" in printed.err
    assert list(here.iterdir()) == []


def test_a_recipe_in_such_a_folder_builds(here: Path, cotdata: CommandLine) -> None:
    shutil.copytree(bundled("recipes"), here / NO_TEXT)
    assert cotdata("build", f"{NO_TEXT}/custom.yaml", "--output", "run")[:2] == (0, "run\n")


def test_a_cache_in_such_a_folder_serves(
    here: Path, cotdata: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COTDATA_CACHE_DIR", str(here / NO_TEXT))
    assert cotdata("build", "recipes/custom.yaml", "--output", "run")[:2] == (0, "run\n")
    assert cotdata("build", "recipes/custom.yaml", "--output", "again")[:2] == (0, "again\n")


@pytest.mark.parametrize("ending", WRITERS)
def test_files_of_such_names_are_read_with_their_folder(
    here: Path, cotdata: CommandLine, ending: str
) -> None:
    frame = pl.DataFrame({"Question": ["?"], "Response": ["!"]})
    getattr(frame, WRITERS[ending])(here / "rows")
    (here / "data").mkdir()
    (here / "rows").rename(here / "data" / f"{NO_TEXT}.{ending}")
    printed = cotdata("validate", "data", "--adapter", MAPPING)
    assert printed.out == "1 record: 1 is a row, 0 are not\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("validate", f"{NO_TEXT}.jsonl", "--adapter", MAPPING),
        ("build", "recipes/custom.yaml", "--source", f"notes={NO_TEXT}.jsonl"),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_path_that_no_manifest_could_hold_is_refused(
    cotdata: CommandLine, arguments: tuple[str, ...]
) -> None:
    printed = cotdata(*arguments)
    assert printed.code == 2
    assert "a\\xffb.jsonl holds bytes that are not UTF-8" in printed.err
    assert "fix: rename that file or folder" in printed.err
