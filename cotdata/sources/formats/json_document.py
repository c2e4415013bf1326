"""Reads a JSON document of any size: an array of records, or an object that holds them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal

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

    kind: Literal["array", "keyed", "wrapped", "lines"]
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
    chunks = (
        _lines(text, head)
        if shape.kind == "lines"
        else _cut(blocks, text, shape)
    )
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
            return Shape("lines")


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
