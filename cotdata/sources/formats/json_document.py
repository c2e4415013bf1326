"""Reads a JSON document of any size: an array of records, or an object that holds them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, Literal, assert_never

import numpy as np
import orjson

from cotdata.errors import SourceError
from cotdata.sources.formats.chunk import MAX_RECORD_BYTES, Chunk, Positions, batches_of, trimmed
from cotdata.sources.formats.json_lines import Pending, line_chunks
from cotdata.sources.formats.json_records import JsonParser
from cotdata.sources.formats.json_spans import Scanner
from cotdata.sources.formats.text_blocks import TextBlocks
from cotdata.sources.records import Batch, Wanted

# How far a file is looked into to see what kind of document it is.
_HEAD_BYTES: Final = MAX_RECORD_BYTES
_SPACE: Final = b" \t\r\n"
_FIRST_MEMBER: Final = re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.)*+"\s*:\s*(.)', re.DOTALL)
_SHAPES: Final = (
    "records are read from an array `[{…}, …]`, from `{key: {…}, …}`, from an object with one "
    "list `{key: [{…}, …]}`, and from lines of objects"
)


@dataclass(frozen=True)
class Shape:
    """What kind of document it is, and where in its text the first record begins."""

    kind: Literal["array", "keyed", "wrapped", "lines", "single"]
    offset: int = 0

    @property
    def level(self) -> int:
        """How many brackets are open around a record."""
        return 2 if self.kind == "wrapped" else 1


def read_json_document(
    blocks: TextBlocks, wanted: Wanted, first: int, stop: int | None
) -> Iterator[Batch]:
    """Read the records of a `.json` file; `PLACE` is the 1-based number of the record.

    Read are an array of objects; an object of objects, whose keys become the records' `_key`; an
    object whose only value is an array of objects; a single object with other values, which is
    one record; and JSON Lines under the wrong name (noted as `read_as_json_lines`; `PLACE` is then
    the line number). The document is cut into its records' text block by block, never loaded.

    Raises:
        SourceError: The document is none of these, or goes on after its end.
    """
    stream = iter(blocks)
    head = b"".join(_head(stream))
    shape = _shape_of(blocks, head)
    text = chain([head[shape.offset :]], stream)
    match shape.kind:
        case "lines":
            chunks = line_chunks(text)
            blocks.notes["read_as_json_lines"] = 1
        case "single":
            chunks = _whole(text)
            blocks.notes["read_as_one_record"] = 1
        case "array" | "keyed" | "wrapped":
            chunks = _cut(blocks, text, shape)
        case _:
            assert_never(shape.kind)
    parser = JsonParser(blocks, wanted, is_keyed=shape.kind == "keyed")
    yield from batches_of(chunks, parser.parse, first, stop)
    if blocks.notes:
        yield Batch(0, None, dict(blocks.notes))


def _head(stream: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for block in stream:
        yield block
        size += len(block)
        if size >= _HEAD_BYTES:
            return


def _shape_of(blocks: TextBlocks, head: bytes) -> Shape:
    begin = len(head) - len(head.lstrip(_SPACE))
    letter = head[begin : begin + 1]
    if letter == b"[":
        return Shape("array", begin + 1)
    if letter != b"{":
        what = "is not JSON records: it begins with neither `[` nor `{`"
        raise SourceError(what, blocks.location, _SHAPES)
    if _is_lines(head[begin:]):
        return Shape("lines")
    member = _FIRST_MEMBER.match(head)
    match member.group(1) if member else head[begin + 1 :].lstrip(_SPACE)[:1]:
        case b"{" if member:
            return Shape("keyed", begin + 1)
        case b"[" if member:
            return Shape("wrapped", member.end())
        case b"}" if not member:
            return Shape("keyed", begin + 1)
        case _:
            return Shape("single")


def _is_lines(text: bytes) -> bool:
    """Tell whether the first line is a whole object and another line follows."""
    line, end, rest = text.partition(b"\n")
    if not end or not rest.strip(_SPACE):
        return False
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _whole(text: Iterable[bytes]) -> Iterator[Chunk]:
    """Give the whole document as one record."""
    pending = Pending()
    for block in text:
        pending.add(block)
    data, lost = pending.take(b"")
    starts, ends = trimmed(data, np.array([0]), np.array([len(data)]))
    yield Chunk(data, starts, ends, np.array([1]), is_open=True, lost=lost)


def _cut(blocks: TextBlocks, text: Iterator[bytes], shape: Shape) -> Iterator[Chunk]:
    """Cut a document at the commas between its records."""
    scanner = Scanner(shape.level)
    pending = Pending()
    records = 0
    for block in text:
        structure = scanner.scan(block)
        cuts, end = structure.commas(shape.level), structure.end(shape.level)
        if end is not None:
            cuts = np.append(cuts[cuts < end], end)
        if not len(cuts):
            pending.add(block)
            continue
        cuts, last = cuts + len(pending), int(cuts[-1])
        data, lost = pending.take(block[:last])
        chunk = _chunk(data, cuts, records, lost=lost, is_last=end is not None)
        records += len(chunk)
        yield chunk
        if end is not None:
            _check_end(blocks, shape, chain([block[end:]], text), records)
            return
        pending.add(block[last + 1 :])
    data, lost = pending.take(b"")
    chunk = _chunk(data, np.array([len(data)]), records, lost=lost, is_last=True)
    yield replace(chunk, is_open=True, notes={"unclosed_document": 1})


def _chunk(data: bytes, cuts: Positions, records: int, *, lost: int, is_last: bool) -> Chunk:
    """Return the records between the cuts, of which the last is the data's end."""
    notes = {}
    starts, ends = trimmed(data, np.append(0, cuts[:-1] + 1), cuts)
    if is_last and starts[-1] >= ends[-1] and not lost:
        if records or len(cuts) > 1:
            notes["trailing_comma"] = 1
        starts, ends = starts[:-1], ends[:-1]
    # Without the commas, the data is a stream of objects, which Arrow reads at once.
    letters = np.frombuffer(data, np.uint8).copy()
    letters[cuts[:-1]] = ord("\n")
    places = np.arange(records + 1, records + 1 + len(starts))
    return Chunk(letters.tobytes(), starts, ends, places, lost=lost, notes=notes)


def _check_end(blocks: TextBlocks, shape: Shape, text: Iterable[bytes], records: int) -> None:
    """Check that a document ends where its records end."""
    due = {"array": b"]", "keyed": b"}", "wrapped": b"]}"}[shape.kind]
    for block in text:
        for letter in block.translate(None, _SPACE)[: len(due) + 1]:
            if letter != due[0] if due else True:
                raise _early_end(blocks, records)
            due = due[1:]
    if due:
        blocks.notes["unclosed_document"] = 1


def _early_end(blocks: TextBlocks, records: int) -> SourceError:
    what = f"the document goes on after its end, which stands after record {records}"
    fix = (
        f"{_SHAPES}; join several documents to one, or write one record on a line; if it is one "
        f"document, look for a bracket too many or of the wrong kind in record {records}"
    )
    return SourceError(what, blocks.location, fix)
