"""Mixes the sources of the train split: shares, caps and repeats, after the split.

Not a stage that a recipe lists: it follows from `weight`, `max_rows` and `repeat` of the sources.
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from cotdata.kernels.stable_hash import text_hash
from cotdata.stages.base import NUMBER, Round, Rounds, Scope, StageConfig
from cotdata.stages.sample import share_of

#: How often a row stands in the result; absent where no source is repeated.
COPIES = "copies"


class Portion(BaseModel):
    """How much of one source's train rows is used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    weight: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_rows: Annotated[int, Field(ge=0)] | None = None
    repeat: Annotated[int, Field(ge=1)] = 1


class Mix(StageConfig):
    """Draws a share or a number of each source's train rows by hash of their row_id; repeats them.

    `weight` is applied before `max_rows`, `repeat` last. A repeat is a made row: `row_id#1`, …
    """

    scope: ClassVar[Scope] = "dataset"
    version: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {
        "not_drawn": "Left out by the source's weight or cap. Evidence: `source`, `rank` (1-based, "
        "by hash), `drawn`.",
    }
    adds: ClassVar[Mapping[str, pl.DataType]] = {COPIES: pl.UInt32()}

    kind: Literal["mix"] = "mix"
    portions: tuple[Portion, ...]
    seed: int = 0


def mix_rounds(config: Mix) -> Rounds:
    """Return the one round: hashes of the train rows of the sources that have a portion."""
    names = tuple(portion.source for portion in config.portions)
    keys = partial(_hashes, names=names, seed=config.seed)
    return (Round(keys, by=None, decide=partial(_portions, config=config)),)


def _hashes(
    rows: pl.DataFrame, _: pl.DataFrame | None, names: tuple[str, ...], seed: int
) -> pl.DataFrame:
    if "split" in rows.columns:
        rows = rows.filter(pl.col("split") == "train")
    return rows.filter(pl.col("source").is_in(names)).select(
        NUMBER, "source", text_hash(pl.col("row_id"), seed).alias("hash")
    )


def _portions(keys: pl.DataFrame, config: Mix) -> pl.DataFrame:
    tables = [_portion(keys, portion) for portion in config.portions]
    return pl.concat(tables).sort(NUMBER)


def _portion(keys: pl.DataFrame, portion: Portion) -> pl.DataFrame:
    rows = keys.filter(pl.col("source") == portion.source).sort("hash", NUMBER)
    drawn = share_of(rows.height, portion.weight)
    if portion.max_rows is not None:
        drawn = min(drawn, portion.max_rows)
    is_left_out = pl.col("rank") > drawn
    evidence = pl.struct("source", "rank", drawn=pl.lit(drawn, pl.UInt64)).struct.json_encode()
    judged = rows.with_row_index("rank", offset=1).select(
        NUMBER,
        reason=pl.when(is_left_out).then(pl.lit("not_drawn")),
        evidence=pl.when(is_left_out).then(evidence),
        copies=pl.when(~is_left_out).then(pl.lit(portion.repeat, pl.UInt32)),
    )
    # A row that stands once is what every row is unless the table says otherwise.
    return judged.filter(pl.col("reason").is_not_null() | (pl.col(COPIES) > 1))
