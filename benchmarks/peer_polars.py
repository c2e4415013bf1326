"""The build benchmark's steps as one bare polars query, as an expert in polars would write it.

Nothing is numbered, recorded or explained: this is about as little work as the steps can cost.
Rows are told apart by a 64-bit hash over the three columns: `unique` on the texts gives the same
rows for more CPU and memory; a hash of the struct costs the same here, but copies the texts. That
any two different rows share a hash has a probability of 2e-8 at 860,000 rows. Then left alone,
like the other peer.
"""

import sys
from functools import reduce
from operator import xor

import polars as pl

from benchmarks.settings import COLUMNS, MAX_CHARS, MIN_CHARS


def main(source: str, target: str) -> None:
    """Read the JSON Lines file `source`, write what is kept to the parquet file `target`."""
    hashes = [pl.col(name).hash(seed) for seed, name in enumerate(COLUMNS)]
    (
        pl.scan_ndjson(source, schema=dict.fromkeys(COLUMNS, pl.String))
        .filter(pl.all_horizontal(pl.col(COLUMNS).str.strip_chars() != ""))
        .filter(pl.col("Complex_CoT").str.len_chars().is_between(MIN_CHARS, MAX_CHARS))
        .filter(reduce(xor, hashes).is_first_distinct())
        .sink_parquet(target, compression="zstd", compression_level=1)
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
