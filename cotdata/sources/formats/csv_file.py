"""Reads CSV and TSV (RFC 4180), with fields over several lines and of any size."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson
import polars as pl

from cotdata.errors import SourceError
from cotdata.sources.formats.chunk import (
    MAX_KEPT_BYTES,
    MAX_RECORD_BYTES,
    Chunk,
    Columns,
    Rejection,
    batches_of,
)
from cotdata.sources.formats.json_records import refuse_large
from cotdata.sources.formats.text_blocks import TextBlocks
from cotdata.sources.records import Batch, Wanted
from cotdata.sources.source_file import readable

_QUOTED: Final = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"')


#: Why a record is refused whose quoted field does not end at its closing quote.
STRAY_TEXT: Final = "text follows a closing quote (a quote inside of a field must be doubled)"


class Unfinished(Exception):  # noqa: N818 (it is an outcome, not an error)
    """The record goes on behind the text at hand; `in_quotes` if a quoted field is open there."""

    def __init__(self, *, in_quotes: bool) -> None:
        super().__init__(in_quotes)
        self.in_quotes = in_quotes


@dataclass(frozen=True)
class Record:
    """One record's fields as bytes, unquoted, and where it ends and the next begins.

    `error` says what is wrong with the quoting; the fields then mean nothing.
    """

    fields: list[bytes]
    end: int
    next: int
    error: str | None = None


def read_csv(
    blocks: TextBlocks, wanted: Wanted, first: int, stop: int | None, delimiter: bytes
) -> Iterator[Batch]:
    """Read the records below a CSV file's header; `PLACE` is the 1-based number of the record.

    Every value is text, an empty field the empty text. Lines end in a line feed, with or without
    a carriage return; empty lines outside of quotes are passed over and counted as `blank_lines`.

    Raises:
        SourceError: There is no header, it names a column twice, or a quote never closes.
    """
    chunks = _Chunks(blocks, delimiter)
    parser = _Parser(blocks, wanted, chunks)
    yield from batches_of(chunks, parser.parse, first, stop)
    if blocks.notes:
        yield Batch(0, None, dict(blocks.notes))


class _Chunks:
    """The file's records, cut; knows the header once the first chunk is out."""

    def __init__(self, blocks: TextBlocks, delimiter: bytes) -> None:
        self.delimiter = delimiter
        self.header: list[str] = []
        self._blocks = blocks
        self._records = 0

    def __iter__(self) -> Iterator[Chunk]:
        pieces: list[bytes] = []
        size = due = 0
        for block in self._blocks:
            pieces.append(block)
            size += len(block)
            # A long quoted field is looked through again only when its text has doubled.
            if size < due:
                continue
            chunk, rest = self._cut(b"".join(pieces), at_end=False)
            pieces, size = [rest], len(rest)
            due = 0 if len(chunk) else 2 * size
            if size > MAX_KEPT_BYTES:
                raise self._endless()
            yield chunk
        yield self._cut(b"".join(pieces), at_end=True)[0]
        if not self.header:
            what = "has no header: there is nothing but empty lines"
            raise SourceError(what, self._blocks.location)

    def _cut(self, text: bytes, *, at_end: bool) -> tuple[Chunk, bytes]:
        spans: list[tuple[int, int]] = []
        blank = at = 0
        is_open = False
        while at < len(text):
            try:
                record = next_record(text, at, self.delimiter, at_end=at_end)
            except Unfinished as unfinished:
                if not at_end:
                    break
                is_open = unfinished.in_quotes
                record = Record([], len(text), len(text))
            if record.end == at:
                blank += 1
            elif not self.header:
                self._set_header(record, is_open=is_open)
            else:
                spans.append((at, record.end))
            at = record.next
        places = np.arange(self._records + 1, self._records + 1 + len(spans))
        self._records += len(spans)
        limits = np.array(spans, np.int64).reshape(-1, 2)
        notes = {"blank_lines": blank} if blank else {}
        chunk = Chunk(text, limits[:, 0], limits[:, 1], places, is_open=is_open, notes=notes)
        return chunk, text[at:]

    def _set_header(self, record: Record, *, is_open: bool) -> None:
        if record.error or is_open:
            what = f"the header is not CSV: {record.error or 'a quoted field never closes'}"
            raise SourceError(what, self._blocks.location)
        try:
            names = [field.decode() for field in record.fields]
        except UnicodeDecodeError as error:
            what = "the header is not UTF-8"
            fix = "set the source's `encoding:`, for example latin-1 or gb18030"
            raise SourceError(what, self._blocks.location, fix) from error
        if any("\r" in name for name in names):
            what = "the lines end in carriage returns alone"
            fix = "write the file with line feeds: tr '\\r' '\\n' < FILE"
            raise SourceError(what, self._blocks.location, fix)
        twice = sorted({readable(name) for name in names if names.count(name) > 1})
        if twice:
            what = "the header names columns twice: " + ", ".join(f"`{name}`" for name in twice)
            fix = "rename them in the file, so that each column has its own name"
            raise SourceError(what, self._blocks.location, fix)
        self.header = names

    def _endless(self) -> SourceError:
        limit = MAX_KEPT_BYTES >> 20
        what = f"a quoted field after record {self._records} does not close within {limit} MiB"
        return SourceError(what, self._blocks.location, "look for a stray quote in that record")


def next_record(text: bytes, at: int, delimiter: bytes, *, at_end: bool) -> Record:
    """Return the record that begins at a position.

    Raises:
        Unfinished: The text ends before the record does; at the end of the file (`at_end`), only
            where a quoted field is open.
    """
    line_end = text.find(b"\n", at)
    if line_end < 0:
        if not at_end:
            raise Unfinished(in_quotes=False)
        line_end = len(text)
    if text.find(b'"', at, line_end) < 0:
        end = _without_return(text, at, line_end)
        return Record(text[at:end].split(delimiter), end, line_end + 1)
    fields: list[bytes] = []
    while True:
        field, at = _next_field(text, at, delimiter, at_end=at_end)
        if field is None:
            return _malformed(text, at, at_end=at_end)
        fields.append(field)
        letter = text[at : at + 1]
        if letter == delimiter:
            at += 1
        else:
            line_end = at + 1 if letter == b"\r" else at
            return Record(fields, at, line_end + 1)


def _next_field(
    text: bytes, at: int, delimiter: bytes, *, at_end: bool
) -> tuple[bytes | None, int]:
    """Return a field and where it ends: at a delimiter, a line's end or the text's.

    The field is None where something other than these follows its closing quote.
    """
    if text[at : at + 1] != b'"':
        line_end = text.find(b"\n", at)
        if line_end < 0 and not at_end:
            raise Unfinished(in_quotes=False)
        line_end = len(text) if line_end < 0 else line_end
        end = text.find(delimiter, at, line_end)
        end = _without_return(text, at, line_end) if end < 0 else end
        return text[at:end], end
    quoted = _QUOTED.match(text, at)
    if quoted is None:
        raise Unfinished(in_quotes=True)
    end = quoted.end()
    follows = text[end : end + 2]
    if len(follows) < 2 and not at_end:
        raise Unfinished(in_quotes=False)
    is_ended = follows in {b"", b"\r"} or follows[:1] in {delimiter, b"\n"} or follows == b"\r\n"
    return quoted.group(1).replace(b'""', b'"') if is_ended else None, end


def _malformed(text: bytes, at: int, *, at_end: bool) -> Record:
    end = text.find(b"\n", at)
    if end < 0:
        if not at_end:
            raise Unfinished(in_quotes=False)
        end = len(text)
    return Record([], end, end + 1, STRAY_TEXT)


def _without_return(text: bytes, start: int, end: int) -> int:
    return end - 1 if end > start and text[end - 1 : end] == b"\r" else end


class _Parser:
    def __init__(self, blocks: TextBlocks, wanted: Wanted, chunks: _Chunks) -> None:
        self._blocks = blocks
        self._wanted = wanted
        self._chunks = chunks

    def parse(self, chunk: Chunk) -> pl.DataFrame:
        """Return the frame of the chunk's records."""
        columns = Columns(self._wanted, len(chunk))
        spans = zip(chunk.starts.tolist(), chunk.ends.tolist(), strict=True)
        for index, (start, end) in enumerate(spans):
            try:
                is_open = chunk.is_open and index == len(chunk) - 1
                columns.put(index, self._row(chunk.data, start, end, is_open=is_open))
            except Rejection as rejection:
                raw = chunk.data[start:end]
                columns.reject(index, rejection, self._blocks.original(raw))
        return columns.frame(chunk.places)

    def _row(self, text: bytes, start: int, end: int, *, is_open: bool) -> list[str | None]:
        if end - start > MAX_RECORD_BYTES:
            refuse_large(end - start, 0)
        if is_open:
            raise Rejection("truncated", {"error": "a quoted field never closes"})
        header = self._chunks.header
        record = next_record(text, start, self._chunks.delimiter, at_end=True)
        if record.error:
            raise Rejection("bad_csv", {"error": record.error, "header": len(header)})
        if len(record.fields) != len(header):
            raise Rejection("bad_csv", {"fields": len(record.fields), "header": len(header)})
        try:
            fields = [field.decode() for field in record.fields]
        except UnicodeDecodeError as error:
            raise self._blocks.not_utf8(text[start:end]) from error
        return self._values(dict(zip(header, fields, strict=True)))

    def _values(self, record: dict[str, str]) -> list[str | None]:
        row: list[str | None] = []
        row.extend(record.pop(name, None) for name in (*self._wanted.text, *self._wanted.scalar))
        for name in self._wanted.json:
            value = record.pop(name, None)
            row.append(None if value is None else orjson.dumps(value).decode())
        row.append(orjson.dumps(record).decode() if record else None)
        return row
