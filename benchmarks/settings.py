"""What all competitors share: the columns, the bounds, and where the corpus lies.

Imports the standard library alone: Linux counts a parent's memory at the time of a fork as part
of its child's peak, so the process that measures stays small.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: The checkout, from which `python -m cotdata` runs.
ROOT: Final = Path(__file__).resolve().parent.parent
COLUMNS: Final = ("Question", "Complex_CoT", "Response")
#: Bounds on `Complex_CoT`, both inclusive, in Unicode characters.
MIN_CHARS: Final = 80
MAX_CHARS: Final = 8_000
SEED: Final = 3407
#: Raised when corpus.py or vocabulary.py write other bytes, so that no stale file is measured.
CORPUS_VERSION: Final = 1
#: The competitor that ratios are against.
OURS: Final = "cotdata"


class BenchmarkError(Exception):
    """A benchmark that has no result: a competitor failed, or competitors disagree."""


@dataclass(frozen=True)
class CorpusSummary:
    """What was generated; the truth file has it row by row."""

    version: int
    rows: int
    seed: int
    size_bytes: int
    exact_twins: int
    near_twins: int
    defects: int

    @property
    def expected_rows(self) -> int:
        """How many rows are left once defects and exact twins are gone."""
        return self.rows - self.exact_twins - self.defects


@dataclass(frozen=True)
class CorpusFiles:
    """Where the corpus, its truth and its summary lie."""

    rows: Path
    truth: Path
    summary: Path

    @classmethod
    def named(cls, folder: Path, rows: int, seed: int = SEED) -> "CorpusFiles":
        """Name the files so that another version, size or seed never finds them."""
        stem = f"corpus-v{CORPUS_VERSION}-{rows}-{seed}"
        return cls(
            folder / f"{stem}.jsonl", folder / f"{stem}.truth.parquet", folder / f"{stem}.json"
        )
