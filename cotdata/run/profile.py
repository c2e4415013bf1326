"""Counts of how rows look, which add up over shards: lengths, sources, languages."""

from collections import Counter
from collections.abc import Iterable
from functools import reduce
from typing import Final

import numpy as np
import polars as pl

from cotdata.manifest import LENGTH_COLUMNS, LENGTH_EDGES, Profile

# Scripts that decide a reader's first question, "is this Chinese or English?". Han is asked first:
# Japanese that holds no kana is counted with it.
SCRIPTS: Final = {
    "script:Kana": r"[\p{Hiragana}\p{Katakana}]",
    "script:Han": r"\p{Han}",
    "script:Hangul": r"\p{Hangul}",
    "script:Cyrillic": r"\p{Cyrillic}",
    "script:Arabic": r"\p{Arabic}",
    "script:Devanagari": r"\p{Devanagari}",
    "script:Bengali": r"\p{Bengali}",
    "script:Latin": r"\p{Latin}",
}


def profile(rows: pl.DataFrame) -> Profile:
    """Count lengths, missing values, sources and languages of some rows.

    Reads the columns of `ROW_SCHEMA`. Where no stage set `language`, the script of the Question
    stands for it: the first of `SCRIPTS` that occurs in it.
    """
    return Profile(
        rows=rows.height,
        lengths={name: _histogram(rows[name]) for name in LENGTH_COLUMNS},
        nulls={name: rows[name].null_count() for name in LENGTH_COLUMNS},
        sources=_counts(rows["source"]),
        languages=_languages(rows),
    )


def add_profiles(profiles: Iterable[Profile]) -> Profile:
    """Add profiles up."""
    empty = profile(pl.DataFrame(schema=dict.fromkeys(_READ, pl.String)))
    return reduce(_add, profiles, empty)


_READ: Final = (*LENGTH_COLUMNS, "source", "language")


def _add(left: Profile, right: Profile) -> Profile:
    return Profile(
        rows=left.rows + right.rows,
        lengths={
            name: [a + b for a, b in zip(left.lengths[name], right.lengths[name], strict=True)]
            for name in LENGTH_COLUMNS
        },
        nulls={name: left.nulls[name] + right.nulls[name] for name in LENGTH_COLUMNS},
        sources=dict(Counter(left.sources) + Counter(right.sources)),
        languages=dict(Counter(left.languages) + Counter(right.languages)),
    )


def _histogram(text: pl.Series) -> list[int]:
    lengths = text.drop_nulls().str.len_chars().to_numpy()
    bins = np.searchsorted(LENGTH_EDGES, lengths, side="left")
    return [int(count) for count in np.bincount(bins, minlength=len(LENGTH_EDGES) + 1)]


def _counts(values: pl.Series) -> dict[str, int]:
    table = values.drop_nulls().value_counts(sort=False, name="rows").sort(values.name)
    return dict(table.iter_rows())


def _languages(rows: pl.DataFrame) -> dict[str, int]:
    known = _counts(rows["language"])
    questions = rows.filter(pl.col("language").is_null())["Question"].drop_nulls()
    is_ascii = questions.str.len_bytes() == questions.str.len_chars()
    # Most questions are ASCII, where one look tells; the scripts are looked for in the others.
    counts = Counter(known)
    ascii_questions = questions.filter(is_ascii)
    latin = int(ascii_questions.str.contains("[A-Za-z]").sum())
    counts["script:Latin"] += latin
    counts["script:other"] += ascii_questions.len() - latin
    rest = questions.filter(~is_ascii)
    for name, pattern in SCRIPTS.items():
        found = rest.str.contains(pattern)
        counts[name] += int(found.sum())
        rest = rest.filter(~found)
    counts["script:other"] += rest.len()
    return {name: count for name, count in sorted(counts.items()) if count}
