"""Reads one source without building anything, and says what is wrong with its records."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cotdata.engine.progress import Progress, Silence
from cotdata.run.ingest import Tally, read_source
from cotdata.sources.opened import open_source
from cotdata.sources.source import Source


@dataclass(frozen=True)
class Validation:
    """What reading a source found: `records = kept + problems.height`.

    `problems` has the columns row_id, origin, reason and evidence (String, not null), in the
    order of the records.
    """

    records: int
    kept: int
    problems: pl.DataFrame
    notes: dict[str, int]


def validate_source(source: Source, base: Path, progress: Progress | None = None) -> Validation:
    """Read a source and return its records that are no rows.

    Args:
        source: As a recipe has it.
        base: What a relative path is relative to.
        progress: Who is told what happens.

    Raises:
        SourceError: If the source cannot be read to its end, or its columns don't fit the adapter.
    """
    listener = progress or Silence()
    opened = open_source(source, base)
    listener.start(f"read {source.name}", None, "rows")
    tally = Tally()
    columns = ["row_id", "origin", "reason", "evidence"]
    problems = [pl.DataFrame(schema=dict.fromkeys(columns, pl.String))]
    for rows in read_source(opened, tally):
        problems.append(rows.filter(pl.col("reason").is_not_null()).select(columns))
        listener.advance(rows.height)
    return Validation(tally.read, tally.kept, pl.concat(problems), dict(tally.notes))
