"""Arrow files that are read in place: what engines, caches and kernels exchange."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

# Polars keeps text in another form than these files: where one row in this many is asked for, it
# is cheaper to copy those out first.
_FEW: Final = 4


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


def arrow_columns(path: Path) -> list[str]:
    """Return the names of an Arrow file's columns; nothing else of it is read."""
    with pa.memory_map(os.fsencode(path), "rb") as source:
        return list(pa.ipc.open_file(source).schema.names)


def read_arrow(
    path: Path,
    columns: Sequence[str] | None = None,
    places: npt.NDArray[np.int64] | None = None,
) -> pl.DataFrame:
    """Read an Arrow file through a memory map.

    Args:
        path: The file.
        columns: The columns to read, all if left out.
        places: The rows to read, 0-based and in this order, repeats included; all if left out.
    """
    with pa.memory_map(os.fsencode(path), "rb") as source:
        table = pa.ipc.open_file(source).read_all()
    if columns is not None:
        table = table.select(columns)
    if places is not None and len(places) * _FEW < table.num_rows and (np.diff(places) > 0).all():
        # Not `take`, which joins the parts of a text column before it looks at them; and not
        # `pa.array`, which imports pandas where it is installed.
        asked = np.zeros(table.num_rows, dtype=np.bool_)
        asked[places] = True
        return _frame(table.filter(pl.Series(asked).to_arrow()))
    frame = _frame(table)
    return frame if places is None else frame[places]


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):  # what polars promises for a table
        raise TypeError(type(frame))
    return frame
