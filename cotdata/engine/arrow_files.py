"""Arrow files that are read in place: what engines, caches and kernels exchange."""

import os
from pathlib import Path
from typing import Literal

import polars as pl
import pyarrow as pa


def write_arrow(
    frame: pl.DataFrame, path: Path, compression: Literal["lz4", "zstd"] | None = None
) -> None:
    """Write a frame as an Arrow file; uncompressed, so that reading it costs no copy."""
    # As bytes: the name of a folder above need not be UTF-8.
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with (
        pa.OSFile(os.fsencode(path), "wb") as sink,
        pa.ipc.new_file(sink, table.schema, options=options) as writer,
    ):
        writer.write_table(table)


def read_arrow(path: Path) -> pl.DataFrame:
    """Read an Arrow file through a memory map."""
    with pa.memory_map(os.fsencode(path), "rb") as source:
        table = pa.ipc.open_file(source).read_all()
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):  # what polars promises for a table
        raise TypeError(type(frame))
    return frame
