import csv
import io
import sys
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cotdata.errors import SourceError
from cotdata.sources.formats import csv_file
from cotdata.sources.records import PLACE, Wanted
from tests.sources.reading import read_bytes

NAME = "x.csv"
AB = Wanted(text=("a", "b"))


def test_reads_quoted_fields_over_several_lines(tmp_path: Path) -> None:
    data = b'a,b,c\r\n"x\ny","say ""hi"", ok",1\r\n\r\nz,,"\r\n"\r\n'
    read = read_bytes(tmp_path, NAME, data, AB, chunk_bytes=1)
    assert read.column("a") == ["x\ny", "z"]
    assert read.column("b") == ['say "hi", ok', ""]
    assert read.rest == ['{"c":"1"}', '{"c":"\\r\\n"}']
    assert read.column(PLACE) == [1, 2]
    assert read.notes == {"blank_lines": 1}


def test_reads_tabs(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, "x.tsv", b'a\tb\n1,5\t"x\ty"\n', AB)
    assert (read.column("a"), read.column("b")) == (["1,5"], ["x\ty"])


def test_reads_fields_far_beyond_the_limit_of_pythons_own_reader(tmp_path: Path) -> None:
    text = 'line "quoted"\n' * 300_000
    field = text.replace('"', '""').encode()
    limit = csv.field_size_limit()
    read = read_bytes(tmp_path, NAME, b'a,b\n"' + field + b'",x\n', AB, chunk_bytes=1 << 16)
    assert read.column("a") == [text]
    assert csv.field_size_limit() == limit < len(text) < sys.maxsize


def test_a_long_field_is_looked_through_again_only_when_its_text_has_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    original = csv_file.next_record

    def counted(text: bytes, at: int, delimiter: bytes, *, at_end: bool) -> csv_file.Record:
        calls.append(at)
        return original(text, at, delimiter, at_end=at_end)

    monkeypatch.setattr(csv_file, "next_record", counted)
    data = b'a,b\n"' + b"x\n" * 5000 + b'",y\n'
    read = read_bytes(tmp_path, NAME, data, AB, chunk_bytes=10)
    assert read.column("b") == ["y"]
    assert len(calls) < 30


def test_scalars_and_json_of_a_field_are_text(tmp_path: Path) -> None:
    wanted = Wanted(scalar=("a",), json=("b", "c"))
    read = read_bytes(tmp_path, NAME, b'a,b\n1.50,"[""x""]"\n', wanted)
    assert read.column("a") == ["1.50"]
    assert read.column("b") == ['"[\\"x\\"]"']
    assert read.column("c") == [None]


@pytest.mark.parametrize(
    ("record", "evidence"),
    [
        (b"x", {"fields": 1, "header": 2}),
        (b"x,y,z", {"fields": 3, "header": 2}),
        (b'"x" y,z', {"error": csv_file.STRAY_TEXT, "header": 2}),
        (b'"he said "no", then",z', {"error": csv_file.STRAY_TEXT, "header": 2}),
    ],
)
def test_rejects_a_record_that_does_not_fit_the_header(
    tmp_path: Path, record: bytes, evidence: dict[str, object]
) -> None:
    read = read_bytes(tmp_path, NAME, b"a,b\n1,2\n" + record + b"\r\n3,4\n", AB)
    assert read.reasons == [None, "bad_csv", None]
    assert read.raw[1] in {record, record + b"\r"}
    assert read.evidence[1] == evidence
    assert read.column("a") == ["1", None, "3"]


def test_rejects_a_record_that_is_not_utf8(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, NAME, b"a,b\nx,caf\xe9\ny,z\n", AB)
    assert read.reasons == ["not_utf8", None]
    assert read.raw[0] == b"x,caf\xe9"
    assert read.evidence[0]["byte"] == 5


def test_a_quote_that_never_closes_is_truncated(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, NAME, b'a,b\n1,2\n3,"4\n5,6\n', AB, chunk_bytes=2)
    assert read.reasons == [None, "truncated"]
    assert read.raw[1] == b'3,"4\n5,6\n'


def test_a_quote_that_does_not_close_for_too_long_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "MAX_KEPT_BYTES", 50)
    with pytest.raises(SourceError, match=r"after record 1 does not close"):
        read_bytes(tmp_path, NAME, b'a,b\n1,2\n3,"' + b"x\n" * 99, AB, chunk_bytes=8)


def test_a_record_above_the_limit_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "MAX_RECORD_BYTES", 9)
    read = read_bytes(tmp_path, NAME, b'a,b\n1,"0123456789"\n3,4\n', AB)
    assert read.reasons == ["record_too_large", None]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"a,b,a,c,b\n1,2,3,4,5\n", "names columns twice: `a`, `b`"),
        (b"a\rb\r", "carriage returns alone"),
        (b"\n\n", "has no header"),
        (b'"a\n', "never closes"),
        (b'"a"b\n', "the header is not CSV"),
        (b"caf\xe9\n", "the header is not UTF-8"),
        (b"", "empty"),
    ],
)
def test_a_header_that_cannot_be_used_is_an_error(tmp_path: Path, data: bytes, what: str) -> None:
    with pytest.raises(SourceError, match=what):
        read_bytes(tmp_path, NAME, data, AB)


def test_a_header_alone_holds_no_record(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, NAME, b"a,b", AB).records == 0


@given(
    st.lists(st.lists(st.text(alphabet='ab," \r\n汉\\\0x'), min_size=2, max_size=2), max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.integers(1, 30),
)
@example([["\r", "\r"]], "\r\n", csv.QUOTE_MINIMAL, 1)
def test_reads_what_pythons_own_writer_wrote(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    line_end: str,
    quoting: Literal[0, 1],
    chunk_bytes: int,
) -> None:
    # Some versions of Python don't quote a carriage return that ends a line before a line feed.
    assume(line_end == "\r\n" or quoting == csv.QUOTE_ALL or not any("\r" in b for _, b in rows))
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end, quoting=quoting).writerows([["a", "b"], *rows])
    data = text.getvalue().encode()
    folder = tmp_path_factory.mktemp("csv")
    read = read_bytes(folder, NAME, data, AB, chunk_bytes=chunk_bytes)
    found = read.frame.select("a", "b").rows() if rows else []
    assert [list(row) for row in found] == rows
    assert read.notes == {}


@given(
    st.lists(
        st.sampled_from([b'"', b",", b"\n", b"\r\n", b"\r", b"x", b"\xff", b"\0"]), max_size=30
    ),
    st.integers(1, 20),
    st.integers(0, 4),
)
def test_no_csv_raises_and_chunks_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], chunk_bytes: int, first: int
) -> None:
    data = b"a,b\n" + b"".join(pieces)
    folder = tmp_path_factory.mktemp("csv")
    whole = read_bytes(folder, NAME, data, AB)
    parts = read_bytes(folder, NAME, data, AB, chunk_bytes=chunk_bytes)
    tail = read_bytes(folder, NAME, data, AB, chunk_bytes=chunk_bytes, first=first)
    assert (whole.records, whole.notes) == (parts.records, parts.notes)
    assert whole.frame.rows() == parts.frame.rows()
    assert tail.records == whole.records
    assert tail.frame.rows() == whole.frame.rows()[first:]
