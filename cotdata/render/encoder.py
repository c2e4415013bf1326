"""Text columns to token ids: the fastest way that is exact, and the proof that it is."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cotdata.kernels.stable_hash import text_hash
from cotdata.render.encoder_gigatoken import FastLibrary, open_fast_library
from cotdata.render.token_ids import TokenIds, are_same, joined
from cotdata.render.token_probes import PROBES

if TYPE_CHECKING:
    import tokenizers

#: One text in so many, chosen by its content, is encoded twice and compared.
SAMPLE_ONE_IN: Final = 64
# Opening the fast library costs about as much as this much text costs without it.
_WORTH_IT_BYTES: Final = 1_000_000
_BATCH: Final = 64
# The fast library's Unicode is newer than that of `tokenizers` (17 and 16), which decides where
# words end: every character of an age up to 16 was compared, and gave the same ids.
_NEW_CHARACTER: Final = r"\P{Age:15.0}"


class Encoder:
    """Encodes text columns; the ids are those of a tokenizer of the package `tokenizers`.

    Where the package `gigatoken` is installed and agrees with it on the probes, it does the work
    for larger columns. In each of them a sample is encoded by both; if one id differs, `tokenizers`
    encodes all of that column. Texts with characters of the newest Unicode are left to it anyway.
    """

    def __init__(self, library: "tokenizers.Tokenizer") -> None:
        self._exact = library
        self._lock = threading.Lock()
        self._asked_bytes = 0
        self._fast: FastLibrary | None = None
        self._is_opened = False

    def encode(self, texts: pl.Series) -> TokenIds:
        """Return the ids of each text; a null is taken for an empty text."""
        rows = texts.cast(pl.String).fill_null("").alias("text")
        fast = self._fast_for(int(rows.str.len_bytes().sum()))
        if fast is None:
            return self._slowly(rows.to_list())
        is_new = rows.str.contains(_NEW_CHARACTER)
        usual = np.flatnonzero(~is_new.to_numpy())
        found = fast.encode(rows.filter(~is_new))
        sample = _sample(rows.filter(~is_new))
        slow = self._slowly(rows.gather(usual[sample]).to_list())
        if found is None or not are_same(found.take(sample), slow):
            return self._slowly(rows.to_list())._replace(fell_back=True)
        if len(usual) == len(rows):
            return found
        other = np.flatnonzero(is_new.to_numpy())
        return joined(found, usual, self._slowly(rows.gather(other).to_list()), other)

    @property
    def library(self) -> str:
        """What does the work by now: `gigatoken` or `tokenizers`."""
        return "tokenizers" if self._fast is None else "gigatoken"

    def _fast_for(self, size: int) -> FastLibrary | None:
        """Return the fast library where it pays, opened on first need and checked on probes."""
        with self._lock:
            self._asked_bytes += size
            if not self._is_opened and self._asked_bytes >= _WORTH_IT_BYTES:
                self._is_opened = True
                fast = open_fast_library(self._exact.to_str())
                if fast is not None and self._agrees(fast):
                    self._fast = fast
        return self._fast

    def _agrees(self, fast: FastLibrary) -> bool:
        added = [token.content for token in self._exact.get_added_tokens_decoder().values()]
        probes = [*PROBES, *(f"a{text}b {text} {text}\n\n{text}" for text in added), "".join(added)]
        found = fast.encode(pl.Series("text", probes))
        return found is not None and are_same(found, self._slowly(probes))

    def _slowly(self, texts: Sequence[str]) -> TokenIds:
        ids: list[NDArray[np.int32]] = [np.empty(0, np.int32)]
        for start in range(0, len(texts), _BATCH):
            batch = list(texts[start : start + _BATCH])
            for encoding in self._exact.encode_batch_fast(batch, add_special_tokens=False):
                ids.append(np.array(encoding.ids, np.int32))
        offsets = np.cumsum([len(part) for part in ids], dtype=np.int64)
        return TokenIds(np.concatenate(ids), offsets)


def _sample(rows: pl.Series) -> NDArray[np.int64]:
    """Return which rows are encoded twice: chosen by their text, not by where they stand."""
    if not len(rows):
        return np.empty(0, np.int64)
    chosen = rows.to_frame().select(text_hash(pl.col(rows.name)) % SAMPLE_ONE_IN == 0).to_series()
    return np.flatnonzero(chosen.to_numpy())
