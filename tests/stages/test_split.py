import itertools
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cotdata.stages.base import NUMBER
from cotdata.stages.split import Split, normalised_question
from tests.stages.frames import FRAME, LAW, frame, questions
from tests.stages.runner import run

MANY = questions(*(f"question {number}" for number in range(4_000)))
GROUPED = ("Response", "answer")


def sides(rows: pl.DataFrame, config: Split) -> list[str]:
    return [str(side) for side in run(rows, config).kept["split"]]


def chosen(rows: pl.DataFrame, config: Split, side: str) -> set[int]:
    kept = run(rows, config).kept
    return set(kept.filter(pl.col("split") == side)[NUMBER])


def hashes(rows: pl.DataFrame, seed: int) -> dict[int, int]:
    """Return the reference hash of each row's question, which is in its normal form."""
    texts = enumerate(rows["Question"])
    return {number: xxhash.xxh3_64_intdigest(text.encode(), seed) for number, text in texts}


def smallest(rows: pl.DataFrame, count: int, seed: int) -> set[int]:
    by_hash = hashes(rows, seed)
    return set(sorted(by_hash, key=lambda number: by_hash[number])[:count])


def components(rows: pl.DataFrame) -> list[set[int]]:
    """Say in plain Python which rows belong together, in any number of steps."""
    question = rows.select(normalised_question().alias("q"))["q"].to_list()
    groups: list[tuple[set[int], set[Any]]] = []
    for number, record in enumerate(rows.to_dicts()):
        values = {("question", question[number])}
        values |= {(name, record[name]) for name in GROUPED if record[name] is not None}
        joined = [group for group in groups if group[1] & values]
        groups = [group for group in groups if not group[1] & values]
        members = set[int]().union({number}, *(group[0] for group in joined))
        groups.append((members, values.union(*(group[1] for group in joined))))
    return [members for members, _ in groups]


@LAW
@given(rows=FRAME, seed=st.integers(0, 50), count=st.integers(0, 4))
def test_one_question_never_stands_on_two_sides(rows: pl.DataFrame, seed: int, count: int) -> None:
    for config in (
        Split(validation=0.4, test=0.3, seed=seed),
        Split(validation=count, test=0.4, seed=seed),
        Split(validation=0.5, test=count, group_by=GROUPED, seed=seed),
    ):
        kept = run(rows, config).kept.with_columns(question=normalised_question())
        assert (kept.group_by("question").agg(pl.col("split").n_unique())["split"] == 1).all()


@pytest.mark.parametrize(
    "twin", ["WHY  me?", " why me?\n", "Ｗｈｙ ｍｅ？", "why\u3000me?", "Why\u00a0Me?"]
)
def test_questions_are_compared_in_nfkc_lower_case_with_blanks_folded(twin: str) -> None:
    rows = questions("why me?", twin)
    assert all(len(set(sides(rows, Split(validation=0.5, seed=seed)))) == 1 for seed in range(40))


def test_questions_that_differ_are_dealt_apart() -> None:
    rows = questions("why me?", "why you?")
    dealt = [tuple(sides(rows, Split(validation=0.5, seed=seed))) for seed in range(40)]
    assert len(set(dealt)) == 4


@LAW
@given(old=FRAME, new=FRAME, seed=st.integers(0, 50))
def test_adding_rows_moves_none_of_the_old_ones(
    old: pl.DataFrame, new: pl.DataFrame, seed: int
) -> None:
    config = Split(validation=0.4, test=0.2, seed=seed)
    more = pl.concat([old, new.with_columns(pl.col(NUMBER) + old.height)])
    assert sides(more, config)[: old.height] == sides(old, config)


@LAW
@given(old=FRAME, new=FRAME, seed=st.integers(0, 50))
def test_adding_rows_moves_only_groups_that_they_join(
    old: pl.DataFrame, new: pl.DataFrame, seed: int
) -> None:
    config = Split(validation=0.4, test=0.2, seed=seed, group_by=GROUPED)
    more = pl.concat([old, new.with_columns(pl.col(NUMBER) + old.height)])
    before, after = sides(old, config), sides(more, config)
    untouched = [group for group in components(more) if max(group) < old.height]
    for number in itertools.chain.from_iterable(untouched):
        assert before[number] == after[number]


@LAW
@given(rows=FRAME, seed=st.integers(0, 50))
def test_what_is_joined_in_any_number_of_steps_stays_together(
    rows: pl.DataFrame, seed: int
) -> None:
    dealt = sides(rows, Split(validation=0.3, test=0.4, seed=seed, group_by=GROUPED))
    for group in components(rows):
        assert len({dealt[number] for number in group}) == 1


def test_groups_are_transitive_over_questions_and_columns() -> None:
    links = [("q1", "x", None), ("q2", "x", "1"), ("Q2 ", None, "2"), ("q3", None, "2")]
    rows = frame([dict(zip(("Question", *GROUPED), link, strict=True)) for link in links])
    dealt = [sides(rows, Split(validation=0.5, seed=seed, group_by=GROUPED)) for seed in range(30)]
    assert {tuple(side) for side in dealt} == {("train",) * 4, ("validation",) * 4}


def test_a_long_chain_of_groups_stays_together() -> None:
    pairs = [(f"q{number}", f"r{number + step}") for number in range(60) for step in (0, 1)]
    rows = frame([{"Question": question, "Response": text} for question, text in pairs])
    assert len(set(sides(rows, Split(validation=0.5, group_by=("Response",))))) == 1


def test_rows_without_a_value_are_not_grouped_by_it() -> None:
    rows = MANY[:200]
    dealt = sides(rows, Split(validation=0.5, group_by=("answer",)))
    assert dealt == sides(rows, Split(validation=0.5))
    assert set(dealt) == {"train", "validation"}


def test_rows_kept_together_for_another_columns_sake_are_noted() -> None:
    rows = frame(
        [
            {"Question": "q1", "answer": "x"},
            {"Question": "q2", "answer": "x"},
            {"Question": "q3", "answer": "y"},
        ]
    )
    result = run(rows, Split(validation=0.1, group_by=("answer",)))
    assert result.notes == {"kept on one side with another question": 2}


@pytest.mark.parametrize("count", [0, 1, 7, 3_999])
def test_a_count_takes_the_smallest_hashes(count: int) -> None:
    assert chosen(MANY, Split(test=count, seed=11), "test") == smallest(MANY, count, 11 + 2)
    drawn = chosen(MANY, Split(validation=count, seed=11), "validation")
    assert drawn == smallest(MANY, count, 11 + 3)


def test_a_count_overshoots_by_the_rest_of_its_last_group() -> None:
    rows = questions(*(f"question {number // 3}" for number in range(30)))
    found = {count: len(chosen(rows, Split(test=count), "test")) for count in range(8)}
    assert found == {0: 0, 1: 3, 2: 3, 3: 3, 4: 6, 5: 6, 6: 6, 7: 9}


def test_a_count_beyond_the_rows_takes_them_all() -> None:
    assert set(sides(MANY[:20], Split(validation=100))) == {"validation"}
    assert set(sides(MANY[:20], Split(test=100, validation=5))) == {"test"}


def test_a_share_is_a_share_of_all_rows() -> None:
    dealt = sides(MANY, Split(validation=0.25, test=0.5))
    assert dealt.count("test") == pytest.approx(2_000, abs=150)
    assert dealt.count("validation") == pytest.approx(1_000, abs=130)


def test_shares_that_round_to_everything_still_deal() -> None:
    dealt = sides(MANY, Split(validation=0.1, test=0.9 - 2**-53))
    assert dealt.count("test") == pytest.approx(3_600, abs=100)
    assert set(dealt) <= {"train", "validation", "test"}


@pytest.mark.parametrize("nothing", [0, 0.0])
def test_nothing_asked_draws_nothing(nothing: float) -> None:
    config = Split.model_validate({"validation": nothing, "test": nothing})
    assert set(sides(MANY, config)) == {"train"}


def test_another_seed_deals_otherwise() -> None:
    drawn = [chosen(MANY, Split(test=0.5, seed=seed), "test") for seed in (None, 0, 1, 2)]
    assert drawn[0] == drawn[1]
    for one, other in itertools.combinations(drawn[1:], 2):
        assert len(one & other) == pytest.approx(1_000, abs=150)


def test_validation_does_not_stir_test() -> None:
    expected = chosen(MANY, Split(test=0.3), "test")
    for validation in (0.0, 0.2, 0.6):
        assert chosen(MANY, Split(validation=validation, test=0.3), "test") == expected


def test_validation_is_drawn_by_a_hash_of_its_own() -> None:
    test = chosen(MANY, Split(test=0.5), "test")
    validation = chosen(MANY, Split(validation=0.5), "validation")
    assert len(test & validation) == pytest.approx(1_000, abs=150)


@pytest.mark.parametrize(
    ("config", "meets"),
    [
        (Split(validation=0.1, test=0.2), False),
        (Split(validation=0.1), False),
        (Split(validation=5), True),
        (Split(validation=0.1, test=5), True),
        (Split(validation=0.1, group_by=("answer",)), True),
    ],
)
def test_keys_meet_in_one_place_only_where_they_must(config: Split, meets: bool) -> None:
    from cotdata.stages import dataset_rounds

    (only,) = dataset_rounds(config)
    assert (only.by is None) is meets


@pytest.mark.parametrize(
    "sizes",
    [(0.5, 0.5), (0.9, 0.2), (1.0, 0), (-0.1, 0), (-1, 0), (float("nan"), 0), (500.0, 0), ("1", 0)],
)
def test_sizes_that_leave_nothing_to_train_on_are_refused(sizes: Sequence[object]) -> None:
    with pytest.raises(ValidationError):
        Split.model_validate({"validation": sizes[0], "test": sizes[1]})


def test_a_share_takes_the_hashes_below_it() -> None:
    # What this deals in one version it deals in the next: published splits depend on it.
    expected = {n for n, digest in hashes(MANY, 3407 + 2).items() if digest < 0.3 * 2**64}
    assert chosen(MANY, Split(test=0.3, seed=3407), "test") == expected


def test_sides_are_pinned() -> None:
    dealt = sides(MANY[:12], Split(validation=0.3, test=0.3, seed=3407))
    places = {side: [at for at, found in enumerate(dealt) if found == side] for side in set(dealt)}
    assert places == {
        "train": [5, 6],
        "validation": [1, 4, 9],
        "test": [0, 2, 3, 7, 8, 10, 11],
    }
