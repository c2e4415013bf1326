"""Cuts a stream of frames at places that depend on the rows alone, not on how they arrived."""

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl


def recut(frames: Iterable[pl.DataFrame], max_rows: int, max_bytes: int) -> Iterator[pl.DataFrame]:
    """Yield the same rows in pieces of at most `max_rows` rows and about `max_bytes` of text.

    A piece ends at its `max_rows`-th row, or before the row that would take it past `max_bytes`;
    a row larger than `max_bytes` is a piece of its own.
    """
    waiting: list[pl.DataFrame] = []
    rows = size = 0
    for frame in frames:
        sizes = text_bytes(frame)
        start = 0
        while start < frame.height:
            fitting = _fitting(sizes[start:], max_rows - rows, max_bytes - size, is_first=rows == 0)
            if fitting:
                waiting.append(frame.slice(start, fitting))
                rows += fitting
                size += int(sizes[start : start + fitting].sum())
                start += fitting
            if start < frame.height or rows >= max_rows:
                yield pl.concat(waiting)
                waiting, rows, size = [], 0, 0
    if waiting:
        yield pl.concat(waiting)


def text_bytes(frame: pl.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return the bytes that each row holds in its String and Binary columns and lists of ids."""
    total = np.zeros(frame.height, dtype=np.int64)
    for column in frame:
        # Columns without any value are common, and cost nothing.
        if column.null_count() == len(column):
            continue
        if column.dtype == pl.String:
            sizes = column.str.len_bytes()
        elif column.dtype == pl.Binary:
            sizes = column.bin.size()
        elif column.dtype == pl.List(pl.Int32):
            sizes = 4 * column.list.len().cast(pl.Int64)
        else:
            continue
        total += sizes.fill_null(0).to_numpy().astype(np.int64)
    return total


def _fitting(
    sizes: "np.ndarray[tuple[int], np.dtype[np.int64]]", rows: int, room: int, *, is_first: bool
) -> int:
    """Return how many of the next rows go into the piece; a piece holds at least one."""
    within = int(np.searchsorted(np.cumsum(sizes[:rows]), room, side="right"))
    return max(within, 1) if is_first else within
