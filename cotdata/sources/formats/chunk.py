"""Some whole records as bytes, and the rule by which rows outside a slice are only counted."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from cotdata.sources.records import EVIDENCE, PLACE, RAW, REASON, REST, Batch, Wanted

#: Bytes that are read and parsed at a time: large enough that the cost of a call into polars or
#: Arrow is lost in it, small enough that a few of them in flight are nothing.
CHUNK_BYTES: Final = 8 << 20
#: A record above this is rejected. The longest published reasoning traces are about 1 MB; a
#: "record" of 32 MiB is a missing line end, and would not fit a shard beside its neighbours.
MAX_RECORD_BYTES: Final = 32 << 20
#: Of a record that is too large, so many bytes are kept in memory and in `RAW`; a file of 100 GB
#: without one line end must not fill the machine.
MAX_KEPT_BYTES: Final = 256 << 20

Positions = npt.NDArray[np.int64]

_NO_REJECTION: Final = (
    pl.Series(REASON, [None], dtype=pl.String),
    pl.Series(EVIDENCE, [None], dtype=pl.String),
    pl.Series(RAW, [None], dtype=pl.Binary),
)


@dataclass(frozen=True)
class Chunk:
    """Some consecutive records of one file.

    Record i is `data[starts[i]:ends[i]]`; its place in the file is `places[i]`. `is_open` says
    that the file ends with the last record, and nothing closes it. `lost` counts the bytes of the
    first record that were beyond `MAX_KEPT_BYTES`.
    """

    data: bytes
    starts: Positions
    ends: Positions
    places: Positions
    is_open: bool = False
    lost: int = 0
    notes: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the records."""
        return len(self.starts)

    def cut(self, first: int, stop: int) -> "Chunk":
        """Return some of the records, without the notes."""
        return replace(
            self,
            starts=self.starts[first:stop],
            ends=self.ends[first:stop],
            places=self.places[first:stop],
            is_open=self.is_open and stop == len(self),
            lost=self.lost if first == 0 else 0,
            notes={},
        )


class Rejection(Exception):  # noqa: N818 (it is an outcome, not an error)
    """Why a record is not taken; never leaves the readers."""

    def __init__(self, reason: str, evidence: dict[str, object]) -> None:
        super().__init__(reason, evidence)
        self.reason, self.evidence = reason, evidence


class Columns:
    """The columns of a batch while its records are parsed one by one."""

    def __init__(self, wanted: Wanted, records: int) -> None:
        self.names = (*wanted.columns, REST)
        self.values: list[list[str | None]] = [[None] * records for _ in self.names]
        self.rejected: dict[int, tuple[Rejection, bytes]] = {}

    def put(self, index: int, row: list[str | None]) -> None:
        """Set one record's values: the wanted columns' and `REST`."""
        for column, value in zip(self.values, row, strict=True):
            column[index] = value

    def reject(self, index: int, rejection: Rejection, raw: bytes) -> None:
        """Set a record's reason, and take its values back."""
        for column in self.values:
            column[index] = None
        self.rejected[index] = (rejection, raw)

    def frame(self, places: Positions) -> pl.DataFrame:
        """Return the batch's frame, in the order of columns that all formats share."""
        given = zip(self.names, self.values, strict=True)
        columns = [pl.Series(name, values, dtype=pl.String) for name, values in given]
        return pl.DataFrame(
            [
                *columns[:-1],
                pl.Series(PLACE, places.astype(np.uint64), dtype=pl.UInt64),
                columns[-1],
                *self._rejections(len(places)),
            ]
        )

    def _rejections(self, records: int) -> list[pl.Series]:
        if not self.rejected:
            return [column.new_from_index(0, records) for column in _NO_REJECTION]
        reasons: list[str | None] = [None] * records
        evidence: list[str | None] = [None] * records
        raws: list[bytes | None] = [None] * records
        for index, (rejection, raw) in self.rejected.items():
            reasons[index] = rejection.reason
            evidence[index] = orjson.dumps(rejection.evidence).decode()
            raws[index] = raw
        return [
            pl.Series(REASON, reasons, dtype=pl.String),
            pl.Series(EVIDENCE, evidence, dtype=pl.String),
            pl.Series(RAW, raws, dtype=pl.Binary),
        ]


def batches_of(
    chunks: Iterable[Chunk],
    parse: Callable[[Chunk], pl.DataFrame],
    first: int,
    stop: int | None,
) -> Iterator[Batch]:
    """Parse the records from `first` up to `stop`; count the others."""
    seen = 0
    for chunk in chunks:
        records = len(chunk)
        begin = min(max(first - seen, 0), records)
        end = records if stop is None else min(max(stop - seen, begin), records)
        if begin:
            yield Batch(begin, None)
        if end > begin:
            yield Batch(end - begin, parse(chunk.cut(begin, end)))
        if records > end:
            yield Batch(records - end, None)
        if chunk.notes:
            yield Batch(0, None, chunk.notes)
        seen += records


def trimmed(data: bytes, starts: Positions, ends: Positions) -> tuple[Positions, Positions]:
    """Return the spans without JSON's white space at their ends."""
    letters = np.frombuffer(data, np.uint8)
    starts, ends = starts.copy(), ends.copy()
    left = np.flatnonzero(starts < ends)
    for _ in range(_TRIM_STEPS):
        left = left[IS_SPACE[letters[starts[left]]]]
        starts[left] += 1
        left = left[starts[left] < ends[left]]
    for index in left.tolist():
        span = data[starts[index] : ends[index]]
        starts[index] += len(span) - len(span.lstrip(_SPACE))
    right = np.flatnonzero(starts < ends)
    for _ in range(_TRIM_STEPS):
        right = right[IS_SPACE[letters[ends[right] - 1]]]
        ends[right] -= 1
        right = right[starts[right] < ends[right]]
    for index in right.tolist():
        ends[index] = starts[index] + len(data[starts[index] : ends[index]].rstrip(_SPACE))
    return starts, ends


_SPACE: Final = b" \t\n\r"
#: Which bytes are white space in JSON.
IS_SPACE: Final = np.isin(np.arange(256), list(_SPACE))
# A line end and an indent; longer runs of white space are rare, and are stripped span by span.
_TRIM_STEPS: Final = 8
