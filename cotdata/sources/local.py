"""Reads the records of one file, in whatever format it is."""

import hashlib
from collections.abc import Iterator
from typing import Any, Final, assert_never, cast

import orjson

from cotdata.errors import Location, SourceError
from cotdata.sources.formats.arrow_file import read_arrow
from cotdata.sources.formats.chunk import CHUNK_BYTES
from cotdata.sources.formats.csv_file import read_csv
from cotdata.sources.formats.json_document import read_json_document
from cotdata.sources.formats.json_lines import read_json_lines
from cotdata.sources.formats.json_values import kind_of
from cotdata.sources.formats.parquet_file import read_parquet
from cotdata.sources.formats.text_blocks import TextBlocks
from cotdata.sources.records import PEEKED_RECORDS, REST, Batch, Peek, Wanted
from cotdata.sources.source_file import (
    COMPRESSED_EXTENSIONS,
    EXTENSIONS,
    FORMATS,
    Format,
    SourceFile,
    format_of,
    readable,
    reason_of,
)

_PEEK_BYTES: Final = 1 << 20


class LocalReader:
    """The records of one file.

    Args:
        file: Which one.
        format: The recipe's `format:` setting; by the file's extension if None.
        encoding: The recipe's `encoding:` setting for text formats; UTF-8 if None, or what a byte
            order mark says.
        chunk_bytes: How much is read and parsed at a time; changes no record.

    Raises:
        SourceError: The format is not known.
    """

    def __init__(
        self,
        file: SourceFile,
        format: str | None,  # noqa: A002
        encoding: str | None,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        self.file = file
        self.format = _known(format, file) if format else _format_by_name(file)
        self._encoding = encoding
        self._chunk_bytes = chunk_bytes

    def peek(self) -> Peek:
        """Look at the first 200 records; those that cannot be parsed are left out.

        Raises:
            SourceError: The file cannot be read.
        """
        columns: dict[str, set[str]] = {}
        examples: list[dict[str, object]] = []
        for record in self._first_records(PEEKED_RECORDS):
            examples.append(record)
            for name, value in record.items():
                columns.setdefault(name, set()).add(kind_of(value))
        kinds = {name: frozenset(found) for name, found in columns.items()}
        return Peek(self.format, kinds, examples)

    def batches(self, wanted: Wanted, first: int, stop: int | None) -> Iterator[Batch]:
        """Read the records `first` (0-based) up to `stop` (exclusive; None: all).

        Raises:
            SourceError: The file cannot be read, from here or from some record on.
        """
        return self._batches(wanted, first, stop, self._chunk_bytes)

    def sha256(self) -> str:
        """Return the SHA-256 of the file's bytes as they are stored.

        Raises:
            SourceError: The file cannot be read.
        """
        with self.file.open() as stored:
            try:
                return hashlib.file_digest(cast("Any", stored), "sha256").hexdigest()
            except OSError as error:
                what = f"cannot be read: {reason_of(error)}"
                raise SourceError(what, Location(self.file.label)) from error

    def _batches(
        self, wanted: Wanted, first: int, stop: int | None, chunk_bytes: int
    ) -> Iterator[Batch]:
        match self.format:
            case "parquet":
                return read_parquet(self.file, wanted, first, stop, chunk_bytes)
            case "arrow":
                return read_arrow(self.file, wanted, first, stop, chunk_bytes)
            case "jsonl":
                return read_json_lines(self._blocks(chunk_bytes), wanted, first, stop)
            case "json":
                return read_json_document(self._blocks(chunk_bytes), wanted, first, stop)
            case "csv":
                return read_csv(self._blocks(chunk_bytes), wanted, first, stop, b",")
            case "tsv":
                return read_csv(self._blocks(chunk_bytes), wanted, first, stop, b"\t")
            case _:
                assert_never(self.format)

    def _blocks(self, chunk_bytes: int) -> TextBlocks:
        return TextBlocks(self.file, self._encoding, chunk_bytes)

    def _first_records(self, limit: int) -> Iterator[dict[str, object]]:
        seen = 0
        for batch in self._batches(Wanted(), 0, limit, min(self._chunk_bytes, _PEEK_BYTES)):
            if batch.frame is not None:
                for text in batch.frame[REST].drop_nulls():
                    yield from _parsed(text)
            seen += batch.records
            if seen >= limit:
                return


def _parsed(text: str) -> Iterator[dict[str, object]]:
    try:
        yield orjson.loads(text)
    except orjson.JSONDecodeError:  # it has a number beyond a double
        return


def _known(name: str, file: SourceFile) -> Format:
    for known in FORMATS:
        if name == known:
            return known
    what = f"`{readable(name)}` is no known format"
    raise SourceError(what, Location(file.label), f"formats are {', '.join(FORMATS)}")


def _format_by_name(file: SourceFile) -> Format:
    found = format_of(file.name)
    if found is None:
        known = ", ".join(EXTENSIONS)
        packed = " or ".join(COMPRESSED_EXTENSIONS)
        raise SourceError(
            "the file's name does not say its format",
            Location(file.label),
            f"known extensions are {known}, alone or before {packed}; for another name, set the "
            f"source's `format:` to one of {', '.join(FORMATS)}",
        )
    return found
