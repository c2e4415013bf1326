"""Picks the rows that the report shows: a few for each reason, and a few that were kept."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import polars as pl

from cotdata.errors import Location, SourceError
from cotdata.manifest import StageRecord
from cotdata.report.text import EXCERPT_CHARS, Excerpt
from cotdata.stages import label_kinds

TEXTS: Final = ("Question", "Complex_CoT", "Response")
PER_REASON: Final = 3
KEPT: Final = 5
#: Reasons with examples; a recipe has a few dozen at most, a plugin may bring any number.
MAX_REASONS: Final = 200
#: Evidence is a small JSON object; what is longer is shown as text.
EVIDENCE_CHARS: Final = 2_000
#: Rows of a file that are read together.
WINDOW_ROWS: Final = 4_096

#: What `rejected/` calls the stage of a record that never became a row.
_SOURCE_STAGE: Final = "source"
_INDEX: Final = "__index__"

#: The step that rejected a row, as `source_label` or `stage_labels_of` write it, and the reason.
ReasonKey = tuple[str, str]


@dataclass(frozen=True)
class ExampleRow:
    """One row as the report shows it, its texts cut to their beginnings."""

    row_id: Excerpt
    origin: Excerpt
    #: By column of `TEXTS`; None where the row has no value.
    texts: Mapping[str, Excerpt | None]
    #: The split of a kept row, else None.
    split: str | None = None
    #: JSON of a rejected row, else None.
    evidence: Excerpt | None = None
    #: The bytes of a record that could not be parsed, else None.
    raw: Excerpt | None = None


@dataclass(frozen=True)
class Examples:
    """Rows to look at: up to `PER_REASON` for each reason, and up to `KEPT` that were kept."""

    rejected: Mapping[ReasonKey, Sequence[ExampleRow]] = field(default_factory=dict)
    kept: Sequence[ExampleRow] = ()
    #: Rejected rows of each reason by source.
    sources: Mapping[ReasonKey, Mapping[str, int]] = field(default_factory=dict)


def source_label(name: str) -> str:
    """Return how the report names a source as the step that rejected a row."""
    return f"sources/{name}"


#: The two parts of a `ReasonKey`, of the columns of `rejected/`.
_KEY: Final = (
    pl.when(pl.col("stage") == _SOURCE_STAGE)
    .then(pl.lit(source_label("")) + pl.col("source"))
    .otherwise(pl.col("stage"))
    .fill_null("")
    .alias("step"),
    pl.col("reason").fill_null(""),
)


def stage_labels_of(stages: Sequence[StageRecord]) -> list[str]:
    """Return how `rejected/` and the report name each stage: `length`, `length#2`, `plugin:x`."""
    kinds = [
        f"plugin:{stage.config.get('name')}" if stage.kind == "plugin" else stage.kind
        for stage in stages
    ]
    return label_kinds(kinds)


def collect_examples(run_dir: Path) -> Examples:
    """Read example rows from a run's `data/*.parquet` and `rejected/*.parquet`.

    Files are read in byte order of their names, one at a time: first the short columns that say
    which rows are wanted, then the beginnings of those rows' texts.

    Raises:
        SourceError: If a file cannot be read as parquet.
    """
    rejected = _rejected(_files(run_dir / "rejected"))
    return Examples(rejected, _kept(kept_places(run_dir)), rejected_by_source(run_dir))


def rejected_by_source(run_dir: Path) -> dict[ReasonKey, dict[str, int]]:
    """Count a run's rejected rows by reason and source, the source with most of them first.

    Of more reasons than `MAX_REASONS` some are left out.

    Raises:
        SourceError: If a file cannot be read as parquet.
    """
    counts: dict[ReasonKey, Counter[str]] = {}
    for path in _files(run_dir / "rejected"):
        rows = pl.scan_parquet(path, glob=False).group_by(*_KEY, "source").len()
        for step, reason, source, count in read_table(rows, path).iter_rows():
            if (step, reason) in counts or len(counts) < MAX_REASONS:
                counts.setdefault((step, reason), Counter())[source] += count
    return {key: dict(sorted(found.items(), key=_most_first)) for key, found in counts.items()}


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"), key=lambda path: path.name.encode())


def _rejected(files: Sequence[Path]) -> dict[ReasonKey, list[ExampleRow]]:
    found: dict[ReasonKey, list[ExampleRow]] = {}
    for path in files:
        room: dict[int, ReasonKey] = {}
        for name, why, first in _firsts(path, _KEY, PER_REASON):
            key = (name, why)
            if key not in found and len(found) == MAX_REASONS:
                continue
            missing = PER_REASON - len(found.setdefault(key, []))
            room |= dict.fromkeys(first[:missing], key)
        for index, row in _read(path, sorted(room)):
            found[room[index]].append(row)
    return found


def kept_places(run_dir: Path) -> list[tuple[Path, list[int]]]:
    """Return the files of `data/` with the numbers of the rows that the report shows.

    Rows come from every split and source in turn, so that a small one is seen too.

    Raises:
        SourceError: If a file cannot be read as parquet.
    """
    files = _files(run_dir / "data")
    wanted = []
    for place, path in enumerate(files):
        for source, first in _firsts(path, [pl.col("source")], KEPT):
            key = (_split(path), source)
            wanted += [(key, place, index) for index in first]
    turns: dict[tuple[str, str], int] = {}
    ranked = []
    for key, place, index in wanted:
        turns[key] = turns.get(key, 0) + 1
        ranked.append((turns[key], place, index))
    chosen = sorted(sorted(ranked)[:KEPT], key=lambda item: item[1:])
    return [
        (path, [index for _, where, index in chosen if where == place])
        for place, path in enumerate(files)
    ]


def _kept(places: Sequence[tuple[Path, list[int]]]) -> list[ExampleRow]:
    return [row for path, indices in places for _, row in _read(path, indices)]


def _split(path: Path) -> str:
    return path.name.split("-", 1)[0]


def _firsts(path: Path, keys: Sequence[pl.Expr], count: int) -> list[tuple[Any, ...]]:
    """Return each key with the numbers of its first rows, in file order."""
    names = [key.meta.output_name() for key in keys]
    table = pl.scan_parquet(path, glob=False).select(*keys).with_row_index(_INDEX)
    firsts = table.group_by(names, maintain_order=True).agg(pl.col(_INDEX).head(count))
    return read_table(firsts, path).rows()


def _read(path: Path, indices: Sequence[int]) -> Iterator[tuple[int, ExampleRow]]:
    if not indices:
        return
    rows = pl.scan_parquet(path, glob=False)
    has = rows.collect_schema().names()
    heads = [_head(name, EXCERPT_CHARS) for name in ("row_id", "origin", *TEXTS)]
    if "evidence" in has:
        heads.append(_head("evidence", EVIDENCE_CHARS))
    if "raw" in has:
        length = pl.col("raw").bin.size().alias("raw_length")
        heads.append([pl.col("raw").bin.head(EXCERPT_CHARS), length])
    split = None if "evidence" in has else _split(path)
    columns = [column for head in heads for column in head]
    for window in _windows(indices):
        # A slice reads only the row groups that it touches: memory stays that of a few of them.
        part = rows.slice(window[0], window[-1] - window[0] + 1).with_row_index(_INDEX, window[0])
        wanted = part.filter(pl.col(_INDEX).is_in(window)).select(_INDEX, *columns)
        for record in read_table(wanted, path).iter_rows(named=True):
            yield record[_INDEX], _row(record, split)


def _windows(indices: Sequence[int]) -> Iterator[list[int]]:
    """Put rows together that stand near each other."""
    for _, window in groupby(indices, key=lambda index: index // WINDOW_ROWS):
        yield list(window)


def _head(name: str, limit: int) -> list[pl.Expr]:
    return [
        pl.col(name).str.head(limit),
        pl.col(name).str.len_chars().alias(f"{name}_length"),
    ]


def _row(record: Mapping[str, Any], split: str | None) -> ExampleRow:
    def excerpt(name: str) -> Excerpt | None:
        text = record.get(name)
        return None if text is None else Excerpt(text, record[f"{name}_length"])

    raw = record.get("raw")
    return ExampleRow(
        row_id=excerpt("row_id") or Excerpt.of(""),
        origin=excerpt("origin") or Excerpt.of(""),
        texts={name: excerpt(name) for name in TEXTS},
        split=split,
        evidence=excerpt("evidence"),
        raw=None if raw is None else Excerpt.of_bytes(raw, record["raw_length"]),
    )


def read_table(rows: pl.LazyFrame, path: Path) -> pl.DataFrame:
    """Return what is asked of a file of a run.

    Raises:
        SourceError: If it cannot be read as parquet.
    """
    try:
        return rows.collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> SourceError:
    return SourceError(
        "cannot be read as a run's parquet file",
        Location(path.name),
        fix="build the run again",
    )
