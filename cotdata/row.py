"""The row contract: one definition, as a pydantic model for errors and as polars for speed."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

import polars as pl
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails, to_json

# The code points of Unicode's White_Space property, which is what polars' `strip_chars` strips;
# Python's `str.strip` also takes U+001C to U+001F.
WHITE_SPACE: Final = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
ROLES: Final = ("system", "user", "assistant", "tool")
LANGUAGE_PATTERN: Final = r"^(?:[a-z]{2}|und)$"

TURN_DTYPE: Final[pl.DataType] = pl.Struct({"role": pl.String, "content": pl.String})

#: The canonical columns and their polars types, in the order in which they are written.
ROW_SCHEMA: Final = pl.Schema(
    {
        "row_id": pl.String(),
        "origin": pl.String(),
        "source": pl.String(),
        "Question": pl.String(),
        "Complex_CoT": pl.String(),
        "Response": pl.String(),
        "system": pl.String(),
        "history": pl.List(TURN_DTYPE),
        "answer": pl.String(),
        "language": pl.String(),
        "meta": pl.String(),
    }
)


def _not_empty(value: str) -> str:
    if not value:
        message = "is empty"
        raise ValueError(message)
    return value


def _question(value: str) -> str:
    stripped = value.strip(WHITE_SPACE)
    if not stripped:
        message = "is empty"
        raise ValueError(message)
    if stripped != value:
        message = "has blanks at its ends"
        raise ValueError(message)
    return value


def _json_object(value: str) -> str:
    if not (value.startswith("{") and value.endswith("}")):
        message = "is not a JSON object"
        raise ValueError(message)
    return value


NotEmpty = Annotated[str, AfterValidator(_not_empty)]


class Turn(BaseModel):
    """One earlier turn of a conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    role: Literal["system", "user", "assistant", "tool"]
    content: str


class Row(BaseModel):
    """One training example, with everything that says where it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    row_id: NotEmpty = Field(
        description="`<source name>:<index>`, 0-based over the source's files in byte order of "
        "their names; a derived row appends `#k`."
    )
    origin: NotEmpty = Field(
        description="Where a person finds it: file and 1-based row, or hub id, revision and index."
    )
    source: NotEmpty = Field(description="The source's name in the recipe.")
    Question: Annotated[str, AfterValidator(_question)] = Field(
        description="What the user asks, stripped of blanks at its ends, never empty."
    )
    Complex_CoT: str | None = Field(
        default=None, description="The reasoning; null where the source has none."
    )
    Response: str | None = Field(
        default=None,
        description="The final answer shown to the user; null where the source has none.",
    )
    system: str | None = Field(
        default=None, description="The system prompt that belongs to this row."
    )
    history: list[Turn] | None = Field(
        default=None, description="Earlier turns, for multi-turn sources."
    )
    answer: str | None = Field(
        default=None, description="The gold answer, when the source has one that can be checked."
    )
    language: Annotated[str, StringConstraints(pattern=LANGUAGE_PATTERN)] | None = Field(
        default=None,
        description="Language of the Question: ISO 639-1, or `und`; null until a stage sets it.",
    )
    meta: Annotated[str, AfterValidator(_json_object)] | None = Field(
        default=None, description="Everything else that the source had, as a JSON object."
    )


class RowProblem(BaseModel):
    """Why a row breaks the contract: the evidence of a rejection by `validate`."""

    model_config = ConfigDict(frozen=True)

    column: str
    problem: str


_ROWS: Final = TypeAdapter(list[Row])


def is_valid() -> pl.Expr:
    """Return the contract as one vectorised expression: true where pydantic finds nothing wrong."""
    named = [
        pl.col(name).is_not_null() & (pl.col(name).str.len_bytes() > 0)
        for name in ("row_id", "origin", "source")
    ]
    question = pl.col("Question")
    turns = pl.col("history").list.eval(
        pl.element().is_not_null()
        # `all` passes over null, which is what a missing role would give.
        & pl.element().struct.field("role").is_in(ROLES).fill_null(value=False)
        & pl.element().struct.field("content").is_not_null()
    )
    meta = pl.col("meta")
    return pl.all_horizontal(
        *named,
        question.is_not_null(),
        question.str.len_bytes() > 0,
        # What is left is a part of it: if it is as long, nothing was stripped.
        question.str.strip_chars().str.len_bytes() == question.str.len_bytes(),
        turns.list.all().fill_null(value=True),
        pl.col("language").str.contains(LANGUAGE_PATTERN).fill_null(value=True),
        (meta.str.starts_with("{") & meta.str.ends_with("}")).fill_null(value=True),
    ).fill_null(value=False)


def row_problems(record: dict[str, object]) -> list[RowProblem]:
    """Return what pydantic finds wrong with one row, a problem for each column."""
    try:
        Row.model_validate(record)
    except ValidationError as error:
        return [RowProblem(**_problem(found["loc"], found["msg"])) for found in _errors(error)]
    return []


def _errors(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_context=False, include_input=False)


def _problem(place: Iterable[int | str], message: str) -> dict[str, str]:
    """Return the fields of a `RowProblem`."""
    return {
        "column": ".".join(str(part) for part in place),
        "problem": message.removeprefix("Value error, "),
    }


def split_valid(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows into those that keep the contract and those that break it.

    Reads all columns of `ROW_SCHEMA`. The second frame has the further columns `reason` (String,
    always `invalid_row`) and `evidence` (String, JSON: a list of `{column, problem}`). Only rows
    that fail the vectorised expression go through pydantic.
    """
    valid = rows.select(is_valid().alias("valid")).to_series()
    if valid.all():
        return rows, rows.clear().with_columns(
            reason=pl.lit(None, pl.String), evidence=pl.lit(None, pl.String)
        )
    broken = rows.filter(~valid)
    return rows.filter(valid), broken.with_columns(
        reason=pl.lit("invalid_row"), evidence=pl.Series(_evidence(broken), dtype=pl.String)
    )


def _evidence(broken: pl.DataFrame) -> list[str]:
    """Return each row's problems as JSON: what `row_problems` finds, for all rows in one call."""
    found: list[list[dict[str, str]]] = [[] for _ in range(broken.height)]
    try:
        # An exception for each row would cost more than all that pydantic checks.
        _ROWS.validate_python(_records(broken))
    except ValidationError as error:
        for one in _errors(error):
            row, *place = one["loc"]
            found[int(row)].append(_problem(place, one["msg"]))
    return [to_json(problems).decode() for problems in found]


def _records(rows: pl.DataFrame) -> list[dict[str, object]]:
    names = [name for name in rows.columns if name in ROW_SCHEMA]
    values = zip(*(rows[name].to_list() for name in names), strict=True)
    return [dict(zip(names, row, strict=True)) for row in values]
