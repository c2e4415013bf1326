"""Packs rows into sequences of `max_tokens`, whole and side by side, first-fit decreasing.

Source: G. Dósa, "The tight bound of first fit decreasing bin-packing algorithm is FFD(I) ≤
11/9 OPT(I) + 6/9", ESCAPE 2007: so many sequences, where `OPT` is the fewest that any order needs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from cotdata.errors import StageError
from cotdata.render.columns import IGNORED

#: What `packed/` holds. `position_ids` begin at 0 with every row and `seq_lengths` says where rows
#: end, because trainers know a boundary by one or the other: TRL's collator reads `seq_lengths`
#: (`DataCollatorForLanguageModeling(padding_free=True)`, trl 1.16 `sft_trainer.py`), transformers'
#: attention reads `position_ids` in a batch of one (`_is_packed_sequence`, transformers 5.24
#: `modeling_flash_attention_utils.py`). `DataCollatorWithFlattening` takes unpacked rows: it would
#: number a packed one as a single sequence.
PACKED_SCHEMA: Final = pl.Schema(
    {
        "row_ids": pl.List(pl.String),
        "input_ids": pl.List(pl.Int32),
        "labels": pl.List(pl.Int32),
        "position_ids": pl.List(pl.Int32),
        "seq_lengths": pl.List(pl.Int32),
        "n_tokens": pl.Int32(),
    }
)
#: Tokens that are packed together: 128 MB of ids and labels. Rows of a reasoning set, most of them
#: far shorter than `max_tokens`, then take less than a thousandth more sequences than in one piece;
#: lengths drawn evenly up to 32,768, which is the worst seen, take a sixtieth more.
WINDOW_TOKENS: Final = 1 << 24

_BIN_BITS: Final = 40

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Packing:
    """Which packed sequence each row goes to."""

    max_tokens: int
    #: The sequence of each row.
    bin_of: Ints
    #: Rows by sequence, in their own order within each.
    order: Ints
    bins: int
    tokens: int

    @property
    def utilisation(self) -> float:
        """The share of the sequences' room that tokens fill; 0 where there is no sequence."""
        return self.tokens / (self.bins * self.max_tokens) if self.bins else 0.0


def pack(lengths: npt.NDArray[np.integer], max_tokens: int) -> Packing:
    """Put each row, the longest first, into the first sequence that has room for it.

    Rows of one length go in their own order, so that the result depends on the lengths alone.

    Args:
        lengths: Tokens of each row, 1 to `max_tokens`.
        max_tokens: Room of a sequence.

    Raises:
        StageError: If a length is out of these bounds.
    """
    sizes_of: Ints = lengths.astype(np.int64)
    _check(sizes_of, max_tokens)
    longest_first = np.argsort(-sizes_of, kind="stable")
    sizes, counts = np.unique(sizes_of, return_counts=True)
    bins = _Bins(max_tokens, smallest=int(sizes[0]) if sizes.size else 1)
    for size, count in zip(sizes[::-1].tolist(), counts[::-1].tolist(), strict=True):
        bins.place(size, count)
    bin_of = np.empty(sizes_of.size, dtype=np.int64)
    bin_of[longest_first] = np.repeat(
        np.array(bins.run_bins, dtype=np.int64), np.array(bins.run_rows, dtype=np.int64)
    )
    order = np.argsort(bin_of, kind="stable").astype(np.int64)
    return Packing(max_tokens, bin_of, order, len(bins.rooms), int(sizes_of.sum()))


def packed_rows(
    row_ids: pl.Series, input_ids: pl.Series, labels: pl.Series, packing: Packing
) -> pl.DataFrame:
    """Return the packed sequences, in their order, as `PACKED_SCHEMA` has them.

    The label of each row's first token is -100, whatever it was: the token before it, from which it
    would be predicted, is another row's.
    """
    ids = input_ids.gather(packing.order)
    lengths = ids.list.len().to_numpy().astype(np.int64)
    starts = _offsets(lengths)
    trained = labels.gather(packing.order).explode().to_numpy(writable=True)
    trained[starts[:-1]] = IGNORED
    positions = np.arange(starts[-1], dtype=np.int32)
    positions -= np.repeat(starts[:-1].astype(np.int32), lengths)
    rows = _offsets(np.bincount(packing.bin_of, minlength=packing.bins))
    tokens = starts[rows]
    columns = {
        "row_ids": _lists(row_ids.gather(packing.order), rows),
        "input_ids": _lists(ids.explode(), tokens),
        "labels": _lists(pl.Series(trained), tokens),
        "position_ids": _lists(pl.Series(positions), tokens),
        "seq_lengths": _lists(pl.Series(lengths), rows),
        "n_tokens": pl.Series(np.diff(tokens)),
    }
    return pl.DataFrame(
        [series.cast(PACKED_SCHEMA[name]).alias(name) for name, series in columns.items()]
    )


def pack_frames(
    frames: Iterable[pl.DataFrame], max_tokens: int, window_tokens: int = WINDOW_TOKENS
) -> Iterator[pl.DataFrame]:
    """Pack a stream of rows in bounded memory, one window of rows after the other.

    A window ends at a place that depends on the rows alone, not on how they arrive.

    Args:
        frames: With `row_id`, and `input_ids` and `labels` of List(Int32), not null.
        max_tokens: Room of a sequence; no row has more tokens.
        window_tokens: Tokens that are packed together, at least one row's.

    Yields:
        Frames of `PACKED_SCHEMA`.

    Raises:
        StageError: If a row has no token, or more than `max_tokens`.
    """
    for window in _windows(frames, window_tokens):
        ids = window["input_ids"]
        packing = pack(ids.list.len().to_numpy(), max_tokens)
        yield packed_rows(window["row_id"], ids, window["labels"], packing)


class _Bins:
    """Sequences that are being filled with rows of ever smaller size."""

    def __init__(self, max_tokens: int, smallest: int) -> None:
        self.rooms: list[int] = []
        #: Rows that went to one sequence at a time, in the order of placing.
        self.run_bins: list[int] = []
        self.run_rows: list[int] = []
        self._max_tokens, self._smallest = max_tokens, smallest
        #: Sequences with room for the present size, the first on top.
        self._open: list[int] = []
        #: The others, the roomiest on top: what it lacks of `max_tokens`, then its number.
        self._narrow: list[int] = []

    def place(self, size: int, count: int) -> None:
        """Place `count` rows of one size, which is smaller than every size before."""
        widest = (self._max_tokens - size + 1) << _BIN_BITS
        while self._narrow and self._narrow[0] < widest:
            heappush(self._open, heappop(self._narrow) & ((1 << _BIN_BITS) - 1))
        while count and self._open:
            first = self._open[0]
            # It stays the first one with room until it has none, so all of them go there at once.
            taken = min(count, self.rooms[first] // size)
            self._fill(first, size, taken)
            count -= taken
            if self.rooms[first] < size:
                self._put_away(heappop(self._open))
        while count:
            taken = min(count, self._max_tokens // size)
            self.rooms.append(self._max_tokens)
            last = len(self.rooms) - 1
            self._fill(last, size, taken)
            count -= taken
            if self.rooms[last] < size:
                self._put_away(last)
            else:
                heappush(self._open, last)

    def _fill(self, place: int, size: int, rows: int) -> None:
        self.rooms[place] -= rows * size
        self.run_bins.append(place)
        self.run_rows.append(rows)

    def _put_away(self, place: int) -> None:
        if self.rooms[place] >= self._smallest:
            lacks = self._max_tokens - self.rooms[place]
            heappush(self._narrow, lacks << _BIN_BITS | place)


def _check(lengths: Ints, max_tokens: int) -> None:
    wrong = lengths[(lengths < 1) | (lengths > max_tokens)]
    if wrong.size:
        raise StageError(
            f"a row of {int(wrong[0]):,} tokens cannot be packed into {max_tokens:,}",
            fix="pack rows of 1 to render.max_tokens tokens",
        )


def _windows(frames: Iterable[pl.DataFrame], window_tokens: int) -> Iterator[pl.DataFrame]:
    """Yield the rows in pieces of at most `window_tokens`, or of one row that has more."""
    waiting: list[pl.DataFrame] = []
    held = 0
    for frame in frames:
        columns = frame.select("row_id", "input_ids", "labels")
        sizes = columns["input_ids"].list.len().to_numpy().astype(np.int64)
        start = 0
        while start < columns.height:
            ends = np.cumsum(sizes[start:])
            fitting = int(np.searchsorted(ends, window_tokens - held, side="right"))
            if not waiting:
                fitting = max(fitting, 1)
            if fitting:
                waiting.append(columns.slice(start, fitting))
                held += int(ends[fitting - 1])
                start += fitting
            if start < columns.height:
                yield pl.concat(waiting)
                waiting, held = [], 0
    if waiting:
        yield pl.concat(waiting)


def _offsets(lengths: Ints) -> Ints:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])


def _lists(values: pl.Series, offsets: Ints) -> pl.Series:
    array = pa.LargeListArray.from_arrays(pa.array(offsets), values.to_arrow())
    return pl.Series(array)
