"""Keeps a random part of the rows, the same part on every machine."""

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import ClassVar, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from cotdata.kernels.stable_hash import text_hash
from cotdata.stages.base import NUMBER, Round, Rounds, Scope, StageConfig


class Sample(StageConfig):
    """Keeps `rows` rows, or a `share` of them: those with the smallest hash of their row_id."""

    scope: ClassVar[Scope] = "dataset"
    version: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {
        "not_sampled": "Not among the rows drawn. Evidence: `rank` (1-based, by hash), `drawn`.",
    }

    kind: Literal["sample"] = "sample"
    rows: int | None = Field(default=None, ge=0, description="How many rows to keep.")
    share: float | None = Field(
        default=None, ge=0, le=1, description="Which share to keep, rounded up to a whole row."
    )
    seed: int | None = Field(default=None, description="The recipe's seed if left out.")

    @model_validator(mode="after")
    def _has_one_size(self) -> Self:
        if (self.rows is None) == (self.share is None):
            message = "needs either `rows` or `share`"
            raise ValueError(message)
        return self


def sample_rounds(config: Sample) -> Rounds:
    """Return the one round: hashes of all rows, ranked together."""
    keys = partial(_hashes, seed=config.seed or 0)
    return (Round(keys, by=None, decide=partial(_not_drawn, config=config)),)


def share_of(rows: int, share: float) -> int:
    """Return a share of some rows, rounded up to a whole row.

    The share is taken as it was written: 0.07 of 100 rows are 7, though its nearest binary number
    is a little more.
    """
    return math.ceil(rows * Fraction(repr(float(share))))


def _hashes(rows: pl.DataFrame, _: pl.DataFrame | None, seed: int) -> pl.DataFrame:
    return rows.select(NUMBER, text_hash(pl.col("row_id"), seed).alias("hash"))


def _not_drawn(keys: pl.DataFrame, config: Sample) -> pl.DataFrame:
    drawn = config.rows if config.rows is not None else share_of(keys.height, config.share or 0)
    ranked = keys.sort("hash", NUMBER).with_row_index("rank", offset=1)
    return ranked.filter(pl.col("rank") > drawn).select(
        NUMBER,
        reason=pl.lit("not_sampled"),
        evidence=pl.struct("rank", drawn=pl.lit(drawn, pl.UInt64)).struct.json_encode(),
    )
