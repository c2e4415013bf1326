import json

import polars as pl
import pytest
from hypothesis import given
from pydantic import ValidationError

from cotdata.stages.length import Length
from tests.stages.frames import FRAME, LAW, frame, questions
from tests.stages.runner import run


def verdict(text: str | None, **bounds: int) -> str:
    """Say what becomes of one Question."""
    result = run(questions(text), Length.model_validate({"column": "Question"} | bounds))
    return "kept" if result.rejected.is_empty() else str(result.rejected["reason"][0])


def words(text: str) -> int:
    """Return how many words the stage counts, read from its evidence."""
    config = Length(column="Question", max_words=0)
    rejected = run(questions(text), config).rejected
    return int(json.loads(rejected["evidence"][0])["value"]) if rejected.height else 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ab", "too_short"), ("abc", "kept"), ("abcde", "kept"), ("abcdef", "too_long")],
)
def test_bounds_are_inclusive(text: str, expected: str) -> None:
    assert verdict(text, min_chars=3, max_chars=5) == expected
    assert verdict(" ".join(text), min_words=3, max_words=5) == expected


@pytest.mark.parametrize("text", ["发热怎", "é🩺x", "e\u0301x", "a b", "\u200b\u200b\u200b"])
def test_characters_are_code_points_not_bytes(text: str) -> None:
    assert verdict(text, min_chars=3, max_chars=3) == "kept"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a fever of unknown origin", 5),
        ("  a\tfever\n", 2),
        ("well-known, isn't it?", 3),
        ("发热怎么办", 5),
        ("患者 发热", 4),
        ("用MRI检查", 4),
        ("CT示肝大", 4),
        ("熱が出た", 4),
        ("データ", 3),
        ("열이 나요", 2),
        ("a\u3000b\u00a0c", 3),
        ("", 0),
        (" \n", 0),
        ("𠮷野家", 3),
        ("...", 1),
    ],
)
def test_a_chinese_or_japanese_character_is_a_word_of_its_own(text: str, count: int) -> None:
    assert words(text) == count


@pytest.mark.parametrize(
    ("bounds", "reason", "unit", "limit"),
    [
        ({"min_chars": 9, "min_words": 9}, "too_short", "characters", 9),
        ({"max_chars": 1, "max_words": 1}, "too_long", "characters", 1),
        ({"min_chars": 1, "max_words": 1}, "too_long", "words", 1),
        ({"max_chars": 3, "min_words": 3}, "too_short", "words", 3),
        ({"max_chars": 2, "min_words": 3}, "too_long", "characters", 2),
    ],
)
def test_of_several_broken_bounds_characters_come_first(
    bounds: dict[str, int], reason: str, unit: str, limit: int
) -> None:
    config = Length.model_validate({"column": "Question"} | bounds)
    rejected = run(questions("a b"), config).rejected
    assert rejected["reason"].to_list() == [reason]
    assert json.loads(rejected["evidence"][0]) == {
        "column": "Question",
        "unit": unit,
        "value": 3 if unit == "characters" else 2,
        "limit": limit,
    }


def test_a_row_without_the_text_is_kept_and_counted() -> None:
    rows = frame([{"Complex_CoT": None}, {"Complex_CoT": ""}, {"Complex_CoT": None}])
    result = run(rows, Length(min_chars=1))
    assert result.kept["row_id"].to_list() == ["a:0", "a:2"]
    assert result.notes == {"without_value_not_measured": 2}


def test_no_note_where_every_row_was_measured() -> None:
    assert run(questions("a"), Length(column="Question", min_chars=1)).notes == {}


@LAW
@given(rows=FRAME)
def test_plain_python_counts_the_same_characters(rows: pl.DataFrame) -> None:
    kept = run(rows, Length(column="Response", min_chars=2, max_chars=6)).kept
    expected = [text for text in rows["Response"] if text is None or 2 <= len(text) <= 6]
    assert kept["Response"].to_list() == expected


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({}, "needs at least one of"),
        (
            {"min_chars": 2, "max_chars": 1},
            r"min_chars \(2\) is greater than max_chars \(1\)",
        ),
        (
            {"min_words": 2, "max_words": 1},
            r"min_words \(2\) is greater than max_words \(1\)",
        ),
        ({"min_chars": -1}, "greater than or equal to 0"),
    ],
)
def test_bounds_that_let_nothing_through_are_refused(bounds: dict[str, int], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Length.model_validate(bounds)
