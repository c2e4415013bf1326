import json
import math
import re
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cotdata.row import WHITE_SPACE
from cotdata.stages import exact_dedup
from cotdata.stages.base import NUMBER, StageResult
from cotdata.stages.exact_dedup import ExactDedup, exact_dedup_rounds
from tests.stages.frames import CUTS, FRAME, LAW, frame
from tests.stages.runner import decision, run

ON_QUESTION: Final = ExactDedup(on=("Question",))
BLANKS: Final = re.compile(f"[{WHITE_SPACE}]+")
CONFIGS: Final = (
    ExactDedup(),
    ON_QUESTION,
    ExactDedup(on=("Question", "answer"), ignore_case=True),
    ExactDedup(on=("Question",), ignore_white_space=True, keep="longest_cot"),
    ExactDedup(on=("Response",), ignore_case=True, ignore_white_space=True, keep="shortest_cot"),
    ExactDedup(on=("language",), keep="best", by="score"),
)


each_config = pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.keep)


def kept_ids(result: StageResult) -> list[str]:
    return [str(name) for name in result.kept["row_id"]]


def evidence(result: StageResult) -> list[dict[str, Any]]:
    return [json.loads(text) for text in result.rejected["evidence"]]


def compared(text: str | None, config: ExactDedup) -> str | None:
    if text is None:
        return None
    if config.ignore_white_space:
        text = BLANKS.sub(" ", text).strip(" ")
    return text.lower() if config.ignore_case else text


def rank(record: dict[str, Any], config: ExactDedup) -> float:
    number: float | None = 0.0
    if config.keep in {"longest_cot", "shortest_cot"}:
        cot = record["Complex_CoT"]
        number = None if cot is None else len(cot) * (1 if config.keep == "longest_cot" else -1)
    if config.keep == "best":
        number = record[str(config.by)]
    return -math.inf if number is None or math.isnan(number) else number


def survivors(rows: pl.DataFrame, config: ExactDedup) -> list[str]:
    """Say in plain Python which rows stay."""
    best: dict[tuple[str | None, ...], dict[str, Any]] = {}
    for record in rows.to_dicts():
        twins = tuple(compared(record[name], config) for name in config.on)
        if twins not in best or rank(record, config) > rank(best[twins], config):
            best[twins] = record
    return [record["row_id"] for record in sorted(best.values(), key=lambda row: row[NUMBER])]


@each_config
@LAW
@given(rows=FRAME, cuts=CUTS)
def test_it_keeps_what_plain_python_keeps(
    config: ExactDedup, rows: pl.DataFrame, cuts: list[int]
) -> None:
    assert kept_ids(run(rows, config, cuts)) == survivors(rows, config)


@each_config
@LAW
@given(rows=FRAME, cuts=CUTS, partitions=st.integers(1, 3))
def test_texts_with_one_hash_are_told_apart_by_their_text(
    config: ExactDedup, rows: pl.DataFrame, cuts: list[int], partitions: int
) -> None:
    expected = run(rows, config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact_dedup, "columns_hash", lambda _: pl.lit(7, pl.UInt64))
        collided = run(rows, config, cuts, partitions)
    assert collided.kept.equals(expected.kept)
    assert collided.rejected.equals(expected.rejected)


@LAW
@given(rows=FRAME)
def test_the_named_twin_is_kept_and_has_the_same_text(rows: pl.DataFrame) -> None:
    result = run(rows, ON_QUESTION)
    kept = {row["row_id"]: row for row in result.kept.to_dicts()}
    for record, said in zip(result.rejected.to_dicts(), evidence(result), strict=True):
        twin = kept[said["kept"]]
        assert twin["Question"] == record["Question"]
        assert said["kept_origin"] == twin["origin"]
        assert said["twins"] == rows["Question"].eq_missing(record["Question"]).sum()
        assert said["on"] == ["Question"]


def test_the_first_of_the_twins_stays() -> None:
    rows = frame([{"Question": "q"}, {"Question": "other"}, {"Question": "q"}, {"Question": "q"}])
    result = run(rows, ON_QUESTION)
    assert kept_ids(result) == ["a:0", "a:1"]
    assert result.rejected["reason"].to_list() == ["exact_duplicate"] * 2
    assert evidence(result)[0] == {
        "kept": "a:0",
        "kept_origin": "a.jsonl:1",
        "on": ["Question"],
        "twins": 3,
    }


@pytest.mark.parametrize(
    ("keep", "cots", "kept"),
    [
        ("longest_cot", ["aa", "aaa", "a"], "a:1"),
        ("shortest_cot", ["aa", "aaa", "a"], "a:2"),
        ("longest_cot", ["a", "bb", "cc"], "a:1"),
        ("shortest_cot", ["aa", "b", "c"], "a:1"),
        ("longest_cot", ["ééé", "aaaa", "发"], "a:1"),
        ("longest_cot", [None, "", None], "a:1"),
        ("shortest_cot", [None, "aaaa", None], "a:1"),
        ("shortest_cot", [None, "", "a"], "a:1"),
        ("longest_cot", [None, None, None], "a:0"),
        ("first", [None, "a", "aa"], "a:0"),
    ],
)
def test_keep_chooses_by_reasoning_and_ties_go_to_the_first(
    keep: str, cots: list[str | None], kept: str
) -> None:
    rows = frame([{"Question": "q", "Complex_CoT": cot} for cot in cots])
    config = ExactDedup.model_validate({"on": ["Question"], "keep": keep})
    assert kept_ids(run(rows, config)) == [kept]
    assert kept_ids(run(rows, config, cuts=[1, 2])) == [kept]


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        ([0.1, 0.9, 0.5], "a:1"),
        ([None, 0.0, None], "a:1"),
        ([None, -5.0, -4.0], "a:2"),
        ([math.nan, 0.0, 1.0], "a:2"),
        ([math.nan, math.inf, 1.0], "a:1"),
        ([None, None, None], "a:0"),
        ([math.nan, None, math.nan], "a:0"),
        ([1.0, 1.0, 0.0], "a:0"),
    ],
)
def test_best_is_the_highest_number_and_none_is_worst(
    scores: list[float | None], kept: str
) -> None:
    rows = frame([{"Question": "q", "score": score} for score in scores])
    config = ExactDedup(on=("Question",), keep="best", by="score")
    assert kept_ids(run(rows, config)) == [kept]


def test_best_reads_whole_numbers_and_truth_values_too() -> None:
    rows = frame([{"Question": "q"}, {"Question": "q"}])
    config = ExactDedup(on=("Question",), keep="best", by="score")
    for column in (pl.Series([1, 3], dtype=pl.UInt8), pl.Series([False, True])):
        assert kept_ids(run(rows.with_columns(score=column), config)) == ["a:1"]


def test_case_counts_unless_it_is_ignored() -> None:
    rows = frame([{"Question": text} for text in ("Ärzte", "ärzte", "ÄRZTE")])
    assert kept_ids(run(rows, ON_QUESTION)) == ["a:0", "a:1", "a:2"]
    ignoring = ExactDedup(on=("Question",), ignore_case=True)
    assert kept_ids(run(rows, ignoring)) == ["a:0"]


def test_white_space_counts_unless_it_is_ignored() -> None:
    rows = frame([{"Question": text} for text in ("a b", "a\u3000\n b", " a b\t", "ab")])
    assert kept_ids(run(rows, ON_QUESTION)) == ["a:0", "a:1", "a:2", "a:3"]
    ignoring = ExactDedup(on=("Question",), ignore_white_space=True)
    assert kept_ids(run(rows, ignoring)) == ["a:0", "a:3"]


def test_no_value_and_an_empty_text_differ() -> None:
    rows = frame([{"Response": text} for text in (None, "", None, "")])
    assert kept_ids(run(rows, ExactDedup(on=("Response",)))) == ["a:0", "a:1"]


def test_columns_are_not_run_together() -> None:
    rows = frame(
        [
            {"Question": "ab", "Response": "c"},
            {"Question": "a", "Response": "bc"},
            {"Question": "c", "Response": "ab"},
            {"Question": None, "Response": "ab"},
            {"Question": "ab", "Response": None},
        ]
    )
    config = ExactDedup(on=("Question", "Response"))
    assert run(rows, config).rejected.is_empty()


def test_equal_rows_travel_with_one_text_from_each_shard() -> None:
    text = "x" * 1_000
    rows = frame([{"Question": text}] * 10_000)
    hashes, texts = exact_dedup_rounds(ON_QUESTION)
    shards = [rows[:6_000], rows[6_000:]]
    candidates = hashes.decide(pl.concat(hashes.keys(shard, None) for shard in shards))
    keys = [texts.keys(shard, candidates) for shard in shards]
    assert [table["text_0"].drop_nulls().to_list() for table in keys] == [[text], [text]]
    assert evidence(run(rows, ON_QUESTION, cuts=[6_000]))[-1]["twins"] == 10_000


def test_only_rows_that_share_a_hash_travel_with_their_text() -> None:
    rows = frame([{"Question": text} for text in ("a", "b", "a", "c")])
    hashes, texts = exact_dedup_rounds(ON_QUESTION)
    assert texts.is_narrow
    candidates = hashes.decide(hashes.keys(rows, None))
    assert candidates[NUMBER].to_list() == [0, 2]
    assert texts.keys(rows, candidates)[NUMBER].to_list() == [0, 2]


def test_without_candidates_no_text_travels() -> None:
    _, texts = exact_dedup_rounds(ON_QUESTION)
    rows = frame([{"Question": "a"}, {"Question": "a"}])
    assert texts.keys(rows, None).is_empty()


def test_without_twins_nothing_is_decided() -> None:
    rows = frame([{"Question": "a"}, {"Question": "b"}])
    assert decision([rows], ON_QUESTION).is_empty()
    assert run(rows, ON_QUESTION).kept.equals(rows)


@pytest.mark.parametrize("config", [{"keep": "best"}, {"by": "score"}])
def test_best_and_by_go_together(config: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="go together"):
        ExactDedup.model_validate(config)
