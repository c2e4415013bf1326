"""The `exact_dedup` benchmark: which rows of a frame in memory repeat the texts of an earlier one.

Measured is the one call. Ours hashes with a hash that is the same on every machine, compares the
texts where hashes agree, tells which row each duplicate repeats and keeps the duplicates with that
evidence; the peers trust 64 bits and drop them.
"""

from collections.abc import Mapping
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.contest import Answer, Contestant, Stopwatch, digest, read_rows, run_contestant
from benchmarks.settings import COLUMNS, BenchmarkError


def complete_rows(corpus: Path) -> pl.DataFrame:
    """Return the corpus without the rows that have an empty field."""
    rows = read_rows(corpus)
    return rows.filter(pl.all_horizontal(pl.col(COLUMNS).str.strip_chars() != ""))


# ---- the interface to cotdata: adjust here ----
def by_cotdata(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time the stage with its default settings, in one part: its rounds, and what they decide."""
    from cotdata.stages.base import NUMBER, apply_decision
    from cotdata.stages.exact_dedup import ExactDedup, exact_dedup_rounds

    numbered = rows.with_columns(pl.int_range(pl.len(), dtype=pl.UInt64).alias(NUMBER))
    config = ExactDedup()
    with watch:
        table = None
        for step in exact_dedup_rounds(config):
            table = step.decide(step.keys(numbered, table))
        if table is None:
            raise BenchmarkError("exact_dedup has no rounds")
        result = apply_decision(numbered, table, config)
    return Answer(len(result.kept), digest(result.kept["row_id"]))


def by_polars(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time polars' own hash of the row and the first of each value, as it is mostly written."""
    with watch:
        kept = rows.filter(pl.struct(COLUMNS).hash().is_first_distinct())
    return Answer(len(kept), digest(kept["row_id"]))


def by_polars_columns(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time the cheapest way found in polars: columns hashed one by one, which spares a copy."""
    hashes = [pl.col(name).hash(seed) for seed, name in enumerate(COLUMNS)]
    with watch:
        kept = rows.filter(reduce(xor, hashes).is_first_distinct())
    return Answer(len(kept), digest(kept["row_id"]))


CONTESTANTS: Final[Mapping[str, Contestant]] = {
    "cotdata": by_cotdata,
    "polars": by_polars,
    "polars_columns": by_polars_columns,
}

if __name__ == "__main__":
    run_contestant(CONTESTANTS, complete_rows)
