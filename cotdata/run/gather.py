"""Reads a source's inputs one after the other, and puts what many small ones give together."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from cotdata.errors import Location
from cotdata.manifest import InputFile
from cotdata.sources.adapters import check_fit, fits_plainly, wanted
from cotdata.sources.opened import Input, OpenedSource
from cotdata.sources.records import PLACE, Batch
from cotdata.sources.source import RowRange, Source

# A call into polars costs as much as some hundred rows: below this, records wait for those of the
# next file. Above it, a batch goes on as its reader gave it.
GATHERED_ROWS: Final = 4_096
GATHERED_BYTES: Final = 4 << 20


@dataclass
class Gathered:
    """Consecutive records of a source, and what was found out on the way to them."""

    frames: list[pl.DataFrame] = field(default_factory=list)
    #: Of each frame: its input's label, and the 0-based number of its first record in the source.
    labels: list[str] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    #: Records that were seen, those outside the rows asked for included.
    available: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    #: Inputs that were read to their end.
    files: list[InputFile] = field(default_factory=list)
    _rows: int = 0
    _bytes: int = 0

    def add(self, batch: Batch, label: str, first: int) -> None:
        """Append a batch whose first record is the source's record `first`."""
        self.available += batch.records
        self.notes.update(batch.notes)
        if batch.frame is not None:
            self.frames.append(batch.frame)
            self.labels.append(label)
            self.firsts.append(first)
            self._rows += batch.frame.height
            self._bytes += int(batch.frame.estimated_size())

    @property
    def is_enough(self) -> bool:
        """True where more records would no longer make the rest of the way cheaper."""
        return self._rows >= GATHERED_ROWS or self._bytes >= GATHERED_BYTES

    def records(self) -> pl.DataFrame | None:
        """Return the records as one frame, None where there are none."""
        if not self.frames:
            return None
        return self.frames[0] if len(self.frames) == 1 else pl.concat(self.frames, rechunk=True)

    def names(self, source: str) -> tuple[pl.Expr, pl.Expr]:
        """Return the expressions for `row_id` and `origin` of the rows made of `records()`."""
        heights = [frame.height for frame in self.frames]
        if len(heights) == 1:
            label = pl.lit(self.labels[0])
        else:
            owner = np.repeat(np.arange(len(heights)), heights)
            label = pl.lit(pl.Series(self.labels, dtype=pl.String).gather(owner))
        number = pl.lit(_numbers(self.firsts, heights)).cast(pl.String)
        return pl.lit(f"{source}:") + number, label + pl.lit(":") + pl.col(PLACE).cast(pl.String)


def _numbers(firsts: Sequence[int], heights: Sequence[int]) -> pl.Series:
    pairs = zip(firsts, heights, strict=True)
    return pl.Series(
        np.concatenate([np.arange(first, first + height) for first, height in pairs]),
        dtype=pl.UInt64,
    )


def gather(opened: OpenedSource) -> Iterator[Gathered]:
    """Yield a source's records, in their order, those of small files together.

    Raises:
        SourceError: If an input does not fit the adapter, cannot be read to its end, or changes
            while it is read.
    """
    gathered = Gathered()
    available = 0
    for item in opened.inputs:
        before = available
        for batch in _batches(opened.source, item, available):
            gathered.add(batch, item.label, available)
            available += batch.records
            if gathered.is_enough:
                yield gathered
                gathered = Gathered()
        # The key holds the bytes that were hashed: other rows must not be kept under it.
        item.check_unchanged()
        gathered.files.append(item.record(available - before))
    yield gathered


def _batches(source: Source, item: Input, available: int) -> Iterator[Batch]:
    """Yield an input's batches; `available` records of the source lie before it."""
    chosen = source.rows or RowRange()
    first = max(0, chosen.first - available)
    stop = None if chosen.stop is None else max(0, chosen.stop - available)
    if source.is_hub:
        check_fit(source.adapter, item.reader.peek(), Location(item.label))
    batches = item.reader.batches(wanted(source.adapter), first, stop)
    start = next(batches, None)
    # To look at a file before it is read would cost a small one as much as reading it.
    beginning = start.frame if start is not None and first == 0 else None
    is_plain = beginning is not None and fits_plainly(source.adapter, beginning)
    if not source.is_hub and not is_plain:
        check_fit(source.adapter, item.reader.peek(), Location(item.label))
    if start is not None:
        yield start
        yield from batches
