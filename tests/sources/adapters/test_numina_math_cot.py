from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.row import ROW_SCHEMA
from cotdata.sources.adapters import NuminaMathCot, adapt, wanted
from cotdata.sources.adapters.base import Adapted
from cotdata.sources.adapters.boxed import last_box
from cotdata.sources.records import EVIDENCE, PLACE, RAW, REASON
from tests.sources.adapters.frames import read

NUMINA = NuminaMathCot()


def record(solution: str | None, **more: Any) -> dict[str, object]:
    turns = [{"content": "2+3?", "role": "user"}, {"content": solution, "role": "assistant"}]
    return {"source": "math", "problem": "2+3?", "solution": solution, "messages": turns, **more}


def adapted(*records: Mapping[str, object]) -> Adapted:
    return adapt(read(records, wanted(NUMINA)), NUMINA)


def test_fills_the_canonical_columns() -> None:
    found = adapted(record(r"Add them. The sum is $\boxed{5}$."))
    row = found.rows.row(0, named=True)
    assert row["Question"] == "2+3?"
    assert row["Complex_CoT"] == r"Add them. The sum is $\boxed{5}$."
    assert row["Response"] == r"The sum is $\boxed{5}$."
    assert row["answer"] == "5"
    assert row["meta"] == '{"source":"math"}'
    assert (row["system"], row["history"], row["language"]) == (None, None, None)
    assert found.notes == {"messages_equal_columns": 1}


def test_has_the_types_of_a_row_and_the_readers_columns() -> None:
    schema = adapted(record("x")).rows.schema
    canonical = {name: dtype for name, dtype in ROW_SCHEMA.items() if name in schema}
    assert set(ROW_SCHEMA) - set(canonical) == {"row_id", "origin", "source"}
    more = {PLACE: pl.UInt64, REASON: pl.String, EVIDENCE: pl.String, RAW: pl.Binary}
    assert dict(schema) == {**canonical, **more}
    assert adapted().rows.schema == schema


def test_a_solution_without_a_box_has_no_response_and_is_counted() -> None:
    found = adapted(record("A proof."), record(r"A proof. $\boxed{}$"), record(None))
    assert found.rows["Response"].to_list() == [None] * 3
    assert found.rows["answer"].to_list() == [None] * 3
    assert found.notes["no_boxed_answer"] == 2


def test_the_last_of_several_boxes_counts_and_is_noted() -> None:
    found = adapted(record(r"So $\boxed{1}$. And $\boxed{2}$."), record(r"$\fbox{3}$ \boxed{4"))
    assert found.rows["answer"].to_list() == ["2", "3"]
    assert found.notes["several_boxed"] == 2
    assert found.notes["box_passed_over"] == 1


def test_strips_the_question_and_counts_it() -> None:
    found = adapted({**record("x"), "problem": "\u3000 2+3?\n"}, record("x"))
    assert found.rows["Question"].to_list() == ["2+3?", "2+3?"]
    assert found.notes["question_stripped"] == 1


@pytest.mark.parametrize(
    "turns",
    [
        [{"role": "user", "content": "2+3?"}],
        [{"role": "user", "content": "2+3?"}, {"role": "assistant", "content": "y"}],
        [{"role": "system", "content": "2+3?"}, {"role": "assistant", "content": "x"}],
        [{"role": "user", "content": "2+3?", "n": 1}, {"role": "assistant", "content": "x"}],
        [],
        "text",
        {"a": 1},
    ],
)
def test_messages_that_say_more_stay_in_meta(turns: object) -> None:
    found = adapted(record("x", messages=turns))
    assert orjson.loads(found.rows["meta"][0]) == {"source": "math", "messages": turns}
    assert "messages_equal_columns" not in found.notes


def test_messages_may_have_their_keys_in_any_order() -> None:
    turns = [{"role": "user", "content": "2+3?"}, {"role": "assistant", "content": "x"}]
    found = adapted(record("x", messages=turns), record("x"), record("y", messages=turns))
    assert found.notes["messages_equal_columns"] == 2
    assert found.rows["meta"].str.contains("messages").to_list() == [False, False, True]


def test_messages_alone_are_a_whole_meta() -> None:
    bare = {"problem": "q", "solution": "s", "messages": [1]}
    found = adapted(bare, {"problem": "q", "solution": "s"})
    assert found.rows["meta"].to_list() == ['{"messages":[1]}', None]


def test_messages_that_orjson_cannot_read_stay_as_they_are() -> None:
    frame = read([record("x")], wanted(NUMINA)).with_columns(messages=pl.lit('["\\ud800"]'))
    assert adapt(frame, NUMINA).rows["meta"][0] == '{"source":"math","messages":["\\ud800"]}'


def test_a_record_with_a_reason_passes_through_and_is_not_counted() -> None:
    frame = read([record(" x"), record("y")], wanted(NUMINA)).with_columns(
        pl.Series(REASON, ["not_text", None]),
        pl.Series(EVIDENCE, ['{"column":"problem"}', None]),
        pl.Series(RAW, [b"\xff", None]),
        problem=pl.Series([None, "q"], dtype=pl.String),
    )
    found = adapt(frame, NUMINA)
    assert found.rows.select(PLACE, REASON, EVIDENCE, RAW).equals(
        frame.select(PLACE, REASON, EVIDENCE, RAW)
    )
    assert found.rows["Complex_CoT"].to_list() == [" x", "y"]
    assert found.notes == {"no_boxed_answer": 1}


text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)


@given(
    problem=text, solution=text, more=st.dictionaries(text, text | st.integers(0, 9), max_size=2)
)
def test_nothing_is_lost(problem: str, solution: str, more: dict[str, object]) -> None:
    native = {**more, "problem": problem, "solution": solution}
    native["messages"] = [
        {"content": problem, "role": "user"},
        {"content": solution, "role": "assistant"},
    ]
    found = adapted(native)
    row = found.rows.row(0, named=True)
    meta = orjson.loads(row["meta"] or "{}")
    rest = {name: value for name, value in native.items() if name in more and name not in row}
    assert row["Complex_CoT"] == solution
    assert row["Question"] in problem
    assert found.notes["messages_equal_columns"] == 1
    for name, value in rest.items():
        if name not in {"problem", "solution", "messages"}:
            assert meta[name] == value


@pytest.mark.real_data
def test_reads_real_rows(real_data: Path) -> None:
    native = pl.read_parquet(real_data / "math" / "numina_math_cot_1k.parquet")
    found = adapted(*native.to_dicts())
    rows = found.rows
    assert rows.height == 1000
    assert rows["Complex_CoT"].equals(native["solution"].rename("Complex_CoT"))
    assert found.notes["messages_equal_columns"] == 1000
    assert rows["meta"].unique().to_list() == ['{"source":"unknown"}']
    boxed = rows.filter(pl.col("Response").is_not_null())
    assert boxed.height == 1000 - found.notes["no_boxed_answer"] == 960
    for solution, response, answer in boxed["Complex_CoT", "Response", "answer"].iter_rows():
        assert answer in response
        assert response in solution
        assert "boxed" in response
        box = last_box(solution)
        assert box is not None
        start = solution.rfind(response, 0, box.start + len(response))
        assert 0 <= start <= box.start < box.end <= start + len(response)
    assert boxed.filter(pl.col("Response").str.len_chars() < 200).height > 930


@pytest.mark.real_data
def test_real_statements_are_balanced(real_data: Path) -> None:
    native = pl.read_parquet(real_data / "math" / "numina_math_cot_1k.parquet")
    responses = adapted(*native.to_dicts()).rows["Response"].drop_nulls()
    for opening, closing in ((r"\[", r"\]"), (r"\(", r"\)"), (r"\begin{", r"\end{")):
        opened = responses.str.count_matches(opening, literal=True)
        closed = responses.str.count_matches(closing, literal=True)
        assert responses.filter(opened != closed).to_list() == []
