"""The `validation` benchmark: the row contract on rows of which one in a hundred breaks it.

Measured is the one call that tells good rows from bad and says what is wrong with each bad one;
both contestants must find the same problems, word for word.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.contest import Answer, Contestant, Stopwatch, digest, read_rows, run_contestant
from cotdata.row import ROW_SCHEMA

# One row in a hundred breaks the contract, in one of these ways in turn; row 50 of each hundred.
_BAD: Final[Mapping[str, pl.Expr]] = {
    "Question": pl.lit(""),
    "row_id": pl.lit(""),
    "language": pl.lit("english"),
    "meta": pl.lit("not JSON"),
    "source": pl.lit(None, pl.String),
    "history": pl.lit([{"role": "robot", "content": "Beep."}], ROW_SCHEMA["history"]),
}
_BAD_EVERY: Final = 100


def plant_problems(corpus: Path) -> pl.DataFrame:
    """Return the corpus, valid but for the planted rows; every fifth row has a history and meta."""
    rows = read_rows(corpus).with_columns(pl.col("Question").str.strip_chars())
    number = pl.int_range(pl.len())
    history = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hello!"}]
    rows = rows.with_columns(
        pl.when(pl.col("Question").str.len_bytes() > 0)
        .then(pl.col("Question"))
        .otherwise(pl.lit("Which?"))
        .alias("Question"),
        language=pl.lit("en"),
        meta=pl.when(number % 5 == 0).then(pl.lit('{"topic": "cardiology"}')),
        history=pl.when(number % 5 == 0).then(pl.lit(history, ROW_SCHEMA["history"])),
    )
    kind = pl.when(number % _BAD_EVERY == 50).then(number // _BAD_EVERY % len(_BAD))
    return rows.with_columns(
        pl.when(kind == turn).then(value).otherwise(pl.col(column)).alias(column)
        for turn, (column, value) in enumerate(_BAD.items())
    )


# ---- the interface to cotdata: adjust here ----
def by_cotdata(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time `split_valid`: a vectorised mask, and pydantic on the rows that it finds bad."""
    from cotdata.row import split_valid

    with watch:
        valid, broken = split_valid(rows)
    problems = [
        (origin, [(problem["column"], problem["problem"]) for problem in json.loads(evidence)])
        for origin, evidence in broken.select("origin", "evidence").iter_rows()
    ]
    return Answer(len(valid), digest(problems))


def by_pydantic(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time `Row.model_validate` on every row; turning the frame into dicts is not counted."""
    from pydantic import ValidationError

    from cotdata.row import Row

    records = rows.to_dicts()
    failed = []
    with watch:
        for record in records:
            try:
                Row.model_validate(record)
            except ValidationError as error:
                failed.append((record["origin"], error.errors(include_url=False)))
    problems = [
        (
            origin,
            [
                (
                    ".".join(str(part) for part in problem["loc"]),
                    problem["msg"].removeprefix("Value error, "),
                )
                for problem in found
            ],
        )
        for origin, found in failed
    ]
    return Answer(len(records) - len(failed), digest(problems))


CONTESTANTS: Final[Mapping[str, Contestant]] = {"cotdata": by_cotdata, "pydantic": by_pydantic}

if __name__ == "__main__":
    run_contestant(CONTESTANTS, plant_problems)
