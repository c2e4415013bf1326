"""Which rows fit in so many tokens: exactly, and tokenizing only what their bytes leave open."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from cotdata.render.columns import CANDIDATES
from cotdata.render.tokenizer import Tokenizer

# NFC and NFD make at most three bytes of one (Unicode Standard Annex 15, "Stability of normalized
# forms", maximum expansion in UTF-8).
_MOST_LONGER: Final = 3
# Without these characters NFC lengthens no text: marks, which move and take other forms, and those
# of which NFC alone makes more bytes (`tests/render/test_lengths.py` derives them).
_LENGTHENED: Final = (
    r"[\p{M}\x{958}-\x{95F}\x{9DC}-\x{9DF}\x{A33}-\x{A36}\x{A59}-\x{A5E}\x{B5C}-\x{B5D}"
    r"\x{F43}-\x{FB9}\x{2ADC}\x{FA6C}\x{FACF}-\x{FAD7}\x{FB1D}-\x{FB4E}\x{1D15E}-\x{1D1C0}]"
)


def fits(tokenizer: Tokenizer, parts: Sequence[pl.Series], max_tokens: int) -> pl.Series:
    """Return for each row (Boolean) whether it has at most `max_tokens` tokens.

    Args:
        tokenizer: What counts.
        parts: Columns of text that are tokenized each by itself, prompt and completion. A null is
            taken for an empty text.
        max_tokens: How many tokens all parts together may have.
    """
    bound = token_bound(tokenizer, parts)
    is_open = bound > max_tokens
    fitting = ~is_open
    fitting[is_open] = _count(tokenizer, parts, is_open) <= max_tokens
    return pl.Series("fits", fitting)


def count_lengths(
    tokenizer: Tokenizer, parts: Sequence[pl.Series], candidates: Sequence[int] = CANDIDATES
) -> dict[int, int]:
    """Return for each candidate how many rows have at most so many tokens; see `fits`."""
    bound = token_bound(tokenizer, parts)
    is_open = bound > min(candidates, default=0)
    bound[is_open] = _count(tokenizer, parts, is_open)
    return {candidate: int((bound <= candidate).sum()) for candidate in candidates}


def token_bound(tokenizer: Tokenizer, parts: Sequence[pl.Series]) -> NDArray[np.int64]:
    """Return for each row how many tokens it has at most.

    With byte-level BPE every token is at least a byte of the text, once the text is normalized.
    Other tokenizers have no such bound: then it is the largest integer.
    """
    rows = len(parts[0])
    if not _is_byte_level(tokenizer):
        return np.full(rows, np.iinfo(np.int64).max)
    bound = np.zeros(rows, np.int64)
    for part in parts:
        text = part.cast(pl.String).fill_null("")
        bound += text.str.len_bytes().cast(pl.Int64).to_numpy() * _longer(
            tokenizer.normalizes, text
        )
    return bound


def _longer(form: str | None, text: pl.Series) -> NDArray[np.int64]:
    """Return how many bytes normalizing makes at most of one."""
    most = np.ones(len(text), np.int64)
    if form == "NFC":
        most[text.str.contains(_LENGTHENED).to_numpy()] = _MOST_LONGER
    elif form is not None:
        most[:] = _MOST_LONGER
    return most


def _is_byte_level(tokenizer: Tokenizer) -> bool:
    library = tokenizer.library
    if type(library.model).__name__ != "BPE" or tokenizer.prefixes:
        return False
    splits = _kinds(library.pre_tokenizer, "pretokenizers")
    return "ByteLevel" in splits and _kinds(library.normalizer, "normalizers") <= {"NFC", "NFD"}


def _kinds(part: Any, listed: str) -> set[str]:  # noqa: ANN401
    """Return the kinds of a part of a tokenizer, or of what it is made of."""
    if part is None:
        return set()
    whole = orjson.loads(part.__getstate__())
    return {str(step["type"]) for step in whole.get(listed, [whole])}


def _count(
    tokenizer: Tokenizer, parts: Sequence[pl.Series], rows: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return how many tokens the chosen rows have."""
    counts = np.zeros(int(rows.sum()), np.int64)
    chosen = pl.Series(rows)
    for number, part in enumerate(parts):
        counts += tokenizer.encode(part.filter(chosen), continues=number > 0).lengths
    return counts
