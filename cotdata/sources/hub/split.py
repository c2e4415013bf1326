"""Reads one split of a data set through `datasets`, from the disk or as a stream."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from cotdata.sources.records import Batch, Peek, Wanted

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_SPLIT: Final = "train"
#: With `streaming` left out, a config whose files are larger than this together is streamed. Up
#: to here the two copies that `datasets` keeps on the disk (the files and their Arrow form) are a
#: good price for a second build that needs no download; beyond, they may fill it.
STREAM_ABOVE_BYTES: Final = 2 << 30
# Rows that `datasets` is asked for at a time; what is too large is cut further by its bytes.
_ITER_ROWS: Final = 4096


@dataclass(frozen=True)
class HubSplit:
    """The records of one split; the same ones whether streamed or not.

    `builder` is a `datasets.DatasetBuilder`. `edge` stands around every call into `datasets`, and
    turns what comes out of it into errors of ours.
    """

    builder: Any
    split: str
    is_streamed: bool
    edge: Callable[[], AbstractContextManager[None]]

    def peek(self, name: str) -> Peek:
        """Look at the first 200 records; `name` is what the format is called."""
        from cotdata.sources.hub.tables import PEEKED_RECORDS, peek_tables

        return peek_tables(self._tables(PEEKED_RECORDS), name)

    def batches(self, wanted: Wanted, first: int, stop: int | None) -> Iterator[Batch]:
        """Read the records `first` (0-based) up to `stop` (exclusive; None: all).

        Records behind `stop` are counted without reading them where their number is known: from
        the copy on the disk, or, in a stream, from the data set's card.
        """
        from cotdata.sources.hub.tables import read_tables

        # No more at a time than is asked for, so that a short slice does not open the next file.
        rows = _ITER_ROWS if stop is None else max(min(_ITER_ROWS, stop), 1)
        yield from read_tables(self._tables(rows), wanted, first, stop, self._known_rows())

    @cached_property
    def _dataset(self) -> Any:  # noqa: ANN401
        with self.edge():
            if self.is_streamed:
                stream = self.builder.as_streaming_dataset(self.split)
                return _with_types(stream).with_format("arrow")
            # The counts on a card may be out of date; those of the files are what counts.
            self.builder.download_and_prepare(verification_mode="no_checks")
            return self.builder.as_dataset(self.split).with_format("arrow")

    def _known_rows(self) -> int | None:
        if not self.is_streamed:
            return len(self._dataset)
        splits = self.builder.info.splits or {}
        return splits[self.split].num_examples or None if self.split in splits else None

    def _tables(self, rows: int) -> Iterator["pa.Table"]:
        tables = self._dataset.iter(batch_size=rows)
        for _ in count():
            with self.edge():
                table = next(tables, None)
            if table is None:
                return
            yield table


def splits_of(builder: Any) -> list[str]:  # noqa: ANN401
    """Return the names of all splits that a builder knows."""
    return [str(name) for name in builder.config.data_files or builder.info.splits or ()]


def _with_types(dataset: Any) -> Any:  # noqa: ANN401
    """Give a streamed data set the types of its first record, as the copy on the disk has them."""
    if dataset.features is not None:
        return dataset
    from datasets import Features

    first = next(dataset.with_format("arrow").iter(batch_size=1), None)
    return dataset if first is None else dataset.cast(Features.from_arrow_schema(first.schema))
