"""What every stage is made of: a strict config, a scope, and results that lose no row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict

Scope = Literal["row", "dataset"]
Name = TypeVar("Name", bound=str)

#: The column that numbers rows inside a build: `shard << 40 | index`, UInt64, never written out.
NUMBER = "row_number"


class StageConfig(BaseModel):
    """Settings of a stage, strict: an unknown key is an error.

    A subclass sets `scope` (no default, so that nobody gets the unsafe answer by silence),
    `version` (raised whenever the same input would give another output) and `reasons`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scope: ClassVar[Scope]
    version: ClassVar[int]
    #: Reason → what it means and what its evidence holds.
    reasons: ClassVar[Mapping[str, str]]
    #: Columns that the stage adds, with their types.
    adds: ClassVar[Mapping[str, pl.DataType]] = {}
    #: What a row has in an added column where a dataset-scope stage's decision doesn't name it.
    defaults: ClassVar[Mapping[str, str | int | None]] = {}
    #: True where the stage changes or adds a column; a stage that only rejects is not run twice.
    changes: ClassVar[bool] = False

    kind: str


@dataclass(frozen=True)
class StageResult:
    """What a stage did to a frame of rows.

    `rejected` has the columns of the input plus `reason` (String, not null) and `evidence`
    (String, JSON, not null). `notes` counts what was changed, by kind of change.
    """

    kept: pl.DataFrame
    rejected: pl.DataFrame
    notes: Mapping[str, int] = field(default_factory=dict)


class Round(NamedTuple):
    """One step of a dataset-scope stage: keys travel, text does not.

    `keys` runs on any part of the rows and gives a small table with the column `NUMBER`; it sees
    the table of the round before (None in the first). `decide` sees all keys that share a value of
    `by` (a UInt64 column; None: all keys together), in order of `NUMBER`, and gives the next table.
    The last table is the stage's decision, with `NUMBER` as its first column: the rows that are
    rejected, with `reason` and `evidence` (both String, null where the row is kept), the columns
    that the stage adds, and `note` (String, nullable), which is counted. A row that is not in it is
    kept and gets the added columns' defaults.
    """

    keys: Callable[[pl.DataFrame, pl.DataFrame | None], pl.DataFrame]
    by: str | None
    decide: Callable[[pl.DataFrame], pl.DataFrame]
    #: True where `keys` needs only the rows that the table of the round before names.
    is_narrow: bool = False


Rounds = Sequence[Round]


def split_on_reason(
    rows: pl.DataFrame,
    reason: pl.Expr,
    evidence: pl.Expr,
    notes: Mapping[str, int] | None = None,
) -> StageResult:
    """Keep the rows whose `reason` is null, reject the others.

    Args:
        rows: The rows to judge.
        reason: A String expression, null for rows to keep.
        evidence: A Struct expression with what was measured, written as JSON; read only where
            `reason` is not null.
        notes: What was changed, with counts.
    """
    judged = rows.with_columns(reason=reason.cast(pl.String))
    kept = judged["reason"].is_null()
    if kept.all():
        nothing = rows.clear().with_columns(
            reason=pl.lit(None, pl.String), evidence=pl.lit(None, pl.String)
        )
        return StageResult(rows, nothing, notes or {})
    rejected = judged.filter(~kept).with_columns(evidence=evidence.struct.json_encode())
    return StageResult(rows.filter(kept), rejected, notes or {})


def distinct(columns: tuple[Name, ...]) -> tuple[Name, ...]:
    """Refuse a list of columns, in a config, that names one twice."""
    for column in columns:
        if columns.count(column) > 1:
            message = f"names the column '{column}' twice"
            raise ValueError(message)
    return columns


def settings(config: StageConfig) -> dict[str, Any]:
    """Return every setting of a stage, defaults included, without its kind."""
    return config.model_dump(mode="json", exclude={"kind"})


def apply_decision(rows: pl.DataFrame, decision: pl.DataFrame, config: StageConfig) -> StageResult:
    """Split rows on a dataset-scope stage's decision and give them the columns that it adds."""
    added = [
        pl.col(name).cast(dtype).fill_null(pl.lit(config.defaults.get(name), dtype))
        for name, dtype in config.adds.items()
    ]
    if "reason" not in decision.columns:
        decision = decision.with_columns(
            reason=pl.lit(None, pl.String), evidence=pl.lit(None, pl.String)
        )
    decision = decision.select(NUMBER, "reason", "evidence", *config.adds)
    judged = rows.join(decision, on=NUMBER, how="left", maintain_order="left")
    is_kept = pl.col("reason").is_null()
    kept = judged.filter(is_kept).with_columns(added).drop("reason", "evidence")
    rejected = judged.filter(~is_kept).select(*rows.columns, "reason", "evidence")
    return StageResult(kept, rejected)
