import json
import sys
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata.row import ROLES, ROW_SCHEMA, WHITE_SPACE, Row, is_valid, row_problems, split_valid

PYTHON_BLANKS = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]

TEXT = st.one_of(
    st.text(max_size=4),
    st.text(st.sampled_from([*PYTHON_BLANKS, "a", "\u200b", "\ufeff", "\u180e"]), max_size=4),
)
TURN = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "role": st.one_of(st.none(), st.sampled_from([*ROLES, "robot", "User", ""])),
            "content": st.one_of(st.none(), TEXT),
        }
    ),
)
LANGUAGE = st.one_of(TEXT, st.sampled_from(["en", "zh", "und", "EN", "eng", "en\n", "en-GB", "é"]))
META = st.one_of(
    TEXT, st.sampled_from(["{}", '{"a": 1}', "{", "}", "[]", " {}", "{} ", "{\n}", "null"])
)


def _mostly(good: Any, other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    # Were every column arbitrary, hardly a row would be valid, and agreement would be cheap.
    return st.one_of(st.just(good), st.just(good), st.just(good), st.none(), other)


RECORD = st.fixed_dictionaries(
    {
        "row_id": _mostly("a:0", TEXT),
        "origin": _mostly("a.jsonl:1", TEXT),
        "source": _mostly("a", TEXT),
        "Question": _mostly("Why?", TEXT),
        "Complex_CoT": st.one_of(st.none(), TEXT),
        "Response": st.one_of(st.none(), TEXT),
        "system": st.one_of(st.none(), TEXT),
        "history": _mostly(None, st.lists(TURN, max_size=3)),
        "answer": st.one_of(st.none(), TEXT),
        "language": _mostly("en", LANGUAGE),
        "meta": _mostly("{}", META),
    }
)
FRAME = st.lists(RECORD, max_size=8).map(lambda rows: pl.DataFrame(rows, schema=ROW_SCHEMA))


def row(**changes: Any) -> pl.DataFrame:
    record = dict.fromkeys(ROW_SCHEMA, None) | {
        "row_id": "a:0",
        "origin": "a.jsonl:1",
        "source": "a",
        "Question": "Why?",
    }
    return pl.DataFrame([record | changes], schema=ROW_SCHEMA)


def problems(frame: pl.DataFrame) -> dict[str, str]:
    evidence = json.loads(split_valid(frame)[1]["evidence"][0])
    return {problem["column"]: problem["problem"] for problem in evidence}


@settings(deadline=None, max_examples=400, derandomize=True)
@given(FRAME)
def test_the_vectorised_contract_agrees_with_pydantic_on_every_row(frame: pl.DataFrame) -> None:
    expected = [not row_problems(record) for record in frame.to_dicts()]
    assert frame.select(is_valid().alias("valid"))["valid"].to_list() == expected


@settings(deadline=None, max_examples=200, derandomize=True)
@given(FRAME)
def test_splitting_loses_no_row_and_keeps_their_order(frame: pl.DataFrame) -> None:
    numbered = frame.with_row_index("number")
    valid, broken = split_valid(numbered)
    assert valid.columns == numbered.columns
    assert broken.columns == [*numbered.columns, "reason", "evidence"]
    both = pl.concat([valid, broken.drop("reason", "evidence")])
    assert both.sort("number").equals(numbered)
    assert valid["number"].is_sorted()
    assert broken["number"].is_sorted()


@settings(deadline=None, max_examples=200, derandomize=True)
@given(FRAME)
def test_every_broken_row_says_what_pydantic_says(frame: pl.DataFrame) -> None:
    _, broken = split_valid(frame)
    assert (broken["reason"] == "invalid_row").all()
    for record in broken.to_dicts():
        evidence = json.loads(record.pop("evidence"))
        record.pop("reason")
        assert evidence == [problem.model_dump() for problem in row_problems(record)]
        assert evidence


@pytest.mark.parametrize("blank", PYTHON_BLANKS, ids=lambda blank: f"U+{ord(blank):04X}")
@pytest.mark.parametrize("shape", ["{}", "{}x", "x{}", "x{}x"])
def test_blanks_are_unicode_white_space(blank: str, shape: str) -> None:
    frame = row(Question=shape.format(blank))
    is_bad = blank in WHITE_SPACE and shape != "x{}x"
    assert (split_valid(frame)[1].height == 1) is is_bad
    assert bool(row_problems(frame.to_dicts()[0])) is is_bad


def test_white_space_is_what_polars_strips() -> None:
    codes = [code for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    characters = pl.Series([chr(code) for code in codes])
    stripped = characters.filter(characters.str.strip_chars() == "")
    assert "".join(stripped) == "".join(sorted(WHITE_SPACE))


@pytest.mark.parametrize(
    ("turn", "column"),
    [
        (None, "history.1"),
        ({"role": None, "content": "x"}, "history.1.role"),
        ({"role": "robot", "content": "x"}, "history.1.role"),
        ({"role": "user", "content": None}, "history.1.content"),
    ],
)
def test_a_broken_turn_is_named_by_its_place(turn: dict[str, str] | None, column: str) -> None:
    assert [*problems(row(history=[{"role": "user", "content": "Hi"}, turn]))] == [column]


def test_every_problem_of_a_row_is_reported_at_once() -> None:
    found = problems(row(row_id="", Question=" x", language="english", meta="[]"))
    assert found == {
        "row_id": "is empty",
        "Question": "has blanks at its ends",
        "language": "String should match pattern '^(?:[a-z]{2}|und)$'",
        "meta": "is not a JSON object",
    }


def test_a_missing_value_is_named() -> None:
    assert problems(row(Question=None)) == {"Question": "Input should be a valid string"}


def test_further_columns_do_not_make_a_row_invalid() -> None:
    frame = row().with_columns(cluster_id=pl.lit(3))
    assert split_valid(frame)[0].equals(frame)
    assert split_valid(frame.with_columns(Question=pl.lit("")))[1]["evidence"][0] == (
        '[{"column":"Question","problem":"is empty"}]'
    )


def test_an_empty_frame_splits_into_two() -> None:
    valid, broken = split_valid(row().clear())
    assert (valid.height, broken.height) == (0, 0)
    assert broken.schema["reason"] == broken.schema["evidence"] == pl.String


def test_the_model_and_the_schema_have_the_same_columns() -> None:
    assert list(Row.model_fields) == ROW_SCHEMA.names()
