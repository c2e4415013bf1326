"""Counts the rows whose tokens would be others if prompt and completion were encoded as one.

A server encodes the prompt and generates the rest, so the ids of the two stand side by side; a
trainer that encodes the whole may get a token across the boundary. Only text near the boundary can
decide that, for tokens do not reach farther; `WINDOW` is far more than any word.
"""

from typing import Final

import numpy as np
import polars as pl

from cotdata.render.proof import Ids
from cotdata.render.prover import Prover

#: Characters on each side of the boundary that are looked at.
WINDOW: Final = 24


def merges(prover: Prover, texts: pl.DataFrame) -> int:
    """Return how many of the rows (prompt and completion, String) have such a token."""
    windows = texts.select(
        prompt=pl.col("prompt").str.tail(WINDOW), completion=pl.col("completion").str.head(WINDOW)
    )
    counted = windows.group_by("prompt", "completion", maintain_order=True).len()
    if prover.tokenizer is None or not counted.height:
        return 0
    apart = prover.encode(counted)
    joined = counted.select(pl.col("prompt") + pl.col("completion")).to_series()
    found = prover.tokenizer.encode(joined)
    # Where the boundary would lie if nothing merged: rows of another length differ anyway.
    boundaries = found.offsets[:-1] + (apart.completions - apart.starts[:-1])
    whole = Ids(found.ids, found.offsets, np.minimum(boundaries, found.offsets[1:]))
    return int(counted["len"].to_numpy()[~apart.equal(whole)].sum())
