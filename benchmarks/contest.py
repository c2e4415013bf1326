"""The process of one run of a micro-benchmark: rows are made ready, and a call is timed."""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Final, NamedTuple, TypeAlias

import polars as pl

from benchmarks.settings import COLUMNS
from cotdata.row import ROW_SCHEMA

_CALLS: Final = 5


class Answer(NamedTuple):
    """What a contestant found; the same for all of them, or the benchmark has no result."""

    rows_kept: int
    digest: str


class Stopwatch:
    """A context that takes the CPU seconds of all threads, and the wall seconds, inside it."""

    cpu_s = 0.0
    wall_s = 0.0

    def __enter__(self) -> None:
        """Start."""
        self._began = time.process_time(), time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.cpu_s = time.process_time() - self._began[0]
        self.wall_s = time.perf_counter() - self._began[1]


Contestant: TypeAlias = Callable[[pl.DataFrame, Stopwatch], Answer]


def run_contestant(
    contestants: Mapping[str, Contestant], ready: Callable[[Path], pl.DataFrame]
) -> None:
    """Run the contestant named on the command line and print its answer and times as JSON.

    The first call is not timed, of the others the median counts: the first pays for late imports,
    threads and memory that the process touches for the first time, which for short calls is most
    of what a clock sees and can be five times the work itself. `build` has all of that in it.
    """
    name, corpus = sys.argv[1:]
    rows = ready(Path(corpus))
    contestants[name](rows, Stopwatch())
    watches = [Stopwatch() for _ in range(_CALLS)]
    answer = [contestants[name](rows, watch) for watch in watches][-1]
    cpu_s = median(watch.cpu_s for watch in watches)
    wall_s = median(watch.wall_s for watch in watches)
    print(json.dumps({**answer._asdict(), "cpu_s": cpu_s, "wall_s": wall_s}))


def read_rows(corpus: Path) -> pl.DataFrame:
    """Return the corpus with the canonical columns, in file order; defects are still in it."""
    texts = pl.read_ndjson(corpus, schema=dict.fromkeys(COLUMNS, pl.String))
    number = pl.int_range(pl.len())
    given = texts.with_columns(
        row_id=pl.format("corpus:{}", number),
        origin=pl.format("corpus.jsonl:{}", number + 1),
        source=pl.lit("corpus"),
    )
    absent = [name for name in ROW_SCHEMA if name not in given.columns]
    nulls = [pl.lit(None, ROW_SCHEMA[name]).alias(name) for name in absent]
    return given.with_columns(nulls).select(ROW_SCHEMA.names())


def digest(found: Iterable[object]) -> str:
    """Return a digest of what was found, in order."""
    state = hashlib.blake2b(digest_size=16)
    for item in found:
        state.update(repr(item).encode() + b"\n")
    return state.hexdigest()
