"""What Parquet and Arrow files share: opening, checking, slicing into batches."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pyarrow as pa

from cotdata.errors import Location, SourceError
from cotdata.sources.formats.typed_records import typed_batch
from cotdata.sources.records import Batch, Wanted
from cotdata.sources.source_file import (
    COMPRESSED_EXTENSIONS,
    SourceFile,
    is_url,
    readable,
    reason_of,
)

_PACKED: Final = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


class Progress:
    """How many records of a file have been passed, for errors and for places."""

    def __init__(self, first: int, stop: int | None) -> None:
        self.records = 0
        self._first = first
        self._stop = stop

    def overlap(self, records: int) -> tuple[int, int]:
        """Return which of the next records lie in the slice, from and up to."""
        begin = min(max(self._first - self.records, 0), records)
        end = records if self._stop is None else self._stop - self.records
        return begin, min(max(end, begin), records)

    def skip(self, records: int) -> Iterator[Batch]:
        """Count records without reading them."""
        self.records += records
        if records:
            yield Batch(records, None)

    def read(self, table: pa.RecordBatch, wanted: Wanted) -> Iterator[Batch]:
        """Read those of the next records that lie in the slice, count the others."""
        begin, end = self.overlap(len(table))
        yield from self.skip(begin)
        if end > begin:
            batch = typed_batch(table.slice(begin, end - begin), wanted, self.records + 1)
            self.records += end - begin
            yield batch
        yield from self.skip(len(table) - end)


@contextmanager
def opened(file: SourceFile, progress: Progress, kind: str) -> Iterator[pa.NativeFile]:
    """Open a typed file; turn what its library raises into a SourceError that says how far."""
    with file.open() as stored:
        magic = stored.read(4)
        if not magic:
            fix = "remove it from the source, or write it again"
            raise SourceError("the file is empty (0 bytes)", Location(file.label), fix)
        if magic.startswith(_PACKED):
            names = " or ".join(COMPRESSED_EXTENSIONS.values())
            what = f"a {kind} file cannot be read inside {names}"
            raise SourceError(what, Location(file.label), "unpack it: the format packs by itself")
        stored.seek(0)
        is_remote = is_url(file.path)
        # As bytes: a local file's name need not be UTF-8.
        source = pa.PythonFile(stored, "r") if is_remote else pa.memory_map(os.fsencode(file.path))
        try:
            yield source
        # UnicodeDecodeError: a name or a text deep inside that is not UTF-8.
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            what = f"the {kind} file is broken: {reason_of(error)}"
            far = f"{progress.records} records could be read; fetch or write the file again"
            raise SourceError(what, Location(file.label), far) from error


def check_names(file: SourceFile, schema: pa.Schema) -> None:
    """Check the columns' names.

    Raises:
        SourceError: A name stands twice.
        UnicodeDecodeError: A name, at any depth, is not UTF-8.
    """
    for kind in schema.types:
        _read_names(kind)
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        what = "columns have the same name: " + ", ".join(f"`{readable(name)}`" for name in twice)
        raise SourceError(what, Location(file.label), "rename them, so that each has its own")


def _read_names(kind: pa.DataType) -> None:
    """Read all names inside of a type, as Arrow decodes and so checks them only then."""
    for index in range(kind.num_fields):
        field = kind.field(index)
        field.name.encode()
        _read_names(field.type)
