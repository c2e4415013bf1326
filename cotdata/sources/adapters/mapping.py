"""Adapter for any records: says in the recipe which of their columns are the canonical ones."""

import re
from typing import Annotated, ClassVar, Final, Literal, NamedTuple, Self

import orjson
import polars as pl
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from cotdata.row import ROLES, TURN_DTYPE
from cotdata.sources.adapters.base import PASSED_ON, Adapted, AdapterConfig, meta_of, shape_rows
from cotdata.sources.records import EVIDENCE, PLACE, RAW, REASON, REST, Wanted

MAPPING_REASONS: Final = {
    "bad_history": "The column mapped to `history` is not a list of {role, content} with roles "
    "system, user, assistant, tool. Evidence: `column`, `turn` (1-based, null for the whole), "
    "`problem`.",
}

_RESERVED: Final = frozenset({PLACE, REST, REASON, EVIDENCE, RAW})
_PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}]+)\}|[^{}]+|[{}]")


class Piece(NamedTuple):
    """A part of a template: literal text, or the name of a column."""

    text: str
    is_column: bool


def parse_template(value: str) -> tuple[Piece, ...]:
    """Return the pieces of a mapping's value; one without placeholders is a column's bare name.

    Raises:
        PydanticCustomError: A brace that is neither doubled nor part of a `{column}`.
    """
    pieces = []
    for match in _PIECE.finditer(value):
        if match[0] in {"{", "}"}:
            message = (
                "`{value}`: a single {brace} at character {at}; write {column}, or {brace}{brace}"
            )
            context = {"value": value, "brace": match[0], "column": "{column}"}
            raise PydanticCustomError("template", message, {**context, "at": match.start() + 1})
        text = {"{{": "{", "}}": "}"}.get(match[0], match[0])
        pieces.append(Piece(match[1] or text, match[1] is not None))
    if any(piece.is_column for piece in pieces):
        return tuple(pieces)
    return (Piece("".join(piece.text for piece in pieces), is_column=True),)


def _checked(value: str) -> str:
    for piece in parse_template(value):
        if piece.is_column and (not piece.text or piece.text in _RESERVED):
            message = "`{value}` names no column that a record could have"
            raise PydanticCustomError("template", message, {"value": value})
    return value


Template = Annotated[str, Field(min_length=1), AfterValidator(_checked)]

_VALUE: Final = (
    "A column's name, or a template with {column} placeholders and {{ }} for literal braces."
)


class ColumnMapping(AdapterConfig):
    """Canonical columns from the records' own; what is named nowhere goes to `meta`."""

    version: ClassVar[int] = 2

    kind: Literal["mapping"] = "mapping"
    Question: Template = Field(description=f"What the user asks. {_VALUE}")
    Complex_CoT: Template | None = Field(default=None, description=f"The reasoning. {_VALUE}")
    Response: Template | None = Field(default=None, description=f"The final answer. {_VALUE}")
    system: Template | None = Field(default=None, description=f"The system prompt. {_VALUE}")
    answer: Template | None = Field(default=None, description=f"The gold answer. {_VALUE}")
    history: Template | None = Field(
        default=None,
        description="Earlier turns: the name of a column that holds a list of {role, content}.",
    )

    @model_validator(mode="after")
    def _history_is_one_column(self) -> Self:
        if self.history is None:
            return self
        pieces = parse_template(self.history)
        texts = {piece.text for pieces in _templates(self).values() for piece in pieces}
        if len(pieces) > 1 or pieces[0].text in texts:
            message = "history must name one column, which is used for nothing else"
            raise PydanticCustomError("history", message)
        return self


def wanted_by_mapping(mapping: ColumnMapping) -> Wanted:
    """Return the columns that a mapping reads.

    A column whose bare name is the Question, the Complex_CoT or the system prompt must hold text;
    in templates (`{column}` too), for the Response and for the answer, numbers and booleans are
    taken as well.
    """
    strict: list[str] = []
    scalar: list[str] = []
    for canonical, pieces in _templates(mapping).items():
        is_strict = canonical in {"Question", "Complex_CoT", "system"} and _is_bare(
            getattr(mapping, canonical)
        )
        columns = (piece.text for piece in pieces if piece.is_column)
        (strict if is_strict else scalar).extend(columns)
    history = (parse_template(mapping.history)[0].text,) if mapping.history is not None else ()
    text = tuple(dict.fromkeys(column for column in strict if column not in scalar))
    return Wanted(text=text, scalar=tuple(dict.fromkeys(scalar)), json=history)


def _is_bare(value: str) -> bool:
    return not any(match[1] for match in _PIECE.finditer(value))


def adapt_mapping(records: pl.DataFrame, mapping: ColumnMapping) -> Adapted:
    """Return the records' rows.

    Reads the columns that `mapping` names (String, nullable). A bare column is taken as it is. In
    a template a null stands for empty text, counted as `null_in_template`; where all its columns
    are null, so is the value. Only the Question is stripped. Reason: `bad_history`.
    """
    templates = _templates(mapping)
    wanted = wanted_by_mapping(mapping)
    # Names of columns are anyone's, and `pl.col` reads some of them as patterns.
    aliases = {column: f"column_{place}" for place, column in enumerate(wanted.columns)}
    read = pl.DataFrame(
        [
            *(records.get_column(column).alias(alias) for column, alias in aliases.items()),
            *(records.get_column(name) for name in (*PASSED_ON, REST)),
        ]
    )
    columns = {canonical: _value(pieces, aliases) for canonical, pieces in templates.items()}
    columns["meta"] = meta_of(pl.col(REST))
    gaps = [_has_gap(pieces, aliases) for pieces in templates.values()]
    if mapping.history is not None:
        read, columns = _with_history(read, columns, (wanted.json[0], aliases[wanted.json[0]]))
    return shape_rows(read, columns, notes={"null_in_template": pl.any_horizontal(gaps)})


def _templates(mapping: ColumnMapping) -> dict[str, tuple[Piece, ...]]:
    values = {
        "Question": mapping.Question,
        "Complex_CoT": mapping.Complex_CoT,
        "Response": mapping.Response,
        "system": mapping.system,
        "answer": mapping.answer,
    }
    return {name: parse_template(value) for name, value in values.items() if value is not None}


def _columns(pieces: tuple[Piece, ...], aliases: dict[str, str]) -> list[pl.Expr]:
    return [pl.col(aliases[piece.text]) for piece in pieces if piece.is_column]


def _value(pieces: tuple[Piece, ...], aliases: dict[str, str]) -> pl.Expr:
    columns = _columns(pieces, aliases)
    if len(pieces) == 1:
        return columns[0]
    parts = [
        pl.col(aliases[piece.text]).fill_null("") if piece.is_column else pl.lit(piece.text)
        for piece in pieces
    ]
    is_there = pl.any_horizontal(column.is_not_null() for column in columns)
    return pl.when(is_there).then(pl.concat_str(parts))


def _has_gap(pieces: tuple[Piece, ...], aliases: dict[str, str]) -> pl.Expr:
    is_null = [column.is_null() for column in _columns(pieces, aliases)]
    return pl.any_horizontal(is_null) & ~pl.all_horizontal(is_null)


def _with_history(
    read: pl.DataFrame, columns: dict[str, pl.Expr], history: tuple[str, str]
) -> tuple[pl.DataFrame, dict[str, pl.Expr]]:
    column, alias = history
    found = [_turns(text) for text in read[alias]]
    evidence = [
        orjson.dumps({"column": column, **problem._asdict()}).decode() if problem else None
        for _, problem in found
    ]
    more = read.with_columns(
        pl.Series("turns", [turns for turns, _ in found], dtype=pl.List(TURN_DTYPE)),
        pl.Series("problem", evidence, dtype=pl.String),
    )
    is_bad = pl.col(REASON).is_null() & pl.col("problem").is_not_null()
    return more, {
        **columns,
        "history": pl.col("turns"),
        REASON: pl.when(is_bad).then(pl.lit("bad_history")).otherwise(pl.col(REASON)),
        EVIDENCE: pl.when(is_bad).then(pl.col("problem")).otherwise(pl.col(EVIDENCE)),
    }


class _Problem(NamedTuple):
    turn: int | None
    problem: str


def _turns(text: str | None) -> tuple[list[dict[str, str]] | None, _Problem | None]:
    try:
        turns = orjson.loads(text) if text is not None else None
    except orjson.JSONDecodeError as error:
        return None, _Problem(None, str(error))
    if turns is None:
        return None, None
    if not isinstance(turns, list):
        return None, _Problem(None, "is not a list")
    for number, turn in enumerate(turns, 1):
        problem = _turn_problem(turn)
        if problem is not None:
            return None, _Problem(number, problem)
    return turns, None


def _turn_problem(turn: object) -> str | None:
    if not isinstance(turn, dict):
        return "is not an object"
    if turn.keys() != {"role", "content"}:
        return f"has the keys {', '.join(sorted(turn))}"
    if turn["role"] not in ROLES:
        return "role is none of " + ", ".join(ROLES)
    return None if isinstance(turn["content"], str) else "content is not text"
