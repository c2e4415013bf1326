import polars as pl
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata.kernels.stable_hash import columns_hash, text_hash

TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=300)), max_size=8)
#: What stands for null: the golden ratio's fraction in 64 bits, as hash tables use it.
NULL = 0x9E37_79B9_7F4A_7C15


def digests(texts: list[str | None], seed: int = 0) -> list[int]:
    frame = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    hashed = frame.select(text_hash(pl.col("text"), seed))["text"]
    assert hashed.dtype == pl.UInt64
    return hashed.to_list()


def reference(text: str | None, seed: int = 0) -> int:
    return NULL if text is None else xxhash.xxh3_64_intdigest(text.encode(), seed % 2**64)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(TEXTS, st.integers(-(2**63), 2**64 - 1))
def test_it_equals_the_reference_implementation(texts: list[str | None], seed: int) -> None:
    assert digests(texts, seed) == [reference(text, seed) for text in texts]


@pytest.mark.parametrize("seed", [0, 1, 3407, 2**64 - 1, 2**64, -1])
def test_every_length_up_to_the_long_inputs_equals_the_reference(seed: int) -> None:
    # XXH3 has other paths for 0, 1-3, 4-8, 9-16, 17-128, 129-240 bytes and for longer inputs.
    texts: list[str | None] = ["é🩺a"[: 1 + size % 3] * size for size in range(300)]
    texts += ["x" * size for size in (1_023, 1_024, 1_025, 70_000)]
    assert digests(texts, seed) == [reference(text, seed) for text in texts]


def test_hashes_are_pinned() -> None:
    texts: list[str | None] = ["", "a", "患者发热", "x" * 1_000, None]
    assert [f"{digest:016x}" for digest in digests(texts)] == [
        "2d06800538d394c2",
        "e6c632b61e964e1f",
        "13b1f4484657e190",
        "c0a4877b962cba82",
        "9e3779b97f4a7c15",
    ]
    assert [f"{digest:016x}" for digest in digests(texts, seed=3407)] == [
        "2c77114953d7ab09",
        "4f46e15acde94571",
        "8e1f2cff24c7a8c5",
        "5d1c686c3497a315",
        "9e3779b97f4a7c15",
    ]


def test_null_and_the_empty_text_differ() -> None:
    assert digests([None]) != digests([""])


@settings(deadline=None, max_examples=100, derandomize=True)
@given(TEXTS)
def test_a_cut_of_the_column_changes_nothing(texts: list[str | None]) -> None:
    whole = pl.DataFrame({"text": pl.Series(["before", *texts, "after"], dtype=pl.String)})
    part = whole[1:-1].select(text_hash(pl.col("text")))["text"]
    assert part.to_list() == digests(texts)


def test_columns_are_hashed_in_their_order() -> None:
    frame = pl.DataFrame({"a": ["x", "y", "xy", ""], "b": ["y", "x", "", "xy"]})
    hashed = frame.select(columns_hash([pl.col("a"), pl.col("b")]).alias("hash"))["hash"]
    assert hashed.n_unique() == 4
    turned = frame.select(columns_hash([pl.col("b"), pl.col("a")]).alias("hash"))["hash"]
    assert hashed.to_list() != turned.to_list()


def test_columns_are_hashed_with_a_seed_for_each() -> None:
    frame = pl.DataFrame({"a": ["x"], "b": ["y"], "c": ["z"]})
    hashed = frame.select(columns_hash([pl.col("a"), pl.col("b"), pl.col("c")]))["a"][0]
    assert hashed == reference("x") ^ reference("y", 1) ^ reference("z", 2)


def test_one_column_is_hashed_as_a_text() -> None:
    frame = pl.DataFrame({"a": ["x", None]})
    assert frame.select(columns_hash([pl.col("a")]))["a"].to_list() == digests(["x", None])
