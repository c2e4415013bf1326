"""What every adapter is made of: a strict config, and rows in the canonical columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

import polars as pl
from pydantic import BaseModel, ConfigDict

from cotdata.row import ROW_SCHEMA
from cotdata.sources.records import EVIDENCE, PLACE, RAW, REASON

#: The reader's columns that an adapter hands on.
PASSED_ON: Final = (PLACE, REASON, EVIDENCE, RAW)

#: The row's columns that an adapter fills; what names the row is the build's to say.
FILLED: Final = pl.Schema(
    {
        name: dtype
        for name, dtype in ROW_SCHEMA.items()
        if name not in {"row_id", "origin", "source"}
    }
)


class AdapterConfig(BaseModel):
    """Settings of an adapter, strict: an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Raised whenever the same records would give other rows.
    version: ClassVar[int]


@dataclass(frozen=True)
class Adapted:
    """Records in the canonical columns, as many as were handed in and in the same order.

    `rows` has the columns of `ROW_SCHEMA` but `row_id`, `origin` and `source`, with its types, and
    the reader's `PLACE`, `REASON`, `EVIDENCE`, `RAW`. `notes` counts, by kind of change, the
    readable records in which something was changed or passed over.
    """

    rows: pl.DataFrame
    notes: dict[str, int] = field(default_factory=dict)


def shape_rows(
    records: pl.DataFrame, columns: Mapping[str, pl.Expr], notes: Mapping[str, pl.Expr]
) -> Adapted:
    """Return `records` with the canonical columns, the Question stripped.

    Args:
        records: What a reader handed over.
        columns: Canonical column, or `REASON` or `EVIDENCE`, → the expression that fills it.
            A canonical column that is not named is null.
        notes: Kind of change → a Boolean expression, true in the records that have it. Only
            records without a reason are counted, and kinds that do not occur are left out.

    The further note `question_stripped` counts Questions that had blanks at their ends.
    """
    question = columns["Question"]
    filled = {**columns, "Question": question.str.strip_chars()}
    rows = records.select(
        *(_fill(filled, name, dtype).alias(name) for name, dtype in FILLED.items()),
        *(filled.get(name, pl.col(name)).alias(name) for name in PASSED_ON),
    )
    is_stripped = question.str.strip_chars() != question
    counts = records.select(
        (changed & pl.col(REASON).is_null()).sum().alias(kind)
        for kind, changed in {"question_stripped": is_stripped, **notes}.items()
    ).row(0, named=True)
    return Adapted(rows, {kind: count for kind, count in counts.items() if count})


def _fill(filled: Mapping[str, pl.Expr], name: str, dtype: pl.DataType) -> pl.Expr:
    return filled.get(name, pl.lit(None)).cast(dtype)


def meta_of(rest: pl.Expr) -> pl.Expr:
    """Return the reader's `REST` as `meta`: null where nothing was left over."""
    return pl.when(rest != "{}").then(rest)


def with_member(rest: pl.Expr, key: str, value: pl.Expr) -> pl.Expr:
    """Return the JSON object `rest` with one more member at its end.

    Args:
        rest: String, a JSON object or null; it does not have the key.
        key: A plain word.
        value: String, JSON text; where it is null nothing is added.
    """
    alone = pl.lit(f'{{"{key}":')
    members = rest.str.strip_suffix("}") + pl.lit(f',"{key}":')
    head = pl.when(rest.is_null() | (rest == "{}")).then(alone).otherwise(members)
    return pl.when(value.is_null()).then(rest).otherwise(head + value + pl.lit("}"))
