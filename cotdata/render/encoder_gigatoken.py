"""The package `gigatoken`, with its memory bounded: ten to eighty times cheaper than `tokenizers`.

Chosen by measurement (`python -m benchmarks.tokens`), as the cheapest that gave the same ids for
every real row. It is optional: without it `tokenizers` gives the same ids.
"""

import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np
import polars as pl

from cotdata.render.token_ids import TokenIds

T = TypeVar("T")

# gigatoken 0.10 keeps the ids of every word that it has seen: 2 MB for a MB of prose, up to 10 MB
# for a MB of random letters. So it is opened anew after so much text.
_REOPEN_AFTER_BYTES: Final = 256_000_000
# Batches let other threads run meanwhile, and cost a second before the first: `awkward` is
# imported, and they remember words in another place.
_BATCHES_AFTER_BYTES: Final = 64_000_000


class FastLibrary:
    """A tokenizer of `gigatoken`. It can be used by several threads."""

    def __init__(self, tokenizer_json: str) -> None:
        """Open it.

        Raises:
            Exception: Of any kind, where `gigatoken` does not know such a tokenizer.
        """
        self._tokenizer_json = tokenizer_json
        self._lock = threading.Lock()
        self._seen_bytes = self._since_opened_bytes = 0
        self._backend = self._opened()

    def encode(self, texts: pl.Series) -> TokenIds | None:
        """Return the ids of each text, none of which is null; None where it cannot do it."""
        if not len(texts):
            return TokenIds(np.empty(0, np.int32), np.zeros(1, np.int64))
        return _attempt(lambda: self._encoded(texts))

    def _encoded(self, texts: pl.Series) -> TokenIds:
        backend, is_short = self._backend_for(int(texts.str.len_bytes().sum()))
        # As bytes: text would get a second copy of itself, inside Python's own objects.
        given = texts.cast(pl.Binary).to_list()
        if is_short:
            parts = [backend.encode(text) for text in given]
            offsets = np.cumsum([0, *map(len, parts)], dtype=np.int64)
            return TokenIds(np.concatenate(parts).astype(np.int32), offsets)
        layout = backend.encode_batch(given, parallel=False).layout
        ids = np.asarray(layout.content.data).astype(np.int32)
        return TokenIds(ids, np.asarray(layout.offsets.data).astype(np.int64))

    def _backend_for(self, size: int) -> tuple[Any, bool]:
        """Return what encodes so many bytes, and whether texts are better given one by one."""
        with self._lock:
            if self._since_opened_bytes > _REOPEN_AFTER_BYTES:
                self._backend, self._since_opened_bytes = self._opened(), 0
            self._since_opened_bytes += size
            self._seen_bytes += size
            return self._backend, self._seen_bytes < _BATCHES_AFTER_BYTES

    def _opened(self) -> Any:  # noqa: ANN401
        from gigatoken import Tokenizer

        return Tokenizer.from_json(self._tokenizer_json)


def open_fast_library(tokenizer_json: str) -> FastLibrary | None:
    """Return the library for a tokenizer, or None where it is not installed or cannot do it."""
    return _attempt(lambda: FastLibrary(tokenizer_json))


def _attempt(act: Callable[[], T]) -> T | None:
    """Return what the package gives, or None if it raises: then `tokenizers` does the work."""
    try:
        return act()
    except Exception:
        return None
    except BaseException as error:
        # A panic of code in Rust is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        return None
