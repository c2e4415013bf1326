"""Reads Arrow IPC, both its file and its stream format, as `datasets` writes its caches."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
from pyarrow import ipc

from cotdata.sources.formats.typed_files import Progress, check_names, opened
from cotdata.sources.records import Batch, Wanted
from cotdata.sources.source_file import SourceFile

_FILE_MAGIC: Final = b"ARROW1"
_END_OF_STREAM: Final = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def read_arrow(
    file: SourceFile, wanted: Wanted, first: int, stop: int | None, chunk_bytes: int
) -> Iterator[Batch]:
    """Read the records of an Arrow IPC file; `PLACE` is the 1-based number of the record.

    A stream that ends without its end mark may have been cut between two batches: noted as
    `no_end_mark`.

    Raises:
        SourceError: The file is empty or broken, or names a column twice.
    """
    progress = Progress(first, stop)
    with opened(file, progress, "Arrow") as source:
        for table in _tables(file, source):
            # Not `nbytes`, which trusts the offsets of a batch that may be corrupt.
            rows = max(chunk_bytes * len(table) // max(table.get_total_buffer_size(), 1), 1)
            for start in range(0, len(table), rows):
                yield from progress.read(table.slice(start, rows), wanted)
        source.seek(0)
        if source.read(len(_FILE_MAGIC)) != _FILE_MAGIC:
            source.seek(max(source.size() - len(_END_OF_STREAM), 0))
            if source.read() != _END_OF_STREAM:
                yield Batch(0, None, {"no_end_mark": 1})


def _tables(file: SourceFile, source: pa.NativeFile) -> Iterator[pa.RecordBatch]:
    is_file = source.read(len(_FILE_MAGIC)) == _FILE_MAGIC
    source.seek(0)
    if is_file:
        reader = ipc.open_file(source)
        check_names(file, reader.schema)
        yield from (reader.get_batch(index) for index in range(reader.num_record_batches))
    else:
        stream = ipc.open_stream(source)
        check_names(file, stream.schema)
        yield from stream
