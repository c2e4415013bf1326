"""Turns a source into work shards of checked rows, cut the same however the source was cut."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

import polars as pl

from cotdata.engine.ahead import ahead
from cotdata.engine.arrow_files import write_arrow
from cotdata.engine.progress import Progress
from cotdata.errors import CotdataError
from cotdata.manifest import InputFile, Profile, SourceRecord
from cotdata.recipe.model import without_folders
from cotdata.row import ROW_SCHEMA, split_valid
from cotdata.run.checkpoints import Checkpoint, content_key, open_checkpoint, shaping_versions
from cotdata.run.gather import Gathered, gather
from cotdata.run.profile import add_profiles, profile
from cotdata.sources.adapters import Adapted, adapt
from cotdata.sources.opened import OpenedSource
from cotdata.sources.records import EVIDENCE, RAW, REASON
from cotdata.writers.recut import recut, text_bytes

#: Raised when readers or this module give other rows for the same bytes.
VERSION: Final = 2
# A work shard and what is made of it must fit into memory once for each worker.
SHARD_ROWS: Final = 16_384
SHARD_BYTES: Final = 32 << 20

#: Columns of a work shard: the row, and why it is none.
SHARD_SCHEMA: Final = pl.Schema(
    {**ROW_SCHEMA, "reason": pl.String(), "evidence": pl.String(), "raw": pl.Binary()}
)


@dataclass(frozen=True)
class Ingested:
    """A source as work shards, and what the manifest says of it."""

    key: str
    shards: tuple[Path, ...]
    record: SourceRecord
    profile: Profile
    text_bytes: int
    is_new: bool


@dataclass
class Tally:
    """What is counted while a source is read."""

    available: int = 0
    read: int = 0
    kept: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    profiles: list[Profile] = field(default_factory=list)
    files: list[InputFile] = field(default_factory=list)


def source_key(opened: OpenedSource) -> str:
    """Return the key of a source's rows: everything that decides them, and nothing else."""
    source = opened.source
    return content_key(
        {
            "version": VERSION,
            "shard": [SHARD_ROWS, SHARD_BYTES],
            "name": source.name,
            "adapter": source.adapter.model_dump(mode="json"),
            "adapter_version": source.adapter.version,
            "rows": source.rows.model_dump() if source.rows else None,
            "format": source.format,
            "encoding": source.encoding,
            "inputs": [[item.label, item.content] for item in opened.inputs],
        }
    )


def ingest(opened: OpenedSource, progress: Progress, *, fresh: bool = False) -> Ingested:
    """Read a source into work shards, or find them in the cache.

    Raises:
        SourceError: If an input cannot be read to its end.
        StageError: If a record was lost on the way.
    """
    key = source_key(opened)
    place = content_key([key, shaping_versions()])
    with open_checkpoint("sources", place, progress, fresh=fresh) as checkpoint:
        sealed = checkpoint.read()
        is_new = sealed is None
        if sealed is None:
            try:
                sealed = _fill(opened, checkpoint, progress)
            except CotdataError:
                checkpoint.drop_if_empty()
                raise
    record = SourceRecord.model_validate(sealed["record"])
    return Ingested(
        key=key,
        shards=tuple(checkpoint.path / name for name in sealed["shards"]),
        # What the key does not hold may have changed since the rows were read.
        record=record.model_copy(
            update={
                "origin": without_folders(opened.source.from_),
                "license": opened.source.license,
                "revision": opened.revision,
            }
        ),
        profile=Profile.model_validate(sealed["profile"]),
        text_bytes=sealed["text_bytes"],
        is_new=is_new,
    )


def _fill(opened: OpenedSource, checkpoint: Checkpoint, progress: Progress) -> dict[str, Any]:
    source = opened.source
    progress.start(f"read {source.name}", None, "rows")
    tally = Tally()
    names: list[str] = []
    size = 0
    shards = recut(read_source(opened, tally), SHARD_ROWS, SHARD_BYTES)
    first = next(shards, SHARD_SCHEMA.to_frame())  # a source without rows is one empty shard
    for number, shard in enumerate(chain([first], shards)):
        names.append(f"{source.name}-{number:06}.arrow")
        write_arrow(shard, checkpoint.path / names[-1])
        size += int(text_bytes(shard).sum())
        progress.advance(shard.height)
    record = SourceRecord(
        name=source.name,
        origin=without_folders(source.from_),
        adapter=source.adapter.kind,
        files=tally.files,
        available=tally.available,
        read=tally.read,
        kept=tally.kept,
        rejected=tally.reasons.total(),
        reasons=dict(sorted(tally.reasons.items())),
        notes=dict(sorted(tally.notes.items())),
    )
    summary: dict[str, Any] = {
        "record": record.model_dump(mode="json"),
        "profile": add_profiles(tally.profiles).model_dump(mode="json"),
        "shards": names,
        "rows": tally.read,
        "text_bytes": size,
    }
    checkpoint.seal(summary, [checkpoint.path / name for name in names])
    return summary


def read_source(opened: OpenedSource, tally: Tally) -> Iterator[pl.DataFrame]:
    """Yield a source's records as checked rows (`SHARD_SCHEMA`), counting them in `tally`."""
    source = opened.source
    parts = gather(opened)
    # A hub may hang, and a thread that waits for it could not be interrupted.
    for part in parts if source.is_hub else ahead(parts):
        tally.available += part.available
        tally.notes.update(part.notes)
        tally.files += part.files
        records = part.records()
        if records is not None:
            adapted = adapt(records, source.adapter)
            tally.notes.update(adapted.notes)
            yield _check(_named(adapted, part, source.name), tally)


def _named(adapted: Adapted, part: Gathered, source: str) -> pl.DataFrame:
    """Give rows their row_id and origin."""
    row_id, origin = part.names(source)
    return adapted.rows.with_columns(
        row_id=row_id,
        origin=origin,
        source=pl.lit(source),
    ).select(
        *ROW_SCHEMA.names(),
        pl.col(REASON).alias("reason"),
        pl.col(EVIDENCE).alias("evidence"),
        pl.col(RAW).alias("raw"),
    )


def _check(rows: pl.DataFrame, tally: Tally) -> pl.DataFrame:
    """Hold rows to the contract; those that break it stay in their place, with their reason."""
    is_read = rows["reason"].is_null()
    _, broken = split_valid(rows if is_read.all() else rows.filter(is_read))
    if broken.height:
        rows = rows.update(
            broken.select("row_id", "reason", "evidence"), on="row_id", maintain_order="left"
        )
    is_kept = rows["reason"].is_null()
    tally.read += rows.height
    tally.kept += int(is_kept.sum())
    tally.reasons.update(dict(rows["reason"].drop_nulls().value_counts().iter_rows()))
    tally.profiles.append(profile(rows if is_kept.all() else rows.filter(is_kept)))
    return rows.cast(SHARD_SCHEMA)
