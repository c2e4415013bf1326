import json

import pytest
import xxhash
from pydantic import ValidationError

from cotdata.stages.sample import Sample, share_of
from tests.stages.frames import questions
from tests.stages.runner import run

ROWS = questions(*(f"question {number}" for number in range(100)))


def drawn(config: Sample, rows: int = 100) -> list[str]:
    return [str(name) for name in run(ROWS[:rows], config).kept["row_id"]]


def by_hash(seed: int, rows: int = 100) -> list[str]:
    names = [f"a:{number}" for number in range(rows)]
    return sorted(names, key=lambda name: xxhash.xxh3_64_intdigest(name.encode(), seed))


@pytest.mark.parametrize("rows", [0, 1, 30, 100])
def test_it_keeps_the_rows_with_the_smallest_hashes_in_their_order(rows: int) -> None:
    expected = by_hash(seed=5)[:rows]
    assert drawn(Sample(rows=rows, seed=5)) == sorted(expected, key=lambda name: int(name[2:]))


def test_more_than_there_are_keeps_them_all() -> None:
    assert len(drawn(Sample(rows=101))) == 100
    assert len(drawn(Sample(rows=10**17))) == 100


@pytest.mark.parametrize(
    ("share", "rows", "kept"),
    [
        (0.5, 3, 2),
        (0.001, 100, 1),
        (0.0, 100, 0),
        (1.0, 100, 100),
        (0.999, 100, 100),
        (1e-7, 10, 1),
        # Products that are not whole in binary floating point: 100 * 0.07 > 7.
        (0.07, 100, 7),
        (0.14, 50, 7),
        (0.29, 100, 29),
        (0.1, 30, 3),
        (0.5, 0, 0),
    ],
)
def test_a_share_is_rounded_up_to_a_whole_row(share: float, rows: int, kept: int) -> None:
    assert len(drawn(Sample(share=share), rows)) == kept
    assert share_of(rows, share) == kept


def test_a_smaller_sample_is_part_of_a_larger_one() -> None:
    assert set(drawn(Sample(rows=10))) < set(drawn(Sample(rows=20)))


def test_the_seed_decides_and_zero_is_the_one_left_out() -> None:
    assert drawn(Sample(rows=10)) == drawn(Sample(rows=10, seed=0))
    assert drawn(Sample(rows=10, seed=1)) != drawn(Sample(rows=10, seed=2))


def test_a_row_left_out_says_its_rank_and_how_many_were_drawn() -> None:
    rejected = run(ROWS, Sample(rows=98, seed=5)).rejected
    evidence = {row["row_id"]: json.loads(row["evidence"]) for row in rejected.to_dicts()}
    ranked = by_hash(seed=5)
    assert evidence == {
        ranked[98]: {"rank": 99, "drawn": 98},
        ranked[99]: {"rank": 100, "drawn": 98},
    }
    assert set(rejected["reason"]) == {"not_sampled"}


@pytest.mark.parametrize(
    "config", [{}, {"rows": 1, "share": 0.5}, {"rows": -1}, {"share": 1.1}, {"share": -0.1}]
)
def test_sizes_that_mean_nothing_are_refused(config: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate(config)
