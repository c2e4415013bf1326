"""A finished run as work shards, so that its rows can be rendered once more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow.parquet as pq

from cotdata.engine.arrow_files import write_arrow
from cotdata.engine.progress import Progress
from cotdata.manifest import Manifest
from cotdata.run.checkpoints import Checkpoint, content_key, open_checkpoint, shaping_versions
from cotdata.run.fates import REJECTED
from cotdata.run.ingest import SHARD_BYTES, SHARD_ROWS
from cotdata.run.replay import Shards
from cotdata.stages.split import SPLITS
from cotdata.writers.recut import recut, text_bytes

#: Raised when the shards of the same run hold other rows, or in another form.
VERSION: Final = 1
#: Rows that are read from a file of the run at a time.
_BATCH_ROWS: Final = 4_096
#: What the work shards hold besides a row's own columns.
_WHY: Final = pl.Schema(
    {"stage": pl.String(), "reason": pl.String(), "evidence": pl.String(), "raw": pl.Binary()}
)


@dataclass(frozen=True)
class Parent:
    """A finished run whose rows are rendered once more."""

    path: Path
    manifest: Manifest
    #: The rejected rows first, then the splits.
    shards: Shards
    #: The columns of its rows but those that its own rendering added.
    held: pl.Schema
    rows: int
    text_bytes: int
    key: str


def open_parent(
    path: Path, manifest: Manifest, progress: Progress, *, fresh: bool = False
) -> Parent:
    """Read a verified run into work shards, or find them in the cache.

    Args:
        path: The run's folder.
        manifest: Its manifest.
        progress: Who is told what happens.
        fresh: Ignore what the cache holds.
    """
    files = {
        output: [path / item.path for item in manifest.outputs if _is_of(item.path, output)]
        for output in (REJECTED, *SPLITS)
    }
    held = _held(files[REJECTED][0])
    hashes = [[item.path, item.sha256] for item in manifest.outputs if item.rows is not None]
    key = content_key([VERSION, [SHARD_ROWS, SHARD_BYTES], list(held), hashes])
    place = content_key(["run", key, shaping_versions()])
    with open_checkpoint("sources", place, progress, fresh=fresh) as checkpoint:
        sealed = checkpoint.read()
        if sealed is None:
            rows = manifest.rejected + sum(split.rows for split in manifest.splits.values())
            progress.start("read the run", rows, "rows")
            sealed = _fill(files, held, progress, checkpoint)
    return Parent(
        path=path,
        manifest=manifest,
        shards=Shards(tuple(checkpoint.path / name for name in sealed["shards"])),
        held=held,
        rows=sealed["rows"],
        text_bytes=sealed["text_bytes"],
        key=key,
    )


def _is_of(path: str, output: str) -> bool:
    folder = REJECTED if output == REJECTED else "data"
    return path.startswith(f"{folder}/{output}-")


def _held(rejected: Path) -> pl.Schema:
    """Return the columns that rows had before any rendering: those of the rejected ones."""
    found = pl.read_parquet_schema(rejected)
    return pl.Schema({name: dtype for name, dtype in found.items() if name not in _WHY})


def _fill(
    files: dict[str, list[Path]], held: pl.Schema, progress: Progress, checkpoint: Checkpoint
) -> dict[str, Any]:
    names: list[str] = []
    rows = size = 0
    for output, paths in files.items():
        frames = _frames(output, paths, held)
        for number, shard in enumerate(recut(frames, SHARD_ROWS, SHARD_BYTES)):
            names.append(f"{output}-{number:06}.arrow")
            write_arrow(shard, checkpoint.path / names[-1])
            rows += shard.height
            size += int(text_bytes(shard).sum())
            progress.advance(shard.height)
    summary: dict[str, Any] = {"shards": names, "rows": rows, "text_bytes": size}
    checkpoint.seal(summary, [checkpoint.path / name for name in names])
    return summary


def _frames(output: str, paths: Sequence[Path], held: pl.Schema) -> Iterator[pl.DataFrame]:
    """Yield an output's rows as a work shard has them; who rejected them, too."""
    schema = pl.Schema([*held.items(), ("split", pl.String()), *_WHY.items()])
    there = [*held, *(_WHY if output == REJECTED else ())]
    for path in paths:
        with pq.ParquetFile(path) as opened:
            for batch in opened.iter_batches(_BATCH_ROWS, columns=there):
                frame = pl.DataFrame(batch)
                absent = [
                    pl.lit(None, dtype).alias(name)
                    for name, dtype in schema.items()
                    if name not in there
                ]
                rows = frame.with_columns(absent).with_columns(split=pl.lit(output))
                yield rows.select(schema.names()).cast(schema)
