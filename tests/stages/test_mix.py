import json
from typing import Any

import polars as pl
import pytest
import xxhash
from pydantic import ValidationError

from cotdata.stages.mix import COPIES, Mix, Portion
from tests.stages.frames import frame
from tests.stages.runner import run

ROWS = frame([{"Question": "q", "source": "ab"[number % 2]} for number in range(200)])
DEALT = ROWS.with_columns(
    split=pl.when(pl.int_range(pl.len()) < 40).then(pl.lit("test")).otherwise(pl.lit("train"))
)


def mixed(rows: pl.DataFrame, **portion: Any) -> pl.DataFrame:
    return run(rows, Mix(portions=(Portion(source="a", **portion),), seed=3)).kept


@pytest.mark.parametrize(
    ("portion", "kept"),
    [
        ({"weight": 0.5}, 50),
        ({"weight": 0.501}, 51),
        ({"weight": 0.07}, 7),
        ({"weight": 1.0}, 100),
        ({"max_rows": 30}, 30),
        ({"max_rows": 0}, 0),
        ({"max_rows": 1_000}, 100),
        ({"weight": 0.5, "max_rows": 30}, 30),
        ({"weight": 0.2, "max_rows": 30}, 20),
    ],
)
def test_weight_comes_before_the_cap_and_is_rounded_up(portion: dict[str, Any], kept: int) -> None:
    rows = mixed(ROWS, **portion)
    assert rows.filter(source="a").height == kept
    assert rows.filter(source="b").height == 100


def test_it_draws_the_rows_with_the_smallest_hashes() -> None:
    names = [f"a:{number}" for number in range(0, 200, 2)]
    by_hash = sorted(names, key=lambda name: xxhash.xxh3_64_intdigest(name.encode(), 3))
    drawn = mixed(ROWS, max_rows=10).filter(source="a")["row_id"]
    assert set(drawn) == set(by_hash[:10])


def test_repeat_says_how_often_a_drawn_row_stands() -> None:
    rows = mixed(ROWS, max_rows=10, repeat=3)
    assert rows.filter(source="a")[COPIES].to_list() == [3] * 10
    assert rows.filter(source="b")[COPIES].to_list() == [None] * 100


def test_a_row_that_stands_once_is_not_in_the_decision() -> None:
    assert mixed(ROWS, weight=0.5)[COPIES].null_count() == 150


def test_only_train_is_mixed() -> None:
    rows = mixed(DEALT, max_rows=10, repeat=2)
    test = rows.filter(split="test")
    assert test.height == 40
    assert test[COPIES].null_count() == 40
    assert rows.filter(split="train", source="a").height == 10


def test_a_weight_is_a_share_of_the_train_rows() -> None:
    assert mixed(DEALT, weight=0.5).filter(split="train", source="a").height == 40


def test_each_source_has_its_own_portion() -> None:
    config = Mix(portions=(Portion(source="b", weight=0.1), Portion(source="a", repeat=2)))
    rows = run(ROWS, config).kept
    assert rows.filter(source="b").height == 10
    assert rows.filter(source="a")[COPIES].to_list() == [2] * 100


def test_a_row_left_out_says_its_source_rank_and_how_many_were_drawn() -> None:
    rejected = run(ROWS, Mix(portions=(Portion(source="a", max_rows=98),))).rejected
    evidence = [json.loads(text) for text in rejected["evidence"]]
    assert {said["rank"] for said in evidence} == {99, 100}
    assert {(said["source"], said["drawn"]) for said in evidence} == {("a", 98)}
    assert set(rejected["reason"]) == {"not_drawn"}


def test_another_seed_draws_other_rows() -> None:
    drawn = [
        run(ROWS, Mix(portions=(Portion(source="a", weight=0.5),), seed=seed)).kept["row_id"]
        for seed in (1, 2)
    ]
    assert not drawn[0].equals(drawn[1])


@pytest.mark.parametrize("portion", [{"weight": 0}, {"weight": 2}, {"max_rows": -1}, {"repeat": 0}])
def test_a_portion_that_means_nothing_is_refused(portion: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Portion.model_validate({"source": "a"} | portion)
