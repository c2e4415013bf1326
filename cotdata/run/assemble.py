"""Writes every row to its output, in files that are cut at places which the rows alone decide."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
import polars as pl

from cotdata.engine import Engine
from cotdata.engine.arrow_files import read_arrow
from cotdata.engine.progress import Progress
from cotdata.manifest import Profile
from cotdata.run.fates import (
    OUTPUT,
    POSITION,
    REJECTED,
    SOURCE_STAGE,
    Assembly,
    FateKernel,
)
from cotdata.run.hashing import file_sha256
from cotdata.run.profile import profile
from cotdata.run.replay import advance, places_of, read_rows
from cotdata.stages.base import NUMBER
from cotdata.stages.mix import COPIES
from cotdata.stages.split import SPLITS
from cotdata.writers.parquet import write_parquet

# One output file holds about this much text; the Hub recommends files of up to 500 MB.
FILE_BYTES: Final = 512 << 20
FILE_ROWS: Final = 262_144
#: Rendered rows that are put together at a time: their columns hold each text four times.
RENDERED_ROWS: Final = 2_048


@dataclass(frozen=True)
class Piece:
    """Rows `skip` up to `skip + take` of those that one shard gives to an output."""

    shard: str
    skip: int
    take: int


@dataclass(frozen=True)
class Written:
    """One file of the result."""

    path: Path
    output: str
    rows: int
    sha256: str
    profiles: tuple[Profile, ...]


@dataclass(frozen=True)
class _FileKernel:
    """Kernel: writes one file of the result from a list of pieces."""

    assembly: Assembly
    fates: Path

    def __call__(self, order: Path, _: Path | None, out: Path) -> None:
        task = orjson.loads(order.read_bytes())
        pieces = [Piece(**piece) for piece in task["pieces"]]
        is_kept = task["output"] != REJECTED
        schema = self.assembly.kept_schema() if is_kept else self.assembly.rejected_schema()
        profiles: list[Profile] = []
        out.mkdir()
        parquet = out / "part.parquet"
        rows = write_parquet(
            self._frames(task["output"], pieces, schema, profiles), schema, parquet
        )
        summary = {
            "rows": rows,
            "sha256": file_sha256(parquet),
            "profiles": [part.model_dump(mode="json") for part in profiles],
        }
        (out / "summary.json").write_bytes(orjson.dumps(summary))

    def _frames(
        self, output: str, pieces: Sequence[Piece], schema: pl.Schema, profiles: list[Profile]
    ) -> Iterator[pl.DataFrame]:
        paths = {path.stem: path for path in self.assembly.shards.paths}
        for piece in pieces:
            fates = read_arrow(self.fates / piece.shard / "fates.arrow")
            chosen = _repeated(fates.filter(pl.col(OUTPUT) == output), piece)
            if output == REJECTED:
                yield self._rejected(paths[piece.shard], chosen).select(schema.names()).cast(schema)
                continue
            for rows in self._kept(paths[piece.shard], chosen):
                profiles.append(profile(rows))
                yield rows.select(schema.names()).cast(schema)

    def _kept(self, shard: Path, chosen: pl.DataFrame) -> Iterator[pl.DataFrame]:
        rendering = self.assembly.rendering
        if rendering is None:
            yield self._as_they_left(shard, chosen)
            return
        stored = rendering.stored(shard)
        for part in chosen.iter_slices(RENDERED_ROWS):
            rendered = rendering.columns(stored, part[NUMBER])
            yield self._as_they_left(shard, part).hstack(rendered)

    def _as_they_left(self, shard: Path, chosen: pl.DataFrame) -> pl.DataFrame:
        """Return rows as they left the last stage, each repeat with a name of its own."""
        base = self.assembly.shards.base(shard)
        rows = _gather(shard, base, chosen[NUMBER]).select(NUMBER, *self.assembly.held)
        return _named(advance(rows, base, self.assembly.steps), chosen["copy"])

    def _rejected(self, shard: Path, chosen: pl.DataFrame) -> pl.DataFrame:
        """Return rejected rows as they entered the stage that rejected them, with the why."""
        base = self.assembly.shards.base(shard)
        left = self.assembly.departures(shard)
        parts = [self.assembly.rejected_schema().to_frame().with_columns(_number())]
        every = _gather(shard, base, chosen[NUMBER])
        for (position,), fates in chosen.group_by(POSITION, maintain_order=True):
            rows = every.filter(pl.col(NUMBER).is_in(fates[NUMBER].implode()))
            if position == -1:
                # A shard of a finished run knows who rejected its rows.
                stage = pl.col("stage") if "stage" in rows.columns else pl.lit(SOURCE_STAGE)
            else:
                rows = advance(
                    rows.select(NUMBER, *self.assembly.held, "raw"),
                    base,
                    self.assembly.steps[:position],
                ).join(left.drop(POSITION), on=NUMBER, how="left", maintain_order="left")
                stage = pl.lit(self.assembly.label(position))
            parts.append(_named(rows, fates["copy"]).with_columns(stage=stage))
        return pl.concat(parts, how="diagonal").sort(NUMBER, maintain_order=True)


def assemble(
    assembly: Assembly, outputs: Sequence[str], folder: Path, engine: Engine, progress: Progress
) -> list[Written]:
    """Write every row to its output; files appear in `folder`, one folder for each.

    Args:
        assembly: What the run consists of.
        outputs: The splits that are written even if they are empty.
        folder: A scratch folder on the run's own file system; what stands there is not made again.
        engine: Where kernels run.
        progress: Who listens.
    """
    shards = assembly.shards.paths
    list(engine.map_shards(FateKernel(assembly), shards, folder / "fates"))
    orders = list(_orders(assembly, outputs, folder / "fates"))
    names = _write_orders(orders, folder / "orders")
    progress.start("write", sum(piece.take for _, pieces in orders for piece in pieces), "rows")
    kernel = _FileKernel(assembly, folder / "fates")
    written = []
    for (output, _), path in zip(
        orders, engine.map_shards(kernel, names, folder / "files"), strict=True
    ):
        summary = orjson.loads((path / "summary.json").read_bytes())
        profiles = [Profile.model_validate(part) for part in summary["profiles"]]
        written.append(
            Written(
                path / "part.parquet", output, summary["rows"], summary["sha256"], tuple(profiles)
            )
        )
        progress.advance(summary["rows"])
    return written


def _orders(
    assembly: Assembly, outputs: Sequence[str], fates: Path
) -> Iterator[tuple[str, list[Piece]]]:
    """Cut each output into files, at places that depend on the rows alone."""
    shards = assembly.shards.paths
    sizes = [orjson.loads((fates / shard.stem / "sizes.json").read_bytes()) for shard in shards]
    present = Counter({name: rows for size in sizes for name, rows in size.items()})
    for output in (*SPLITS, REJECTED):
        if output not in present and output not in outputs:
            continue
        yield from _cut(output, [size.get(output, 0) for size in sizes], shards, assembly.file_rows)


def _cut(
    output: str, sizes: Sequence[int], shards: Sequence[Path], file_rows: int
) -> Iterator[tuple[str, list[Piece]]]:
    pieces: list[Piece] = []
    room = file_rows
    is_first = True
    for shard, size in zip(shards, sizes, strict=True):
        skip = 0
        while skip < size:
            take = min(size - skip, room)
            pieces.append(Piece(shard.stem, skip, take))
            skip, room = skip + take, room - take
            if room == 0:
                yield output, pieces
                pieces, room, is_first = [], file_rows, False
    if pieces or is_first:
        yield output, pieces


def rows_per_file(rows: int, text_bytes: int) -> int:
    """Return how many rows make an output file, from what the sources hold and nothing else."""
    return max(1, min(FILE_ROWS, FILE_BYTES * rows // max(text_bytes, 1)))


def _write_orders(orders: Sequence[tuple[str, list[Piece]]], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, (output, pieces) in enumerate(orders):
        paths.append(folder / f"{number:05}")
        text = orjson.dumps({"output": output, "pieces": [vars(piece) for piece in pieces]})
        paths[-1].write_bytes(text)
    return paths


def _repeated(fates: pl.DataFrame, piece: Piece) -> pl.DataFrame:
    """Return a piece of the rows that go to one output, each as often as it stands there."""
    copies = fates.with_columns(copy=pl.int_ranges(0, COPIES)).explode("copy")
    return copies.slice(piece.skip, piece.take)


def _named(rows: pl.DataFrame, copy: pl.Series) -> pl.DataFrame:
    """Give every repeat of a row an id of its own."""
    is_repeat = pl.lit(copy) > 0
    row_id = pl.col("row_id") + "#" + pl.lit(copy).cast(pl.String)
    return rows.with_columns(pl.when(is_repeat).then(row_id).otherwise("row_id").alias("row_id"))


def _gather(shard: Path, base: int, numbers: pl.Series) -> pl.DataFrame:
    """Return the rows of a shard with these numbers, in their order, repeats included."""
    return read_rows(shard, base, places_of(numbers, base))


def _number() -> pl.Expr:
    return pl.lit(None, pl.UInt64).alias(NUMBER)
