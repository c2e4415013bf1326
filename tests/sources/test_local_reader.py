import csv
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from cotdata.errors import SourceError
from cotdata.sources.files import SourceFile, find_files
from cotdata.sources.local import LocalReader
from cotdata.sources.records import REASON, REST, Wanted
from tests.sources.reading import A, read_bytes


def reader_of(path: Path, format_name: str | None = None) -> LocalReader:
    (file,) = find_files(path.name, path.parent)
    return LocalReader(file, format_name, None)


def test_an_unknown_extension_lists_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"{}")
    with pytest.raises(SourceError, match=r"x\.txt: .*\n  fix: .*\.jsonl.*`format:`"):
        reader_of(tmp_path / "x.txt")


def test_the_format_setting_goes_before_the_extension(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, "x.txt", b'{"a":"x"}\n', format="jsonl")
    assert read.column("a") == ["x"]
    with pytest.raises(SourceError, match=r"`jsnl` is no known format\n  fix: formats are jsonl"):
        reader_of(tmp_path / "x.txt", "jsnl")


def test_the_hash_is_of_the_bytes_as_stored(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + bytes(range(256)) * 9999
    (tmp_path / "x.jsonl").write_bytes(data)
    assert reader_of(tmp_path / "x.jsonl").sha256() == hashlib.sha256(data).hexdigest()


def test_peek_shows_kinds_and_the_first_records(tmp_path: Path) -> None:
    lines = [b'{"a":"x","n":1}', b'{"a":null,"l":[]}', b"bad", b'{"a":{"k":1.5},"t":true}']
    (tmp_path / "x.jsonl").write_bytes(b"\n".join(lines * 100))
    peek = reader_of(tmp_path / "x.jsonl").peek()
    assert peek.format == "jsonl"
    assert peek.columns == {
        "a": {"string", "null", "object"},
        "n": {"number"},
        "l": {"array"},
        "t": {"boolean"},
    }
    assert len(peek.examples) == 150
    assert peek.examples[0] == {"a": "x", "n": 1}


@pytest.mark.parametrize("name", ["x.json", "x.csv", "x.tsv", "x.jsonl"])
def test_peek_looks_at_every_text_format(tmp_path: Path, name: str) -> None:
    text = {"x.json": '[{"a":"1"}]', "x.jsonl": '{"a":"1"}'}.get(name, "a\n1\n")
    (tmp_path / name).write_text(text)
    peek = reader_of(tmp_path / name).peek()
    assert (peek.format, peek.examples) == (name[2:], [{"a": "1"}])


def test_peek_reads_no_further_than_it_must(tmp_path: Path) -> None:
    line = json.dumps({"a": "x" * 20_000}).encode() + b"\n"
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(line * 500)[:-9])
    reader = reader_of(tmp_path / "x.jsonl.gz")
    assert len(reader.peek().examples) == 200
    with pytest.raises(SourceError, match="cut off"):
        list(reader.batches(A, 0, None))


def test_reads_remote_files_like_local_ones() -> None:
    fsspec.filesystem("memory").pipe("/b/x.jsonl", b'{"a":"x"}\n')
    (file,) = find_files("memory://b/x.jsonl", Path())
    reader = LocalReader(file, None, None)
    (batch,) = reader.batches(A, 0, None)
    assert batch.frame is not None
    assert batch.frame["a"].to_list() == ["x"]
    assert reader.sha256() == hashlib.sha256(b'{"a":"x"}\n').hexdigest()


def test_a_file_that_went_away_is_an_error(tmp_path: Path) -> None:
    file = SourceFile(str(tmp_path / "x.jsonl"), "x.jsonl", 1)
    for act in (lambda r: r.sha256(), lambda r: r.peek(), lambda r: list(r.batches(A, 0, None))):
        with pytest.raises(SourceError, match=r"x\.jsonl: .*cannot be opened: No such file"):
            act(LocalReader(file, None, None))


def _table(real_data: Path) -> Iterator[tuple[str, int, list[str]]]:
    row = re.compile(r"^\| `([^`]+)` \| (\d+) \| ([^|]*) \|", re.MULTILINE)
    for name, rows, columns in row.findall((real_data / "README.md").read_text()):
        yield name, int(rows), columns.split(", ")


@pytest.mark.real_data
@pytest.mark.parametrize("chunk_bytes", [1 << 16, 1 << 24])
def test_every_real_file_reads_completely(real_data: Path, chunk_bytes: int) -> None:
    table = list(_table(real_data))
    assert len(table) > 30
    for name, rows, columns in table:
        (file,) = find_files(name, real_data)
        wanted = Wanted(json=tuple(columns))
        batches = list(LocalReader(file, None, None, chunk_bytes).batches(wanted, 0, None))
        assert (name, sum(batch.records for batch in batches)) == (name, rows)
        frames = [batch.frame for batch in batches if batch.frame is not None]
        assert sum(int(frame[REASON].count()) for frame in frames) == 0
        assert {c for frame in frames for c in columns if frame[c].count()} >= {columns[0]}, name


@pytest.mark.real_data
def test_the_rest_of_every_real_record_is_the_record(real_data: Path) -> None:
    for name, _, _ in _table(real_data):
        path = real_data / name
        if path.suffix not in {".json", ".jsonl"}:
            continue
        expected: list[dict[str, object]]
        if path.suffix == ".json":
            loaded = json.loads(path.read_bytes())
            keyed = [{"_key": k, **v} for k, v in loaded.items()] if type(loaded) is dict else None
            expected = keyed or loaded
        else:
            expected = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
        (file,) = find_files(name, real_data)
        rest: list[str] = []
        for batch in LocalReader(file, None, None).batches(Wanted(), 0, None):
            rest += [] if batch.frame is None else batch.frame[REST].to_list()
        assert [json.loads(text) for text in rest] == expected, name
        assert [list(json.loads(text)) for text in rest] == [list(record) for record in expected]


@pytest.mark.real_data
def test_real_parquet_reads_completely(real_data: Path) -> None:
    (file,) = find_files("math/numina_math_cot_1k.parquet", real_data)
    wanted = Wanted(text=("source", "problem", "solution"), json=("messages",))
    batches = list(LocalReader(file, None, None).batches(wanted, 0, None))
    assert sum(batch.records for batch in batches) == 1000
    (frame,) = [batch.frame for batch in batches if batch.frame is not None]
    first = json.loads(frame["messages"][0])
    assert [turn["role"] for turn in first] == ["user", "assistant"]
    assert first[0]["content"] == frame["problem"][0]
    assert frame[REASON].null_count() == 1000


@pytest.mark.real_data
def test_real_csv_agrees_with_pythons_own_reader(real_data: Path) -> None:
    name = "math/aime2024_r1_completions_30.csv"
    (file,) = find_files(name, real_data)
    with (real_data / name).open(newline="", encoding="utf-8") as stream:
        expected = list(csv.DictReader(stream))
    (batch,) = LocalReader(file, None, None).batches(Wanted(text=tuple(expected[0])), 0, None)
    assert batch.frame is not None
    assert batch.frame.select(list(expected[0])).to_dicts() == expected
