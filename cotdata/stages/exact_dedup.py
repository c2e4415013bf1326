"""Rejects rows whose text is, to the letter, that of a row that is kept."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar, Literal, Self, assert_never

import polars as pl
from pydantic import AfterValidator, Field, model_validator

from cotdata.kernels.stable_hash import columns_hash
from cotdata.stages.base import NUMBER, Round, Rounds, Scope, StageConfig, distinct
from cotdata.stages.require_fields import TextColumn

_GROUP = "group"
_LEADER = "leader"
_RANK = "rank"


class ExactDedup(StageConfig):
    """Rejects rows that agree with a kept row on all columns of `on`.

    Rows are grouped by a 64-bit hash; within a group they are compared by their text, so that two
    texts with one hash are never taken for twins.
    """

    scope: ClassVar[Scope] = "dataset"
    version: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {
        "exact_duplicate": "Another row with the same text is kept. Evidence: `kept` (its row_id), "
        "`kept_origin`, `on`, `twins` (rows with this text, the kept one included).",
    }

    kind: Literal["exact_dedup"] = "exact_dedup"
    on: Annotated[tuple[TextColumn, ...], Field(min_length=1), AfterValidator(distinct)] = Field(
        default=("Question", "Complex_CoT", "Response"),
        description="Columns that are compared, all together.",
    )
    ignore_case: bool = Field(
        default=False, description="Compare lower-cased text (Unicode lower case)."
    )
    ignore_white_space: bool = Field(
        default=False,
        description="Compare with every run of white space as one blank, and none at the ends.",
    )
    keep: Literal["first", "longest_cot", "shortest_cot", "best"] = Field(
        default="first",
        description="Which twin stays: the first in source order, the one with the longest or "
        "shortest `Complex_CoT`, or the one with the highest number in the column `by`. Ties go "
        "to the first.",
    )
    by: str | None = Field(
        default=None, description="For `keep: best`: a numeric column that an earlier stage added."
    )

    @model_validator(mode="after")
    def _names_what_best_means(self) -> Self:
        if (self.keep == "best") != (self.by is not None):
            message = "`keep: best` and `by: COLUMN` go together"
            raise ValueError(message)
        return self


def exact_dedup_rounds(config: ExactDedup) -> Rounds:
    """Return the two rounds: rows that share a hash, then rows that share the text."""
    return (
        Round(partial(_hashes, config=config), by=_GROUP, decide=_shared_hashes),
        Round(
            partial(_texts, config=config),
            by=_GROUP,
            decide=partial(_duplicates, config=config),
            is_narrow=True,
        ),
    )


def _compared(config: ExactDedup) -> list[pl.Expr]:
    columns = [pl.col(name) for name in config.on]
    if config.ignore_white_space:
        columns = [column.str.replace_all(r"\s+", " ").str.strip_chars() for column in columns]
    if config.ignore_case:
        columns = [column.str.to_lowercase() for column in columns]
    return columns


def _hashes(rows: pl.DataFrame, _: pl.DataFrame | None, config: ExactDedup) -> pl.DataFrame:
    return rows.select(NUMBER, columns_hash(_compared(config)).alias(_GROUP))


def _shared_hashes(keys: pl.DataFrame) -> pl.DataFrame:
    return keys.filter(pl.col(_GROUP).is_duplicated())


def _texts(rows: pl.DataFrame, candidates: pl.DataFrame | None, config: ExactDedup) -> pl.DataFrame:
    """Return the candidates with the compared text, which stands once for each text of a part.

    The others name the first row with their text in `leader`, so that a million equal rows don't
    travel as a million texts.
    """
    if candidates is None:
        candidates = rows.clear().select(NUMBER, pl.lit(0, pl.UInt64).alias(_GROUP))
    text = [f"text_{position}" for position in range(len(config.on))]
    found = (
        rows.join(candidates, on=NUMBER, how="inner", maintain_order="left")
        .select(
            NUMBER,
            _GROUP,
            pl.col("row_id", "origin"),
            # NaN sorts above every number, but it is no better than none.
            _rank(config).cast(pl.Float64).fill_nan(None).fill_null(float("-inf")).alias(_RANK),
            *[column.alias(name) for name, column in zip(text, _compared(config), strict=True)],
        )
        .with_columns(pl.col(NUMBER).first().over(_GROUP, *text).alias(_LEADER))
    )
    is_leader = pl.col(NUMBER) == pl.col(_LEADER)
    return found.with_columns(pl.when(is_leader).then(pl.col(*text)))


def _rank(config: ExactDedup) -> pl.Expr:
    match config.keep:
        case "first":
            return pl.lit(0.0)
        case "longest_cot":
            return pl.col("Complex_CoT").str.len_chars()
        case "shortest_cot":
            return -pl.col("Complex_CoT").str.len_chars().cast(pl.Int64)
        case "best":
            return pl.col(config.by or "")
        case _:
            assert_never(config.keep)


def _duplicates(keys: pl.DataFrame, config: ExactDedup) -> pl.DataFrame:
    text = [name for name in keys.columns if name.startswith("text_")]
    leaders = keys.filter(pl.col(NUMBER) == pl.col(_LEADER)).select(
        pl.col(NUMBER).alias(_LEADER),
        # Rows come in order of their number, so the first leader is the lowest.
        pl.col(NUMBER).first().over(_GROUP, *text).alias("twins_of"),
    )
    best_first = keys.join(leaders, on=_LEADER, how="left", maintain_order="left").sort(
        _RANK, NUMBER, descending=[True, False]
    )
    twins = "twins_of"
    judged = best_first.select(
        NUMBER,
        is_kept=pl.col(NUMBER) == pl.col(NUMBER).first().over(twins),
        evidence=pl.struct(
            kept=pl.col("row_id").first().over(twins),
            kept_origin=pl.col("origin").first().over(twins),
            on=pl.lit(list(config.on), dtype=pl.List(pl.String)),
            twins=pl.len().over(twins),
        ),
    )
    return judged.filter(~pl.col("is_kept")).select(
        NUMBER,
        reason=pl.lit("exact_duplicate"),
        evidence=pl.col("evidence").struct.json_encode(),
    )
