"""The build benchmark's steps with Hugging Face datasets, as a tutorial would write them.

Written once, idiomatically, with nothing slow put in on purpose, and then left alone: it is a
measuring stick, not a program to be tuned. Only its bounds follow `settings.py`.
"""

import hashlib
import sys
from typing import Any

from datasets import load_dataset

from benchmarks.settings import COLUMNS, MAX_CHARS, MIN_CHARS

seen: set[bytes] = set()


def is_complete(row: dict[str, Any]) -> bool:
    """Tell whether the three fields are strings with something in them."""
    return all(isinstance(row[column], str) and row[column].strip() for column in COLUMNS)


def has_good_length(row: dict[str, Any]) -> bool:
    """Tell whether the reasoning is neither too short nor too long."""
    return MIN_CHARS <= len(row["Complex_CoT"]) <= MAX_CHARS


def is_first(row: dict[str, Any]) -> bool:
    """Tell whether no earlier row had the same three texts."""
    text = "\x00".join(row[column] for column in COLUMNS)
    key = hashlib.md5(text.encode()).digest()
    if key in seen:
        return False
    seen.add(key)
    return True


def main(source: str, target: str) -> None:
    """Read the JSON Lines file `source`, write what is kept to the parquet file `target`."""
    dataset = load_dataset("json", data_files=source, split="train")
    dataset = dataset.filter(is_complete)
    dataset = dataset.filter(has_good_length)
    dataset = dataset.filter(is_first)
    dataset.to_parquet(target)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
