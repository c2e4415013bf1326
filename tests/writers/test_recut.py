import itertools

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata.writers.recut import recut, text_bytes

SIZES = st.lists(st.integers(0, 12), max_size=40)
CUTS = st.lists(st.integers(0, 40), max_size=8)
LAW = settings(deadline=None, max_examples=300, derandomize=True)


def rows(sizes: list[int]) -> pl.DataFrame:
    """Return rows of which each holds so many bytes of text."""
    texts = pl.Series("text", ["x" * size for size in sizes], dtype=pl.String)
    return pl.DataFrame(
        {"number": range(len(sizes)), "text": texts}, schema_overrides={"number": pl.Int64}
    )


def cut(frame: pl.DataFrame, cuts: list[int]) -> list[pl.DataFrame]:
    edges = [0, *sorted(min(edge, frame.height) for edge in cuts), frame.height]
    return [frame[low:high] for low, high in itertools.pairwise(edges)]


def heights(frame: pl.DataFrame, cuts: list[int], max_rows: int, max_bytes: int) -> list[int]:
    return [piece.height for piece in recut(cut(frame, cuts), max_rows, max_bytes)]


def in_plain_python(sizes: list[int], max_rows: int, max_bytes: int) -> list[int]:
    """Fill one piece after the other, row by row."""
    pieces: list[list[int]] = []
    for size in sizes:
        fits = pieces and len(pieces[-1]) < max_rows and sum(pieces[-1]) + size <= max_bytes
        if fits:
            pieces[-1].append(size)
        else:
            pieces.append([size])
    return [len(piece) for piece in pieces]


@LAW
@given(SIZES, CUTS, st.integers(1, 12), st.integers(1, 30))
def test_pieces_depend_on_the_rows_alone(
    sizes: list[int], cuts: list[int], max_rows: int, max_bytes: int
) -> None:
    expected = in_plain_python(sizes, max_rows, max_bytes)
    assert heights(rows(sizes), cuts, max_rows, max_bytes) == expected


@LAW
@given(SIZES, CUTS, st.integers(1, 12), st.integers(1, 30))
def test_the_pieces_together_are_the_input(
    sizes: list[int], cuts: list[int], max_rows: int, max_bytes: int
) -> None:
    frame = rows(sizes)
    pieces = list(recut(cut(frame, cuts), max_rows, max_bytes))
    assert pl.concat([frame.clear(), *pieces]).equals(frame)
    assert all(piece.height for piece in pieces)


@LAW
@given(SIZES, CUTS, st.integers(1, 12), st.integers(1, 30))
def test_no_piece_passes_a_limit_but_one_of_a_single_row(
    sizes: list[int], cuts: list[int], max_rows: int, max_bytes: int
) -> None:
    for piece in recut(cut(rows(sizes), cuts), max_rows, max_bytes):
        assert piece.height <= max_rows
        assert piece.height == 1 or text_bytes(piece).sum() <= max_bytes


def test_a_row_larger_than_the_limit_is_a_piece_of_its_own() -> None:
    assert heights(rows([2, 50, 2, 2]), [], max_rows=10, max_bytes=10) == [1, 1, 2]


def test_a_piece_may_hold_exactly_the_limit() -> None:
    assert heights(rows([5, 5, 0, 1]), [], max_rows=10, max_bytes=10) == [3, 1]


@pytest.mark.parametrize("frames", [[], [rows([])], [rows([]), rows([])]])
def test_nothing_in_gives_nothing_out(frames: list[pl.DataFrame]) -> None:
    assert list(recut(frames, 10, 10)) == []


def test_a_piece_is_given_before_the_next_frame_is_asked_for() -> None:
    asked: list[int] = []

    def frames() -> "itertools.chain[pl.DataFrame]":
        def one(number: int) -> pl.DataFrame:
            asked.append(number)
            return rows([1] * 4)

        return itertools.chain(one(number) for number in range(3))

    assert next(recut(frames(), 3, 100)).height == 3
    assert asked == [0]


def test_bytes_of_text_are_those_of_all_text_columns() -> None:
    frame = pl.DataFrame(
        {
            "text": ["é", None, "ab"],
            "raw": [b"\xff\xfe", b"", None],
            "number": [1, 2, 3],
            "more": ["", "x", "发"],
        }
    )
    assert text_bytes(frame).tolist() == [4, 1, 5]


def test_a_frame_without_text_holds_no_bytes() -> None:
    assert text_bytes(pl.DataFrame({"number": [1, 2]})).tolist() == [0, 0]
