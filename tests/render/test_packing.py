"""First-fit decreasing, and what trainers are given."""

from itertools import accumulate

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata.errors import StageError
from cotdata.render.columns import IGNORED
from cotdata.render.packing import PACKED_SCHEMA, Packing, pack, pack_frames, packed_rows


def first_fit_decreasing(lengths: list[int], max_tokens: int) -> list[int]:
    """Pack as the textbook says: every row looks at every sequence."""
    rooms: list[int] = []
    bin_of = [0] * len(lengths)
    for row in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        fitting = [place for place, room in enumerate(rooms) if room >= lengths[row]]
        place = fitting[0] if fitting else len(rooms)
        if not fitting:
            rooms.append(max_tokens)
        rooms[place] -= lengths[row]
        bin_of[row] = place
    return bin_of


def rows(lengths: list[int], *, prompt: int = 1) -> pl.DataFrame:
    """Return rows whose every token says which row and place it is of; prompts are masked."""
    ids = [[1_000 * row + place for place in range(size)] for row, size in enumerate(lengths)]
    labels = [[IGNORED] * prompt + tokens[prompt:] for tokens in ids]
    return pl.DataFrame(
        {"row_id": [f"a:{row}" for row in range(len(lengths))], "input_ids": ids, "labels": labels},
        schema={
            "row_id": pl.String,
            "input_ids": pl.List(pl.Int32),
            "labels": pl.List(pl.Int32),
        },
    )


def packed(lengths: list[int], max_tokens: int, *, prompt: int = 1) -> pl.DataFrame:
    frame = rows(lengths, prompt=prompt)
    packing = pack(np.array(lengths, dtype=np.int64), max_tokens)
    return packed_rows(frame["row_id"], frame["input_ids"], frame["labels"], packing)


SIZES = st.integers(1, 40).flatmap(
    lambda max_tokens: st.tuples(st.lists(st.integers(1, max_tokens)), st.just(max_tokens))
)


@settings(deadline=None)
@given(SIZES)
def test_packs_as_first_fit_decreasing_does(case: tuple[list[int], int]) -> None:
    lengths, max_tokens = case
    packing = pack(np.array(lengths, dtype=np.int64), max_tokens)
    expected = first_fit_decreasing(lengths, max_tokens)
    assert packing.bin_of.tolist() == expected
    assert packing.bins == len(set(expected))
    assert packing.tokens == sum(lengths)


def test_packs_many_rows_as_first_fit_decreasing_does() -> None:
    lengths = np.random.default_rng(7).lognormal(5, 0.9, 3_000).clip(1, 2_048).astype(np.int64)
    expected = first_fit_decreasing(lengths.tolist(), 2_048)
    assert pack(lengths, 2_048).bin_of.tolist() == expected


def test_lengths_of_any_integer_type_pack_alike() -> None:
    for dtype in (np.uint16, np.uint32, np.int32):
        packing = pack(np.array([9, 60_000, 12, 5_536], dtype=dtype), 65_536)
        assert packing.bin_of.tolist() == [1, 0, 1, 0]


def test_the_order_lists_every_row_once_by_sequence() -> None:
    packing = pack(np.array([3, 9, 1, 7, 1]), 10)
    assert packing.bin_of.tolist() == [1, 0, 0, 1, 2]
    assert packing.order.tolist() == [1, 2, 0, 3, 4]


def test_utilisation_is_the_share_of_the_room_that_is_filled() -> None:
    assert pack(np.array([6, 4, 5]), 10).utilisation == pytest.approx(0.75)
    assert pack(np.array([], dtype=np.int64), 10).utilisation == 0.0


def test_no_room_is_too_wide() -> None:
    packing = pack(np.array([5, 7]), 10**11)
    assert isinstance(packing, Packing)
    assert packing.bins == 1


@pytest.mark.parametrize("length", [0, 11])
def test_a_row_that_cannot_be_packed_is_named(length: int) -> None:
    with pytest.raises(StageError, match=f"a row of {length} tokens cannot be packed into 10"):
        pack(np.array([3, length]), 10)


def test_a_packed_sequence_holds_whole_rows_side_by_side() -> None:
    first, second = packed([3, 4, 2], 6).to_dicts()
    assert first == {
        "row_ids": ["a:1", "a:2"],
        "input_ids": [1_000, 1_001, 1_002, 1_003, 2_000, 2_001],
        "labels": [IGNORED, 1_001, 1_002, 1_003, IGNORED, 2_001],
        "position_ids": [0, 1, 2, 3, 0, 1],
        "seq_lengths": [4, 2],
        "n_tokens": 6,
    }
    assert second["row_ids"] == ["a:0"]


def test_no_row_is_predicted_from_another() -> None:
    labels = packed([3, 4, 2], 6, prompt=0)["labels"].to_list()
    assert labels == [[IGNORED, 1_001, 1_002, 1_003, IGNORED, 2_001], [IGNORED, 1, 2]]


def test_no_rows_make_no_sequence() -> None:
    empty = packed([], 6)
    assert empty.schema == PACKED_SCHEMA
    assert empty.height == 0
    assert list(pack_frames([rows([])], 6)) == []
    assert list(pack_frames([], 6)) == []


@settings(deadline=None)
@given(SIZES)
def test_every_token_is_packed_once_and_boundaries_agree(case: tuple[list[int], int]) -> None:
    lengths, max_tokens = case
    frame = packed(lengths, max_tokens)
    assert frame.schema == PACKED_SCHEMA
    tokens = [token for ids in frame["input_ids"].to_list() for token in ids]
    expected = [token for ids in rows(lengths)["input_ids"].to_list() for token in ids]
    assert sorted(tokens) == expected
    for one in frame.iter_rows(named=True):
        assert one["n_tokens"] == len(one["input_ids"]) == sum(one["seq_lengths"]) <= max_tokens
        starts = [place for place, position in enumerate(one["position_ids"]) if position == 0]
        assert starts == [0, *accumulate(one["seq_lengths"])][:-1]
        assert len(starts) == len(one["row_ids"])


@pytest.mark.filterwarnings("ignore")
def test_transformers_would_flatten_the_rows_to_the_same_columns() -> None:
    collators = pytest.importorskip("transformers.data.data_collator")
    collator = collators.DataCollatorWithFlattening(return_tensors="np")
    lengths = [5, 3, 8, 2]
    features = rows(lengths).select("input_ids", "labels").to_dicts()
    for one in packed(lengths, 10).iter_rows(named=True):
        places = [int(row_id.removeprefix("a:")) for row_id in one["row_ids"]]
        batch = collator([features[place] for place in places])
        for name in ("input_ids", "labels", "position_ids"):
            assert batch[name].tolist() == [one[name]]


@settings(deadline=None)
@given(SIZES, st.integers(1, 60), st.integers(1, 7))
def test_windows_depend_on_the_rows_alone(
    case: tuple[list[int], int], window_tokens: int, step: int
) -> None:
    lengths, max_tokens = case
    frame = rows(lengths)
    whole = list(pack_frames([frame], max_tokens, window_tokens))
    cut = list(pack_frames(frame.iter_slices(step), max_tokens, window_tokens))
    assert [one.to_dicts() for one in cut] == [one.to_dicts() for one in whole]
    assert sum(one["n_tokens"].sum() for one in whole) == sum(lengths)
    for one in whole:
        assert one.height <= 1 or one["n_tokens"].sum() <= window_tokens


def test_one_window_packs_as_all_rows_together() -> None:
    lengths = [3, 4, 2, 6, 1]
    (window,) = pack_frames([rows(lengths)], 6)
    assert window.equals(packed(lengths, 6))
