"""Hashes of text that are the same in every process, on every machine and in every version.

XXH3 (https://github.com/Cyan4973/xxHash, specification of XXH3_64bits with a seed), as computed by
the `polars-hash` package; `tests/kernels` compares it with the reference implementation. It is
fast and well spread, not cryptographic: whoever decides by it confirms on the text.
"""

import polars as pl
import polars_hash as plh

#: Stands for null, so that null and the empty text differ.
_NULL = 0x9E37_79B9_7F4A_7C15


def text_hash(text: pl.Expr, seed: int = 0) -> pl.Expr:
    """Return the 64-bit hash (UInt64, never null) of a String expression."""
    hashed = plh.NonCryptographicHashingNameSpace(text).xxh3_64(seed=seed % 2**64)
    return hashed.fill_null(pl.lit(_NULL, pl.UInt64))


def columns_hash(columns: list[pl.Expr]) -> pl.Expr:
    """Return one 64-bit hash (UInt64) over several String expressions, in their order."""
    combined = text_hash(columns[0])
    for seed, column in enumerate(columns[1:], start=1):
        combined = combined ^ text_hash(column, seed)
    return combined
