"""Rows made in a test."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from cotdata.row import ROW_SCHEMA

REASONING = (
    "Let me think about this step by step. The patient is 48 years old, and that matters here.\n\n"
    "First, 2 < 3 & {x}; 肝硬化. So the answer follows from the second point."
)


def rows(*given: Mapping[str, Any]) -> pl.DataFrame:
    """Return rows (`ROW_SCHEMA`) with these columns, and ordinary ones for the rest."""
    made = [
        {
            "row_id": f"test:{place}",
            "origin": f"test.jsonl:{place + 1}",
            "source": "test",
            "Question": f"What is the diagnosis, number {place}?",
            "Complex_CoT": REASONING,
            "Response": f"It is **number {place}**.\n\nThat is all. 😀",
            **row,
        }
        for place, row in enumerate(given)
    ]
    columns = {
        name: pl.Series(name, [row.get(name) for row in made], dtype=dtype)
        for name, dtype in ROW_SCHEMA.items()
    }
    return pl.DataFrame(columns)


def many(count: int) -> pl.DataFrame:
    """Return ordinary rows."""
    return rows(*[{} for _ in range(count)])


def turns(*contents: str) -> Sequence[Mapping[str, str]]:
    """Return earlier turns, the user's first."""
    roles = ("user", "assistant")
    return [
        {"role": roles[place % 2], "content": content} for place, content in enumerate(contents)
    ]
