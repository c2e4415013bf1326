"""Says of every row where it goes: to one of the splits, or to the rejected ones, and why."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson
import polars as pl

from cotdata.engine.arrow_files import arrow_columns, read_arrow, write_arrow
from cotdata.errors import StageError
from cotdata.row import ROW_SCHEMA
from cotdata.run.rendering import Rendering
from cotdata.run.replay import Shards, Step, decided, departures
from cotdata.stages import nature
from cotdata.stages.base import NUMBER
from cotdata.stages.mix import COPIES

REJECTED: Final = "rejected"
#: The stage of a row that never became one: it could not be read, mapped, or broke the contract.
SOURCE_STAGE: Final = "source"

#: Columns that serve the build and are not written: where a row goes is its file's name.
_INTERNAL: Final = (NUMBER, "split", COPIES)
OUTPUT = "output"
POSITION = "position"

#: Where each row of a shard goes: (number, output, copies, position of the stage that rejected it).
FATE_SCHEMA: Final = pl.Schema(
    {NUMBER: pl.UInt64(), OUTPUT: pl.String(), COPIES: pl.UInt32(), POSITION: pl.Int32()}
)


@dataclass(frozen=True)
class Assembly:
    """Everything that says what a run consists of, before it is written."""

    shards: Shards
    steps: tuple[Step, ...]
    labels: tuple[str, ...]
    #: Rows of one output file.
    file_rows: int
    #: What comes after all steps; None for a run of text.
    rendering: Rendering | None = None
    #: The columns that rows have in the work shards.
    held: pl.Schema = field(default_factory=lambda: ROW_SCHEMA)

    def added(self) -> dict[str, tuple[pl.DataType, str]]:
        """Return the columns that stages added: their type, and the stage's label."""
        return {
            name: (dtype, label)
            for step, label in zip(self.steps, self.labels, strict=True)
            for name, dtype in nature(step.stage).adds.items()
            if name not in _INTERNAL
        }

    def kept_schema(self) -> pl.Schema:
        """Return the columns of the splits."""
        rendered = self.rendering.schema if self.rendering is not None else {}
        return pl.Schema({**self._before_rendering(), **rendered})

    def rejected_schema(self) -> pl.Schema:
        """Return the columns of the rejected rows: theirs, which no rendering added, and why."""
        why = {"stage": pl.String(), "reason": pl.String(), "evidence": pl.String()}
        return pl.Schema({**self._before_rendering(), **why, "raw": pl.Binary()})

    def departures(self, shard: Path) -> pl.DataFrame:
        """Return which rows of a shard left at which step, or were not rendered, by number."""
        left = departures(shard, self.shards.base(shard), self.steps)
        if self.rendering is None:
            return left
        return pl.concat([left, self.rendering.departures(shard)]).sort(NUMBER)

    def label(self, position: int) -> str:
        """Return what `rejected/` calls the stage, or the rendering, at a position."""
        if self.rendering is not None and position == self.rendering.position:
            return self.rendering.label
        return self.labels[position]

    def _before_rendering(self) -> pl.Schema:
        added = {name: dtype for name, (dtype, _) in self.added().items()}
        return pl.Schema({**self.held, **added})


@dataclass(frozen=True)
class FateKernel:
    """Kernel: says of every row of a shard where it goes."""

    assembly: Assembly

    def __call__(self, shard: Path, _: Path | None, out: Path) -> None:
        """Write `fates.arrow` (`FATE_SCHEMA`) and `sizes.json` (rows by output) of one shard."""
        base = self.assembly.shards.base(shard)
        # The shards of a finished run themselves say which split their rows are in.
        known = [name for name in ("split",) if name in arrow_columns(shard)]
        rows = read_arrow(shard, ["reason", *known]).with_columns(
            pl.int_range(base, base + pl.len(), dtype=pl.UInt64).alias(NUMBER)
        )
        left = self.assembly.departures(shard)
        if left[NUMBER].is_duplicated().any():
            raise StageError(f"a row was rejected twice: {shard.stem}")
        fates = (
            rows.select(NUMBER, *known, unread=pl.col("reason").is_not_null())
            .join(left.select(NUMBER, POSITION), on=NUMBER, how="left", maintain_order="left")
            .with_columns(
                pl.when("unread").then(pl.lit(-1, pl.Int32)).otherwise(POSITION).alias(POSITION)
            )
        )
        for name in ("split", COPIES):
            fates = self._join(fates, base, name)
        is_kept = pl.col(POSITION).is_null()
        # A row that could not be rendered is rejected as often as it would have stood.
        is_repeated = is_kept
        if self.assembly.rendering is not None:
            is_repeated |= pl.col(POSITION) == self.assembly.rendering.position
        fates = fates.select(
            NUMBER,
            pl.when(is_kept).then(pl.col("split").fill_null("train")).otherwise(pl.lit(REJECTED))
            .alias(OUTPUT),
            pl.when(is_repeated).then(pl.col(COPIES)).fill_null(1).alias(COPIES),
            POSITION,
        )  # fmt: skip
        out.mkdir()
        write_arrow(fates.cast(FATE_SCHEMA), out / "fates.arrow")
        sizes = fates.group_by(OUTPUT).agg(pl.col(COPIES).sum()).sort(OUTPUT)
        (out / "sizes.json").write_bytes(orjson.dumps(dict(sizes.iter_rows())))

    def _join(self, fates: pl.DataFrame, base: int, name: str) -> pl.DataFrame:
        if name in fates.columns:
            return fates
        for step in self.assembly.steps:
            if step.decision is not None and name in nature(step.stage).adds:
                table = decided(step.decision, base).select(NUMBER, name)
                return fates.join(table, on=NUMBER, how="left", maintain_order="left")
        return fates.with_columns(pl.lit(None, FATE_SCHEMA.get(name, pl.String())).alias(name))
