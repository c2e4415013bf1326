from collections.abc import Mapping

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cotdata.sources.adapters import ADAPTER_REASONS, ColumnMapping, adapt, wanted
from cotdata.sources.adapters.base import Adapted
from cotdata.sources.adapters.mapping import Piece, parse_template
from cotdata.sources.records import EVIDENCE, REASON
from tests.sources.adapters.frames import read


def adapted(mapping: ColumnMapping, *records: Mapping[str, object]) -> Adapted:
    return adapt(read(records, wanted(mapping)), mapping)


def test_takes_bare_columns_and_templates() -> None:
    mapping = ColumnMapping(Question="{title}\n\n{body text}", Complex_CoT="why", Response="reply")
    native = {"title": "T", "body text": "B", "why": "W", "reply": "R", "left": [1]}
    row = adapted(mapping, native).rows.row(0, named=True)
    assert row["Question"] == "T\n\nB"
    assert (row["Complex_CoT"], row["Response"], row["meta"]) == ("W", "R", '{"left":[1]}')


@pytest.mark.parametrize(
    ("value", "pieces"),
    [
        ("a column", (Piece("a column", True),)),
        ("{a b}", (Piece("a b", True),)),
        ("x{a}", (Piece("x", False), Piece("a", True))),
        ("{{{a}}}", (Piece("{", False), Piece("a", True), Piece("}", False))),
        ("set {{1}}", (Piece("set {1}", True),)),
        ("{Open-ended Verifiable Question}", (Piece("Open-ended Verifiable Question", True),)),
    ],
)
def test_reads_a_value(value: str, pieces: tuple[Piece, ...]) -> None:
    assert parse_template(value) == pieces


@pytest.mark.parametrize(
    "value", ["{", "}", "{a", "a}", "{}", "{a{b}}", "", "__rest__", "{__raw__}"]
)
def test_refuses_a_value_that_names_no_column(value: str) -> None:
    with pytest.raises(ValidationError):
        ColumnMapping(Question=value)


def test_a_null_in_a_template_is_empty_text_and_counted() -> None:
    mapping = ColumnMapping(Question="{a}\n\n{b}", Response="<{c}>")
    found = adapted(mapping, {"a": "A", "b": None, "c": "C"}, {"b": "B"}, {"a": "A", "b": ""})
    assert found.rows["Question"].to_list() == ["A", "B", "A"]
    assert found.rows["Response"].to_list() == ["<C>", None, None]
    assert found.notes == {"null_in_template": 2, "question_stripped": 3}


def test_a_template_of_nulls_is_null() -> None:
    found = adapted(ColumnMapping(Question="{a} {b}"), {"c": 1})
    assert found.rows["Question"].to_list() == [None]
    assert found.notes == {}


def test_numbers_are_taken_where_they_make_sense() -> None:
    found = wanted(ColumnMapping(Question="q", Complex_CoT="c", Response="r", answer="a"))
    assert (found.text, found.scalar, found.json) == (("q", "c"), ("r", "a"), ())
    found = wanted(ColumnMapping(Question="{q} {n}", Complex_CoT="q", system="s", history="h"))
    assert (found.text, found.scalar, found.json) == (("s",), ("q", "n"), ("h",))


def test_one_column_may_serve_twice() -> None:
    mapping = ColumnMapping(Question="q", Response="a", answer="a")
    row = adapted(mapping, {"q": "Q", "a": 42}).rows.row(0, named=True)
    assert (row["Response"], row["answer"], row["meta"]) == ("42", "42", None)


@pytest.mark.parametrize(
    "column",
    [
        "^.*$",
        "*",
        "column_0",
        "a.b",
        "Question",
        "meta",
        "__place",
        "a\nb",
        " ",
        "名",
        "__column__",
    ],
)
def test_a_columns_name_is_never_a_pattern(column: str) -> None:
    mapping = ColumnMapping(Question="q", Response=column, system="{q}{" + column + "}")
    row = adapted(mapping, {column: "R", "q": "Q"}).rows.row(0, named=True)
    assert (row["Question"], row["Response"], row["system"]) == ("Q", "R", "QR")


def test_history_is_read() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    mapping = ColumnMapping(Question="q", history="past")
    found = adapted(mapping, {"q": "Q", "past": turns}, {"q": "Q", "past": None}, {"q": "Q"})
    assert found.rows["history"].to_list() == [turns, None, None]
    assert found.rows[REASON].null_count() == 3


@pytest.mark.parametrize(
    ("past", "turn"),
    [
        ("text", None),
        ([1], 1),
        ([{"role": "user", "content": "a"}, {"role": "human", "content": "b"}], 2),
        ([{"role": "user", "content": None}], 1),
        ([{"role": "user", "content": "a", "name": "b"}], 1),
        ([{"role": ["user"], "content": "a"}], 1),
    ],
)
def test_a_bad_history_is_a_rejected_row(past: object, turn: int | None) -> None:
    found = adapted(ColumnMapping(Question="q", history="past"), {"q": "Q", "past": past})
    assert found.rows[REASON].to_list() == ["bad_history"]
    assert "bad_history" in ADAPTER_REASONS
    evidence = orjson.loads(found.rows[EVIDENCE][0])
    assert (evidence["column"], evidence["turn"]) == ("past", turn)
    assert evidence["problem"]


def test_a_reason_is_kept() -> None:
    mapping = ColumnMapping(Question="q", history="past")
    frame = read([{"q": "Q", "past": 1}], wanted(mapping))
    frame = frame.with_columns(pl.Series(REASON, ["not_text"]), pl.Series(EVIDENCE, ["{}"]))
    found = adapt(frame, mapping).rows
    assert (found[REASON][0], found[EVIDENCE][0]) == ("not_text", "{}")


names = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda name: not (name.startswith("__") and name.endswith("__"))
)


@given(column=names, other=names)
def test_any_column_can_be_mapped(column: str, other: str) -> None:
    mapping = ColumnMapping(Question=column.replace("{", "{{").replace("}", "}}"))
    found = adapted(mapping, {other: "other", column: "Q"})
    assert found.rows["Question"].to_list() == ["Q"]
    left = {} if other == column else {other: "other"}
    assert orjson.loads(found.rows["meta"][0] or "{}") == left
