"""Reads Parquet, a row group's pages at a time."""

from collections.abc import Iterator

import pyarrow.parquet as pq

from cotdata.sources.formats.typed_files import Progress, check_names, opened
from cotdata.sources.records import Batch, Wanted
from cotdata.sources.source_file import SourceFile

# Enough for a page; without it a row group's whole column chunks are read at once.
_BUFFER_BYTES = 1 << 20
_MAX_ROWS = 1 << 16


def read_parquet(
    file: SourceFile, wanted: Wanted, first: int, stop: int | None, chunk_bytes: int
) -> Iterator[Batch]:
    """Read the records of a Parquet file; `PLACE` is the 1-based number of the record.

    Row groups outside of the slice are not opened.

    Raises:
        SourceError: The file is empty or broken, or names a column twice.
    """
    progress = Progress(first, stop)
    with opened(file, progress, "Parquet") as source:
        parquet = pq.ParquetFile(source, buffer_size=_BUFFER_BYTES)
        check_names(file, parquet.schema_arrow)
        for index in range(parquet.num_row_groups):
            group = parquet.metadata.row_group(index)
            begin, end = progress.overlap(group.num_rows)
            if begin == end:
                yield from progress.skip(group.num_rows)
                continue
            row_bytes = max(group.total_byte_size // group.num_rows, 1)
            rows = min(max(chunk_bytes // row_bytes, 1), _MAX_ROWS)
            for table in parquet.iter_batches(rows, row_groups=[index], use_threads=False):
                yield from progress.read(table, wanted)
