import json

import polars as pl
import pytest
from hypothesis import given

from cotdata.row import WHITE_SPACE
from cotdata.stages.require_fields import RequireFields
from tests.stages.frames import FRAME, LAW, frame
from tests.stages.runner import run


@pytest.mark.parametrize("blank", [None, "", *WHITE_SPACE, WHITE_SPACE])
def test_nothing_but_white_space_is_missing(blank: str | None) -> None:
    rows = frame([{"Question": "q", "Complex_CoT": "c", "Response": blank}])
    assert run(rows, RequireFields()).rejected["reason"].to_list() == ["missing_field"]


@pytest.mark.parametrize("text", ["x", " x ", "\u200b", "\x1c", "0", "null"])
def test_anything_else_is_a_value(text: str) -> None:
    rows = frame([{"Question": "q", "Complex_CoT": "c", "Response": text}])
    assert run(rows, RequireFields()).kept.equals(rows)


def test_the_evidence_names_every_missing_column_in_the_order_asked() -> None:
    rows = frame([{"Question": "q", "answer": " "}])
    config = RequireFields(columns=("answer", "Question", "Response"))
    evidence = run(rows, config).rejected["evidence"]
    assert json.loads(evidence[0]) == {"columns": ["answer", "Response"]}


def test_columns_that_are_not_asked_for_may_be_missing() -> None:
    rows = frame([{"Question": "q"}])
    assert run(rows, RequireFields(columns=("Question",))).kept.equals(rows)


@LAW
@given(rows=FRAME)
def test_plain_python_finds_the_same_rows(rows: pl.DataFrame) -> None:
    required = ("Question", "Response")
    expected = [
        record["row_id"]
        for record in rows.to_dicts()
        if all((record[name] or "").strip(WHITE_SPACE) for name in required)
    ]
    assert run(rows, RequireFields(columns=required)).kept["row_id"].to_list() == expected
