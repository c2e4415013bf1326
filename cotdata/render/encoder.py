"""Text columns to token ids, with the package `tokenizers`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tokenizers

_BATCH: Final = 256


class TokenIds(NamedTuple):
    """The ids of several texts: those of text i are `ids[offsets[i]:offsets[i + 1]]`."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many tokens each text has."""
        return np.diff(self.offsets)

    def lists(self, name: str = "input_ids") -> pl.Series:
        """Return a column of lists (List(Int32)) without copying the ids."""
        lists = pa.LargeListArray.from_arrays(pa.array(self.offsets), pa.array(self.ids))
        column = pl.from_arrow(lists)
        return pl.Series(name, column)


class Encoder:
    """Encodes text columns with a tokenizer of the package `tokenizers`."""

    def __init__(self, library: "tokenizers.Tokenizer") -> None:
        self._library = library

    def encode(self, texts: pl.Series) -> TokenIds:
        """Return the ids of each text; a null is taken for an empty text."""
        rows = texts.cast(pl.String).fill_null("").to_list()
        found = list(self._encoded(rows))
        offsets = np.zeros(len(found) + 1, np.int64)
        np.cumsum([len(ids) for ids in found], out=offsets[1:])
        ids = np.concatenate(found) if found else np.empty(0, np.int32)
        return TokenIds(ids, offsets)

    def _encoded(self, rows: list[str]) -> Iterator[NDArray[np.int32]]:
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            for encoding in self._library.encode_batch_fast(batch, add_special_tokens=False):
                yield np.array(encoding.ids, np.int32)
