"""Small files are read together, and nobody can tell by the rows."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata import SourceError
from cotdata.errors import Location
from cotdata.recipe import single_source
from cotdata.run import gather as gather_module
from cotdata.run.gather import gather
from cotdata.run.ingest import Tally, read_source
from cotdata.sources.adapters import check_fit, fits_plainly, wanted
from cotdata.sources.files import find_files
from cotdata.sources.local import LocalReader
from cotdata.sources.opened import OpenedSource, open_source

MAPPING = "{Question: q, Complex_CoT: t, Response: r}"


def _opened(folder: Path, rows: str | None = None) -> OpenedSource:
    return open_source(single_source("rows/", MAPPING, rows), folder)


def _write(folder: Path, files: int, each: int) -> None:
    (folder / "rows").mkdir()
    for file in range(files):
        lines = [
            json.dumps({"q": f"{file}-{row}", "t": "why", "r": "so"}) + "\n" for row in range(each)
        ]
        (folder / f"rows/{file:03}.jsonl").write_text("".join(lines), encoding="utf-8")


def _rows(opened: OpenedSource, tally: Tally) -> pl.DataFrame:
    return pl.concat(read_source(opened, tally))


def test_many_small_files_come_as_one(tmp_path: Path) -> None:
    _write(tmp_path, files=60, each=2)
    parts = list(gather(_opened(tmp_path)))
    assert [len(part.frames) for part in parts] == [60]
    assert [file.records for file in parts[0].files] == [2] * 60


def test_rows_of_files_that_were_read_together_say_where_they_stand(tmp_path: Path) -> None:
    _write(tmp_path, files=3, each=2)
    rows = _rows(_opened(tmp_path), Tally())
    assert rows["Question"].to_list() == ["0-0", "0-1", "1-0", "1-1", "2-0", "2-1"]
    assert rows["row_id"].to_list() == [f"file:{number}" for number in range(6)]
    assert rows["origin"].to_list() == [
        f"rows/{file:03}.jsonl:{row}" for file in range(3) for row in (1, 2)
    ]


@pytest.mark.parametrize("enough", [1, 3, 4_096])
def test_how_much_is_read_together_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enough: int
) -> None:
    _write(tmp_path, files=7, each=3)
    once, again = Tally(), Tally()
    expected = _rows(_opened(tmp_path, "2:17"), once)
    monkeypatch.setattr(gather_module, "GATHERED_ROWS", enough)
    assert _rows(_opened(tmp_path, "2:17"), again).equals(expected)
    assert (again.available, again.read, again.files) == (21, 15, once.files)


def test_a_small_file_with_other_columns_is_named(tmp_path: Path) -> None:
    _write(tmp_path, files=5, each=2)
    (tmp_path / "rows/003.jsonl").write_text('{"question": "?", "t": "why", "r": "so"}\n')
    with pytest.raises(SourceError, match=r"no column `q`") as caught:
        list(gather(_opened(tmp_path)))
    assert caught.value.where == Location("rows/003.jsonl")


_VALUES: st.SearchStrategy[object] = st.sampled_from(["text", None, 1, [], True])
_RECORDS: st.SearchStrategy[list[dict[str, object]]] = st.lists(
    st.dictionaries(st.sampled_from(["q", "t", "r", "other"]), _VALUES),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(records=_RECORDS)
def test_what_fits_plainly_passes_the_check(
    records: list[dict[str, object]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("fit") / "rows.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    adapter = single_source(str(path), MAPPING).adapter
    reader = LocalReader(find_files(path.name, path.parent)[0], None, None)
    frames = [batch.frame for batch in reader.batches(wanted(adapter), 0, None)]
    if frames[0] is not None and fits_plainly(adapter, frames[0]):
        check_fit(adapter, reader.peek(), Location("rows.jsonl"))
