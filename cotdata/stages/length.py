"""Rejects rows whose text is too short or too long."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from cotdata.stages.base import Scope, StageConfig, StageResult, split_on_reason
from cotdata.stages.require_fields import TextColumn

# Chinese and Japanese write no blanks between words: each of their characters counts as a word,
# as is usual for counts over mixed text. Hangul is written with blanks.
_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}"
WORD_PATTERN = rf"[{_CJK}]|[^\s{_CJK}]+"


class Length(StageConfig):
    """Bounds on the length of one column, inclusive, in Unicode characters or in words."""

    scope: ClassVar[Scope] = "row"
    version: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {
        "too_short": "Below the lower bound. Evidence: `column`, `unit`, `value`, `limit`.",
        "too_long": "Above the upper bound. Evidence: `column`, `unit`, `value`, `limit`.",
    }

    kind: Literal["length"] = "length"
    column: TextColumn = Field(
        default="Complex_CoT",
        description="The column that is measured. A row without a value in it is kept and counted: "
        "`require_fields` is the stage that rejects it.",
    )
    min_chars: int | None = Field(default=None, ge=0, description="Fewer characters are rejected.")
    max_chars: int | None = Field(default=None, ge=0, description="More characters are rejected.")
    min_words: int | None = Field(default=None, ge=0, description="Fewer words are rejected.")
    max_words: int | None = Field(
        default=None,
        ge=0,
        description="More words are rejected. Words are separated by white space; a Chinese or "
        "Japanese character is a word of its own.",
    )

    @model_validator(mode="after")
    def _has_consistent_bounds(self) -> Self:
        bounds = (self.min_chars, self.max_chars, self.min_words, self.max_words)
        if all(bound is None for bound in bounds):
            message = "needs at least one of min_chars, max_chars, min_words, max_words"
            raise ValueError(message)
        for low, high, unit in (
            (self.min_chars, self.max_chars, "chars"),
            (self.min_words, self.max_words, "words"),
        ):
            if low is not None and high is not None and low > high:
                message = f"min_{unit} ({low}) is greater than max_{unit} ({high})"
                raise ValueError(message)
        return self


def length(rows: pl.DataFrame, config: Length) -> StageResult:
    """Split rows on the length of `config.column` (String, nullable); changes no column.

    Reasons: `too_short`, `too_long`; when several bounds are broken, characters before words.
    """
    text = pl.col(config.column)
    bounds: list[tuple[str, pl.Expr, int | None, int | None]] = [
        ("characters", text.str.len_chars(), config.min_chars, config.max_chars),
        ("words", text.str.count_matches(WORD_PATTERN), config.min_words, config.max_words),
    ]
    reason: pl.Expr = pl.lit(None, pl.String)
    evidence: pl.Expr = pl.lit(None)
    # Built from the last bound to the first, so that the first broken bound wins.
    for unit, value, low, high in reversed(bounds):
        for limit, name, is_broken in ((high, "too_long", value.gt), (low, "too_short", value.lt)):
            if limit is None:
                continue
            broken = is_broken(limit).fill_null(value=False)
            reason = pl.when(broken).then(pl.lit(name)).otherwise(reason)
            measured = pl.struct(
                column=pl.lit(config.column),
                unit=pl.lit(unit),
                value=value.cast(pl.UInt32),
                limit=pl.lit(limit, pl.UInt64),
            )
            evidence = pl.when(broken).then(measured).otherwise(evidence)
    absent = rows[config.column].null_count()
    notes = {"without_value_not_measured": absent} if absent else {}
    return split_on_reason(rows, reason, evidence, notes)
