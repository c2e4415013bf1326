"""Brings a work shard to where the build stands: who is still there, with which columns.

A stage that only rejects is not run again: its decisions say who left. A stage that changes or adds
columns is run again, on the rows that are still there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from cotdata.engine.arrow_files import read_arrow
from cotdata.errors import StageError
from cotdata.row import ROW_SCHEMA
from cotdata.stages import AnyStage, run_row_stage
from cotdata.stages.base import NUMBER, apply_decision
from cotdata.stages.exact_dedup import ExactDedup
from cotdata.stages.mix import Mix
from cotdata.stages.sample import Sample
from cotdata.stages.split import Split

#: A row's number is `shard << SHARD_BITS | index`.
SHARD_BITS: Final = 40

#: Who left, by which stage: the columns of a `rejected.arrow`.
REJECTED_SCHEMA: Final = pl.Schema(
    {
        NUMBER: pl.UInt64(),
        "position": pl.Int32(),
        "reason": pl.String(),
        "evidence": pl.String(),
    }
)


@dataclass(frozen=True)
class Step:
    """A stage that has judged every row."""

    position: int
    stage: AnyStage
    changes: bool
    #: Row scope: the folder with a folder for each shard, in it `rejected.arrow` of all row-scope
    #: stages that ran together.
    folder: Path | None = None
    #: Dataset scope: the decision, an Arrow file sorted by `NUMBER`.
    decision: Path | None = None


@dataclass(frozen=True)
class Shards:
    """The work shards of a build, in the order that numbers their rows."""

    paths: tuple[Path, ...]

    def base(self, shard: Path) -> int:
        """Return the number of a shard's first row."""
        return self._positions()[shard.stem] << SHARD_BITS

    def _positions(self) -> Mapping[str, int]:
        return {path.stem: position for position, path in enumerate(self.paths)}


def read_rows(shard: Path, base: int, places: npt.NDArray[np.int64] | None = None) -> pl.DataFrame:
    """Read a work shard's rows with their numbers, the unreadable and invalid ones included.

    Args:
        shard: A work shard.
        base: The number of its first row.
        places: The rows to read, counted from 0 in the shard; all if left out.
    """
    rows = read_arrow(shard, places=places)
    if places is None:
        places = np.arange(rows.height)
    return rows.with_columns(pl.Series(NUMBER, places.astype(np.uint64) + np.uint64(base)))


def places_of(numbers: pl.Series, base: int) -> npt.NDArray[np.int64]:
    """Return where in a shard the rows with these numbers stand."""
    return (numbers.to_numpy() - np.uint64(base)).astype(np.int64)


def decided(table: Path, base: int) -> pl.DataFrame:
    """Return the part of a sorted table that is about one shard."""
    return _part(read_arrow(table), base)


def departures(shard: Path, base: int, steps: Sequence[Step]) -> pl.DataFrame:
    """Return which rows of a shard left at which step: `REJECTED_SCHEMA`, sorted by number."""
    tables = [REJECTED_SCHEMA.to_frame()]
    folders = {step.folder: None for step in steps if step.folder is not None}
    tables += [read_arrow(folder / shard.stem / "rejected.arrow") for folder in folders]
    for step in steps:
        if step.decision is not None:
            table = decided(step.decision, base)
            if "reason" in table.columns:
                tables.append(
                    table.filter(pl.col("reason").is_not_null()).select(
                        NUMBER, pl.lit(step.position, pl.Int32).alias("position"), "reason",
                        "evidence",
                    )
                )  # fmt: skip
    return pl.concat(tables).sort(NUMBER)


def replay(
    shard: Path, base: int, steps: Sequence[Step], only: pl.Series | None = None
) -> pl.DataFrame:
    """Return the rows of a shard that are still there after `steps`, as they are then.

    Args:
        shard: A work shard.
        base: The number of its first row.
        steps: The stages that have judged it.
        only: Numbers to which the result is confined.
    """
    rows = read_rows(shard, base)
    there = rows["reason"].is_null().to_numpy().copy()
    there[places_of(departures(shard, base, steps)[NUMBER], base)] = False
    if only is not None:
        asked = np.zeros_like(there)
        asked[places_of(_within(only, base, rows.height), base)] = True
        there &= asked
    return advance(rows.filter(pl.lit(pl.Series(there))).select(NUMBER, *ROW_SCHEMA), base, steps)


def advance(rows: pl.DataFrame, base: int, steps: Sequence[Step]) -> pl.DataFrame:
    """Give rows that passed all of `steps` the columns that these changed or added."""
    for step in steps:
        if not step.changes:
            continue
        match step.stage:
            case ExactDedup() | Sample() | Split() | Mix():
                if step.decision is not None:
                    rows = apply_decision(rows, decided(step.decision, base), step.stage).kept
            case _:
                result = run_row_stage(rows, step.stage)
                if result.rejected.height:
                    raise StageError(
                        f"stage {step.position} ({step.stage.kind}) judges a row otherwise when it "
                        "stands among other rows",
                        fix="a row-scope stage must look at each row alone",
                    )
                rows = result.kept
    return rows


def _part(table: pl.DataFrame, base: int) -> pl.DataFrame:
    numbers = table[NUMBER]
    low = numbers.search_sorted(base, side="left")
    high = numbers.search_sorted(base + (1 << SHARD_BITS), side="left")
    return table.slice(low, high - low)


def _within(numbers: pl.Series, base: int, height: int) -> pl.Series:
    return numbers.filter((numbers >= base) & (numbers < base + height))
