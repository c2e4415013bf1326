"""Rejects rows that lack a column's value."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import AfterValidator, Field

from cotdata.stages.base import Scope, StageConfig, StageResult, distinct, split_on_reason

TextColumn = Literal["Question", "Complex_CoT", "Response", "system", "answer", "language", "meta"]


class RequireFields(StageConfig):
    """Rejects rows in which one of `columns` is null or holds nothing but white space."""

    scope: ClassVar[Scope] = "row"
    version: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {
        "missing_field": "A required column has no value. Evidence: `columns`, those without one.",
    }

    kind: Literal["require_fields"] = "require_fields"
    columns: Annotated[tuple[TextColumn, ...], Field(min_length=1), AfterValidator(distinct)] = (
        Field(
            default=("Question", "Complex_CoT", "Response"),
            description="Columns that must hold more than white space.",
        )
    )


def require_fields(rows: pl.DataFrame, config: RequireFields) -> StageResult:
    """Split rows on whether every required column has a value.

    Reads `config.columns` (String, nullable); changes no column. Reason: `missing_field`.
    """
    missing = pl.concat_list(
        pl.when(_is_blank(pl.col(name))).then(pl.lit(name)) for name in config.columns
    ).list.drop_nulls()
    any_missing = pl.any_horizontal(_is_blank(pl.col(name)) for name in config.columns)
    reason = pl.when(any_missing).then(pl.lit("missing_field"))
    return split_on_reason(rows, reason, pl.struct(columns=missing))


def _is_blank(text: pl.Expr) -> pl.Expr:
    return text.is_null() | ~text.str.contains(r"\S")
