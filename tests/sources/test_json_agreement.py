"""Arrow's way of parsing JSON and ours agree on every input, or Arrow's is not taken."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from cotdata.errors import SourceError
from cotdata.sources.formats import json_records
from cotdata.sources.formats.chunk import Chunk
from cotdata.sources.formats.json_lines import line_chunks
from cotdata.sources.formats.json_records import JsonParser, parse_plain
from cotdata.sources.formats.text_blocks import TextBlocks
from cotdata.sources.records import PLACE, REASON, Wanted
from cotdata.sources.source_file import SourceFile
from tests.sources.reading import A, read_bytes

AB = Wanted(text=("a", "b"))
BLOCKS = TextBlocks(SourceFile("", "x.jsonl", None), None, 1)

PIECES = [
    *[b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b" ", b"\t", b"\r", b"\n", b"\0", b"/"],
    *[b'"a"', b'"b"', b'"c"', b'"\\u0061"', b'"\\u0062":"', b'{"a":"', b'","b":"', b'"}\n'],
    *[b'{"a":"x","b":"y"}', b'{"a":"x","b":"y"}\n', b'{"b":"1","a":"2"}\r\n', b'{"a" : "x"}'],
    *[b"null", b"true", b"1", b"-0", b"1e999", b"NaN", b"Infinity", b"18446744073709551616"],
    *[b"\\ud800", b"\\udc00", b"\\ud83d\\ude00", b"\\u0000", b"\\x", b'\\":', b'\\\\":', b'" :'],
    *[b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\xc2\x85"],
    *["é".encode(), "汉".encode(), "😀".encode(), b"\x7f", b"\x0b", b"\x0c", b"x", b"// c", b"'"],
]
SOUP = st.lists(st.sampled_from(PIECES), max_size=24).map(b"".join)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from('":\\ {},\n'))
PLAIN = st.fixed_dictionaries({"a": TEXTS, "b": TEXTS})
RECORDS = PLAIN | st.dictionaries(st.sampled_from(["a", "b", "c", '":', "\\"]), TEXTS | VALUES)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", "\t : "), (",", "         :")])


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """Draw one line: a record as some program may have written it, perhaps damaged."""
    text = json.dumps(
        draw(RECORDS), ensure_ascii=draw(st.booleans()), separators=draw(SEPARATORS)
    ).encode()
    damage = draw(st.none() | st.tuples(st.integers(0, len(text)), st.sampled_from(PIECES)))
    if damage is not None and draw(st.booleans()):
        at, piece = damage
        text = text[:at] + piece + text[at + draw(st.integers(0, 2)) :]
    return text + draw(st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b"\r", b" \n", b""]))


LINES = st.lists(written(), max_size=5).map(b"".join)
CLEAN = st.lists(PLAIN.map(lambda r: json.dumps(r).encode() + b"\n"), max_size=5).map(b"".join)


def assert_paths_agree(chunk: Chunk, wanted: Wanted) -> bool:
    """Compare both paths; return whether Arrow's was taken."""
    parser = JsonParser(BLOCKS, wanted)
    if not len(chunk):
        return False
    assert_frame_equal(parser.parse(chunk), parser.parse_exactly(chunk))
    return parse_plain(chunk, wanted) is not None


@given(SOUP | LINES | CLEAN)
@example(b'{"a":"x","b":"y","\\u0061":"z"}\n')
@example(b'{"a":"x","b":"y"}{"a":"x","b":"y"}\n{"a":"x",\n"b":"y"}\n')
@example(b'{"a":"x","b":"y"}{}\n')
@example(b'{"a":"x","b":"y"}\0{"a":"x","b":"y"}\n')
@example(b'{"a":"x","b":"y"}\r{"a":"x","b":"y"}\n\n')
@example(b'{"a":"\xff","b":"y"}\n')
@example(b'{"a":"\\ud800","b":"y"}\n')
@example(b'{"a":"x","b":"y"}\n{"a":"x","b":"y"')
def test_both_ways_of_parsing_lines_agree(text: bytes) -> None:
    for chunk in line_chunks([text]):
        assert_paths_agree(chunk, AB)
        assert_paths_agree(chunk, A)


@given(st.lists(PLAIN, min_size=1, max_size=5), SEPARATORS)
def test_arrow_is_taken_for_records_of_nothing_but_the_wanted_text(
    records: list[dict[str, str]], separators: tuple[str, str]
) -> None:
    text = b"".join(json.dumps(r, separators=separators).encode() + b"\n" for r in records)
    # So much white space before a colon is not looked through, and a string that begins with a
    # colon, or ends in a backslash, looks like a key.
    is_clear = not separators[1].startswith("     ") and not any(
        mark in value for record in records for value in record.values() for mark in ":\\"
    )
    (chunk,) = line_chunks([text])
    parsed = parse_plain(chunk, AB)
    assert parsed is not None or not is_clear
    if parsed is not None:
        assert parsed.select("a", "b").to_dicts() == records
        assert parsed[PLACE].to_list() == list(range(1, len(records) + 1))


def test_odd_records_among_many_are_found_and_their_neighbours_are_not_touched() -> None:
    good = b'{"a":"x","b":"y: \\\\"}\n'
    odd = [
        b'{"a":"x","a":"z"}\n',
        b'{"a":"x","a":"z","b":"y"}\n',
        b'{"a":null,"b":"y"}\n',
        b'{"a":1,"b":"y"}\n',
        b'{"a":"x","c":[1]}\n',
        b'{"a":"\xff","b":"y"}\n',
        b"{}\n",
        b'{"a":"x"\n',
    ]
    text = b"".join(good * 150 + line + good * (7 * index) for index, line in enumerate(odd))
    (chunk,) = line_chunks([text])
    parser = JsonParser(BLOCKS, AB)
    frame = parser.parse(chunk)
    assert_frame_equal(frame, parser.parse_exactly(chunk))
    assert frame[REASON].drop_nulls().to_list() == [
        "duplicate_key",
        "duplicate_key",
        "not_text",
        "not_utf8",
        "bad_json",
    ]


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":"x","a":"y"}\n',
        b'{"a":"x","\\u0061":"y"}\n',
        b'{"a":"x"}{"a":"y"}\n',
        b"null\n",
        b'{"a":"x","c":"y"}\n',
        b'{"a":1}\n',
        b'{"a":"\xff"}\n',
        b'{"a":"x"} junk }\n',
    ],
)
def test_arrow_is_not_taken_where_it_would_differ(text: bytes) -> None:
    (chunk,) = line_chunks([text])
    assert parse_plain(chunk, A) is None


@given(st.data())
def test_a_document_reads_the_same_with_and_without_arrow(data: st.DataObject) -> None:
    indent = data.draw(st.sampled_from([None, 0, 2, 12]))
    records = data.draw(st.lists(PLAIN | RECORDS, max_size=4))
    text = json.dumps(records, indent=indent).encode()
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + data.draw(st.sampled_from([b"", b"", *PIECES])) + text[at:]
    assert _frames(text, parse_plain) == _frames(text, _refuse)


def _refuse(chunk: Chunk, wanted: Wanted) -> None:
    return None


def _frames(
    text: bytes, plain: Callable[[Chunk, Wanted], pl.DataFrame | None]
) -> list[dict[str, object]] | str:
    """Read a document, Arrow's way replaced."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "parse_plain", plain)
        try:
            return read_bytes(Path(folder), "x.json", text, AB).frame.to_dicts()
        except SourceError as error:
            return str(error)


def test_the_parser_uses_arrow_again_after_a_chunk_that_it_refused(tmp_path: Path) -> None:
    text = b'{"a":"x"}\n{"a":1}\n{"a":"y"}\n'
    read = read_bytes(tmp_path, "x.jsonl", text, chunk_bytes=10)
    assert read.column("a") == ["x", None, "y"]
    assert read.column(REASON) == [None, "not_text", None]
