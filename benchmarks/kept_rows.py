"""What a competitor wrote: how many rows, and a digest of their texts in any order."""

import json
import sys
from pathlib import Path

import polars as pl

from benchmarks.settings import COLUMNS


def main(folder: str) -> None:
    """Print `rows` and `digest` of all parquet files under `folder` as JSON."""
    files = sorted(Path(folder).rglob("*.parquet"))
    if not files:
        sys.exit(f"{folder}: no parquet file was written")
    rows = pl.scan_parquet(files).select(pl.col(COLUMNS).cast(pl.String))
    # cotdata strips Questions, as its row contract says; the peers leave them as they are.
    rows = rows.with_columns(pl.col("Question").str.strip_chars())
    found = rows.select(
        rows=pl.len(),
        digest=pl.struct(COLUMNS).hash().cast(pl.UInt128).sum(),
    ).collect(engine="streaming")
    kept, digest = found.row(0)
    print(json.dumps({"rows": kept, "digest": f"{digest:x}"}))


if __name__ == "__main__":
    main(sys.argv[1])
