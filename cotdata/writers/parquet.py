"""Writes rows as parquet that every reader opens, with the same bytes however the rows arrive."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from cotdata.writers.recut import recut

#: Rows of one row group, unless they hold more text than `ROW_GROUP_BYTES`.
ROW_GROUP_ROWS: Final = 16_384
ROW_GROUP_BYTES: Final = 64 << 20

_RECURRING: Final = frozenset({"source", "language", "stage", "reason"})
_COMPARED: Final = frozenset({*_RECURRING, "row_id"})


def write_parquet(frames: Iterable[pl.DataFrame], schema: pl.Schema, path: Path) -> int:
    """Write the frames' rows, in order, and return their number.

    zstd level 1: twice as fast as the default level and a sixth larger (`benchmarks/`). Text is
    written as Arrow `string`, not `large_string`, which older readers don't know.
    """
    target = _plain(schema)
    rows = 0
    # A dictionary pays where values recur; the lowest and highest of long texts are never asked
    # for, and would stand in the file's footer in full.
    recurring = [name for name in target.names if name in _RECURRING]
    compared = [name for name, dtype in schema.items() if name in _COMPARED or dtype != pl.String]
    with pq.ParquetWriter(
        path,
        target,
        compression="zstd",
        compression_level=1,
        use_dictionary=recurring,
        write_statistics=compared,
    ) as writer:
        for group in recut(frames, ROW_GROUP_ROWS, ROW_GROUP_BYTES):
            table = group.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
            writer.write_table(table.cast(target), row_group_size=group.height)
            rows += group.height
    return rows


def _plain(schema: pl.Schema) -> pa.Schema:
    arrow = schema.to_frame().to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    return pa.schema([pa.field(field.name, _plain_type(field.type)) for field in arrow])


def _plain_type(dtype: pa.DataType) -> pa.DataType:
    if pa.types.is_large_string(dtype):
        return pa.string()
    if pa.types.is_large_binary(dtype):
        return pa.binary()
    if pa.types.is_large_list(dtype):
        return pa.list_(_plain_type(dtype.value_type))
    if pa.types.is_struct(dtype):
        return pa.struct([pa.field(part.name, _plain_type(part.type)) for part in dtype.fields])
    return dtype
