import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.errors import SourceError
from cotdata.sources.formats.json_spans import Scanner, ends_inside
from cotdata.sources.records import PLACE, Wanted
from tests.sources.reading import A, read_bytes
from tests.sources.test_json_agreement import PIECES, RECORDS, SOUP

NAME = "x.json"


@pytest.mark.parametrize("indent", [None, 0, 1, 4, 30])
@pytest.mark.parametrize("chunk_bytes", [1, 7, 1 << 20])
def test_reads_an_array_however_it_is_written(
    tmp_path: Path, indent: int | None, chunk_bytes: int
) -> None:
    records: list[dict[str, Any]] = [
        {"a": 'x,"]}\\'},
        {"a": "[{", "b": [1, {"c": "}"}]},
        {"a": "汉\n"},
    ]
    text = json.dumps(records, indent=indent).encode()
    read = read_bytes(tmp_path, NAME, text, chunk_bytes=chunk_bytes)
    assert read.column("a") == [record["a"] for record in records]
    assert read.rest == [None, '{"b":[1,{"c":"}"}]}', None]
    assert read.column(PLACE) == [1, 2, 3]
    assert read.notes == {}


@given(st.lists(RECORDS, max_size=6), st.sampled_from([None, 2]), st.integers(1, 30))
def test_a_document_and_the_same_lines_read_alike(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, object]],
    indent: int | None,
    chunk_bytes: int,
) -> None:
    folder = tmp_path_factory.mktemp("both")
    document = json.dumps(records, indent=indent).encode()
    lines = b"\n" + b"".join(json.dumps(record).encode() + b"\n" for record in records)
    found = read_bytes(folder, NAME, document, chunk_bytes=chunk_bytes)
    same = read_bytes(folder, "y.jsonl", lines)
    assert found.records == same.records == len(records)
    if records:
        columns = ["a", "__rest__", "__reason__"]
        assert found.frame.select(columns).equals(same.frame.select(columns))


def test_an_object_of_records_puts_the_key_into_the_rest(tmp_path: Path) -> None:
    text = b'{"k\\"1": {"a": "x", "n": 1},\n "k2": {"a": "y"}, "k3": 5, "k4": {"_key": 1}}'
    read = read_bytes(tmp_path, NAME, text, chunk_bytes=4)
    assert read.column("a") == ["x", "y", None, None]
    assert read.rest == ['{"_key":"k\\"1","n":1}', '{"_key":"k2"}', None, None]
    assert read.reasons == [None, None, "not_an_object", "duplicate_key"]
    assert read.raw[2] == b'"k3": 5'


def test_the_key_of_a_record_can_be_asked_for(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, NAME, b'{"k": {"a": "x"}}', Wanted(text=("_key", "a")))
    assert read.column("_key") == ["k"]
    assert read.rest == [None]


def test_an_object_with_one_list_gives_the_lists_records(tmp_path: Path) -> None:
    text = b' {"data" : [ {"a": "x"}, {"a": "y", "a": "z"}, 7 ] } \n'
    read = read_bytes(tmp_path, NAME, text, chunk_bytes=3)
    assert read.column("a") == ["x", None, None]
    assert read.reasons == [None, "duplicate_key", "not_an_object"]


def test_lines_under_the_name_of_a_document_are_read_and_noted(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, NAME, b'{"a":"x"}\n\n{"a":"y"}\n')
    assert read.column("a") == ["x", "y"]
    assert read.column(PLACE) == [1, 3]
    assert read.notes == {"read_as_json_lines": 1, "blank_lines": 1}


def test_a_single_object_is_one_record(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, NAME, b'{\n  "a": "x",\n  "b": [1]\n}\n')
    assert read.column("a") == ["x"]
    assert read.notes == {"read_as_one_record": 1}


@pytest.mark.parametrize("text", [b"[]", b"{}", b" [ ] \n", b'{"data": []}', b"{ \n }"])
def test_a_document_without_records_gives_none(tmp_path: Path, text: bytes) -> None:
    read = read_bytes(tmp_path, NAME, text)
    assert (read.records, read.notes) == (0, {})


@pytest.mark.parametrize("text", [b"3", b'"a"', b"null", b" ", b"nonsense", b"\xff", b"]", b"<a>"])
def test_a_document_that_is_neither_array_nor_object_is_an_error(
    tmp_path: Path, text: bytes
) -> None:
    with pytest.raises(SourceError, match=r"x\.json: is not JSON records[^\n]*\n  fix: "):
        read_bytes(tmp_path, NAME, text)


@pytest.mark.parametrize(
    "text",
    [
        b'[{"a":"x"}][{"a":"y"}]',
        b'[{"a":"x"}]]',
        b'[{"a":"x"}} , {"a":"y"}]',
        b'{"data":[{"a":"x"}],"more":[]}',
        b'{"k":{"a":"x"}} x',
        b'{"data":[{"a":"x"}]]',
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 100])
def test_a_document_that_goes_on_after_its_end_is_an_error(
    tmp_path: Path, text: bytes, chunk_bytes: int
) -> None:
    with pytest.raises(SourceError, match="goes on after its end, which stands after record 1"):
        read_bytes(tmp_path, NAME, text, chunk_bytes=chunk_bytes)


def test_damage_between_records_stays_with_the_records(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, NAME, b'[{"a":"1"}{"a":"2"},,{"a":[3}},{"a":"4"},]')
    assert read.reasons == ["bad_json", "bad_json", "bad_json", None]
    assert read.raw == [b'{"a":"1"}{"a":"2"}', b"", b'{"a":[3}}', None]
    assert read.notes == {"trailing_comma": 1}


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        (b'[{"a":"1"},{"a":"2', [None, "truncated"]),
        (b'[{"a":"1"},{"a":"\xe6\xb1', [None, "truncated"]),
        (b'[{"a":"1"},{"a":"2"}', [None, None]),
        (b'[{"a":"1"},{"a":"2"},', [None, None]),
        (b'{"data":[{"a":"1"},{"a":"2"}]', [None, None]),
        (b'{"k":{"a":"1"},"m":{"a":', [None, "truncated"]),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 100])
def test_a_document_that_is_cut_off_says_so(
    tmp_path: Path, text: bytes, reasons: list[str | None], chunk_bytes: int
) -> None:
    read = read_bytes(tmp_path, NAME, text, chunk_bytes=chunk_bytes)
    assert read.reasons == reasons
    assert read.notes["unclosed_document"] == 1


@given(st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join), st.data())
def test_the_scanner_finds_the_same_however_the_text_is_cut(
    text: bytes, data: st.DataObject
) -> None:
    whole = Scanner()
    found = whole.scan(text)
    parts, positions, depths, at = Scanner(), list[int](), list[int](), 0
    while at < len(text):
        step = data.draw(st.integers(1, 5))
        part = parts.scan(text[at : at + step])
        positions += (part.positions + at).tolist()
        depths += part.depths.tolist()
        at += step
    assert positions == found.positions.tolist()
    assert depths == found.depths.tolist()
    assert (parts.in_string, parts.depth) == (whole.in_string, whole.depth)


@given(st.text(max_size=12) | st.text(alphabet='\\",{}[]:', max_size=12))
def test_the_scanner_sees_no_structure_in_a_string(text: str) -> None:
    written = json.dumps([text, {"k": text}]).encode()
    found = Scanner().scan(written)
    assert bytes(found.letters) == b"[,{}]"
    assert not ends_inside(written)
    assert ends_inside(written[:-1])


@given(SOUP, st.sampled_from([b"[", b'{"k":', b'{"k":[', b'[{"a":"x"},', b""]), st.integers(1, 9))
def test_no_document_raises_anything_but_a_source_error(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, begin: bytes, chunk_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("soup")
    outcomes: list[object] = []
    for size in (chunk_bytes, 1 << 20):
        try:
            read = read_bytes(folder, NAME, begin + text, A, chunk_bytes=size)
            outcomes.append((read.records, read.notes, read.frame.rows()))
        except SourceError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
