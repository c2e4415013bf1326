"""Deals rows into train, validation and test; one question never stands on two sides."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar, Final, Literal, Self

import polars as pl
from pydantic import AfterValidator, Field, model_validator

from cotdata.kernels.stable_hash import text_hash
from cotdata.stages.base import NUMBER, Round, Rounds, Scope, StageConfig, distinct
from cotdata.stages.require_fields import TextColumn

SPLITS: Final = ("train", "validation", "test")

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=0, strict=True)]


class Split(StageConfig):
    """Deals rows into splits by the hash of their question.

    Rows with the same Question (compared in Unicode NFKC, lower case, white space folded), or with
    the same value in a column of `group_by`, form a group, and a group stays together. A group's
    side follows from the smallest hash of its members' questions: adding rows moves only groups
    that a new row joins to another (and, where a side is a count, those that it crowds out).
    """

    scope: ClassVar[Scope] = "dataset"
    version: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {}
    adds: ClassVar[Mapping[str, pl.DataType]] = {"split": pl.String()}
    defaults: ClassVar[Mapping[str, str | int | None]] = {"split": "train"}

    kind: Literal["split"] = "split"
    validation: Count | Share = Field(
        default=0, description="Share of the rows (0.02), or number of rows (500)."
    )
    test: Count | Share = Field(default=0, description="As `validation`; drawn before it.")
    group_by: Annotated[tuple[TextColumn, ...], AfterValidator(distinct)] = Field(
        default=(), description="Further columns whose equal values keep rows on one side."
    )
    seed: int | None = Field(default=None, description="The recipe's seed if left out.")

    @model_validator(mode="after")
    def _leaves_rows_to_train_on(self) -> Self:
        shares = [size for size in (self.validation, self.test) if isinstance(size, float)]
        if sum(shares) >= 1:
            message = "validation and test together leave nothing to train on"
            raise ValueError(message)
        return self


def split_rounds(config: Split) -> Rounds:
    """Return the one round: question hashes, grouped and dealt.

    Without `group_by` and without counts a row's side follows from its own question alone, so the
    keys need not meet in one place.
    """
    is_local = not config.group_by and all(
        isinstance(size, float) or size == 0 for size in (config.validation, config.test)
    )
    return (
        Round(
            partial(_hashes, config=config),
            by="question" if is_local else None,
            decide=partial(_deal, config=config),
        ),
    )


def normalised_question() -> pl.Expr:
    """Return the Question as it is compared: NFKC, lower case, white space folded."""
    text = pl.col("Question").str.normalize("NFKC").str.to_lowercase()
    return text.str.replace_all(r"\s+", " ").str.strip_chars()


def _hashes(rows: pl.DataFrame, _: pl.DataFrame | None, config: Split) -> pl.DataFrame:
    seed = config.seed or 0
    groups = [
        pl.when(pl.col(name).is_not_null()).then(text_hash(pl.col(name), seed + 1)).alias(name)
        for name in config.group_by
    ]
    # The two sides draw by hashes of their own, so that changing one does not stir the other.
    return rows.with_columns(normalised_question().alias("question")).select(
        NUMBER,
        *[column.name.prefix("group_") for column in groups],
        question=text_hash(pl.col("question"), seed),
        test=text_hash(pl.col("question"), seed + 2),
        validation=text_hash(pl.col("question"), seed + 3),
    )


def _deal(keys: pl.DataFrame, config: Split) -> pl.DataFrame:
    grouped = _grouped(keys, [name for name in keys.columns if name.startswith("group_")])
    groups = grouped.group_by("group").agg(
        pl.col("test").min(), pl.col("validation").min(), rows=pl.len()
    )
    test = _drawn(groups, "test", config.test)
    rest = groups.join(test, on="group", how="anti")
    # A share is a share of all rows; the ones that went to test can't be drawn again.
    left = 1 - config.test if isinstance(config.test, float) else 1
    size = config.validation / left if isinstance(config.validation, float) else config.validation
    validation = _drawn(rest, "validation", size)
    sides = pl.concat(
        [
            test.select("group", split=pl.lit("test")),
            validation.select("group", split=pl.lit("validation")),
        ]
    )
    questions = pl.col("question").n_unique().over("group")
    note = pl.when(questions > 1).then(pl.lit("kept on one side with another question"))
    dealt = grouped.with_columns(note=note if config.group_by else pl.lit(None, pl.String))
    return (
        dealt.join(sides, on="group", how="left")
        .with_columns(pl.col("split").fill_null("train"))
        .filter((pl.col("split") != "train") | pl.col("note").is_not_null())
        .select(NUMBER, "split", "note")
    )


def _drawn(groups: pl.DataFrame, side: str, size: int | float) -> pl.DataFrame:
    """Return the groups of one side: hashes below a share of the range, or the smallest ones."""
    if isinstance(size, float):
        # A hash is at most 2**64 - 1, so that a share of 0 draws nothing.
        limit = min(int(size * 2**64), 2**64 - 1)
        return groups.filter(pl.col(side) < pl.lit(limit, pl.UInt64))
    ordered = groups.sort(side, "group")
    before = pl.col("rows").cum_sum() - pl.col("rows")
    return ordered.filter(before < size)


def _grouped(keys: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Add `group`: the smallest question hash that a row is joined to, in any number of steps."""
    grouped = keys.with_columns(group=pl.col("question"))
    while columns:
        joined = grouped
        for name in ["question", *columns]:
            smallest = pl.col("group").min().over(name)
            joined = joined.with_columns(
                group=pl.when(pl.col(name).is_null()).then("group").otherwise(smallest)
            )
        if joined["group"].equals(grouped["group"]):
            break
        grouped = joined
    return grouped
