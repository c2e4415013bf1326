r"""Adapter for AI-MO/NuminaMath-CoT."""

from typing import ClassVar, Final, Literal, NamedTuple

import orjson
import polars as pl
from pydantic import ConfigDict

from cotdata.sources.adapters.base import Adapted, AdapterConfig, meta_of, shape_rows, with_member
from cotdata.sources.adapters.boxed import last_box
from cotdata.sources.adapters.statement import statement_around
from cotdata.sources.records import REST, Wanted

WANTED: Final = Wanted(text=("problem", "solution"), json=("messages",))
REQUIRED: Final = WANTED.text


class NuminaMathCot(AdapterConfig):
    """Problem, solution and messages, as NuminaMath-CoT names them.

    The reasoning is the whole solution; the answer shown is its statement with the last box.
    """

    # `kind` is a default for Python, but a recipe's `{}` names no adapter.
    model_config = ConfigDict(json_schema_extra={"required": ["kind"]})
    version: ClassVar[int] = 1

    kind: Literal["numina_math_cot"] = "numina_math_cot"


class _Final(NamedTuple):
    response: str | None = None
    answer: str | None = None
    passed_over: bool = False


def adapt_numina_math_cot(records: pl.DataFrame) -> Adapted:
    r"""Return the records' rows.

    Reads `problem`, `solution` (String, nullable) and `messages` (String, JSON, nullable).

    | column | from |
    |---|---|
    | `Question` | `problem`, stripped of blanks at its ends (`question_stripped`) |
    | `Complex_CoT` | `solution`, unchanged |
    | `Response` | the statement around the last box, see `statement.py`; null without a box |
    | `answer` | what stands in that box, see `boxed.py`; null without a box |
    | `meta` | everything else |

    Notes: `no_boxed_answer` (a solution without a box, or with empty ones only, as proofs have),
    `several_boxed` (the last one counts), `box_passed_over` (a later box is empty or never
    closes), `messages_equal_columns` (`messages` is exactly the problem as the user's turn and the
    solution as the assistant's: it holds nothing new and is left out of `meta`).

    Verified on 1,000 real rows in the native columns: 960 have a Response, which holds the last
    box and balanced delimiters in each; 120 were read by eye. `source` was `unknown` in all.
    """
    finals = [_final(solution) for solution in records["solution"]]
    notes_and_more = records.with_columns(
        pl.Series("__response__", [final.response for final in finals], dtype=pl.String),
        pl.Series("__answer__", [final.answer for final in finals], dtype=pl.String),
        pl.Series("__passed_over__", [final.passed_over for final in finals], dtype=pl.Boolean),
        _messages_equal_columns(records).alias("__equal__"),
    )
    new_messages = pl.when(~pl.col("__equal__")).then(pl.col("messages"))
    solution = pl.col("solution")
    return shape_rows(
        notes_and_more,
        {
            "Question": pl.col("problem"),
            "Complex_CoT": solution,
            "Response": pl.col("__response__"),
            "answer": pl.col("__answer__"),
            "meta": meta_of(with_member(pl.col(REST), "messages", new_messages)),
        },
        notes={
            "no_boxed_answer": solution.is_not_null() & pl.col("__answer__").is_null(),
            "several_boxed": solution.str.count_matches(r"\\(?:boxed|fbox)\b") > 1,
            "box_passed_over": pl.col("__passed_over__"),
            "messages_equal_columns": pl.col("__equal__"),
        },
    )


def _final(solution: str | None) -> _Final:
    box = last_box(solution) if solution else None
    if solution is None or box is None:
        return _Final()
    first, last = statement_around(solution, box.start, box.end)
    return _Final(solution[first:last], box.content, box.passed_over)


def _messages_equal_columns(records: pl.DataFrame) -> pl.Series:
    """Say for each record whether `messages` holds nothing but the two columns.

    Most are written as the published files are, and a comparison of text settles them.
    """
    turns = [
        pl.struct(pl.col(column).alias("content"), pl.lit(role).alias("role")).struct.json_encode()
        for column, role in (("problem", "user"), ("solution", "assistant"))
    ]
    expected = pl.format("[{},{}]", *turns)
    compared = records.select(
        "problem", "solution", "messages", same=pl.col("messages") == expected
    )
    same = compared["same"].fill_null(value=False)
    if same.all():
        return same
    others = compared.filter(~same & compared["messages"].is_not_null())
    found = pl.Series(
        [_is_exchange(*record[:3]) for record in others.iter_rows()], dtype=pl.Boolean
    )
    return same.scatter((~same & compared["messages"].is_not_null()).arg_true(), found)


def _is_exchange(problem: str | None, solution: str | None, messages: str) -> bool:
    try:
        turns = orjson.loads(messages)
    except orjson.JSONDecodeError:  # JSON that orjson does not read: a lone surrogate, NaN
        return False
    user = {"content": problem, "role": "user"}
    return bool(turns == [user, {"content": solution, "role": "assistant"}])
