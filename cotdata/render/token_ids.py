"""The ids of many texts, side by side."""

from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray


class TokenIds(NamedTuple):
    """The ids of several texts: those of text i are `ids[offsets[i]:offsets[i + 1]]`.

    `fell_back` says that the fast library had other ids for a text of the sample, so that all of
    them are those of `tokenizers`; a render notes it.
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    fell_back: bool = False

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many tokens each text has."""
        return np.diff(self.offsets)

    def lists(self, name: str = "input_ids") -> pl.Series:
        """Return a column of lists (List(Int32)) without copying the ids."""
        lists = pa.LargeListArray.from_arrays(pa.array(self.offsets), pa.array(self.ids))
        return pl.Series(name, pl.from_arrow(lists))

    def take(self, rows: NDArray[np.int64]) -> "TokenIds":
        """Return the ids of some of the texts, in the order that is given."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths)
        return TokenIds(self.ids[places + np.arange(offsets[-1])], offsets, self.fell_back)


def joined(
    one: TokenIds, rows_of_one: NDArray[np.int64], other: TokenIds, rows_of_other: NDArray[np.int64]
) -> TokenIds:
    """Return two sets of texts as one, each text at the row that is given for it."""
    both = TokenIds(
        np.concatenate([one.ids, other.ids]),
        np.concatenate([one.offsets, one.offsets[-1] + other.offsets[1:]]),
    )
    return both.take(np.argsort(np.concatenate([rows_of_one, rows_of_other])))


def are_same(one: TokenIds, other: TokenIds) -> bool:
    """Say whether all texts have the same ids."""
    return np.array_equal(one.offsets, other.offsets) and np.array_equal(one.ids, other.ids)
