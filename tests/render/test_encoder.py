"""Text columns to ids: fast, and the same ids as the package `tokenizers` gives."""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata.render import encoder, encoder_gigatoken
from cotdata.render.encoder import Encoder
from cotdata.render.encoder_gigatoken import FastLibrary, open_fast_library
from cotdata.render.token_ids import TokenIds
from tests.render.tokenizer_files import sample

LIBRARY = sample().library
ADDED = [token.content for token in LIBRARY.get_added_tokens_decoder().values()]
# U+088F is a letter since Unicode 17.
NEW = "a\u088fb"
TEXTS = pl.Series([f"row {number}: 病人 \\frac{{1}}{{{number}}} <think>" for number in range(300)])


class Spoiled(FastLibrary):
    """Gives one id too high to every text that has a word."""

    word = ""

    def encode(self, texts: pl.Series) -> TokenIds | None:
        found = super().encode(texts)
        assert found is not None
        ids = found.ids.copy()
        for row, text in enumerate(texts.to_list()):
            if self.word in text and found.lengths[row]:
                ids[found.offsets[row]] += 1
        return found._replace(ids=ids)


def wanted(texts: list[str]) -> list[list[int]]:
    return [one.ids for one in LIBRARY.encode_batch(texts, add_special_tokens=False)]


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> Encoder:
    """Return an encoder that opens the fast library for any column."""
    pytest.importorskip("gigatoken")
    monkeypatch.setattr(encoder, "_WORTH_IT_BYTES", 0)
    return Encoder(LIBRARY)


@pytest.fixture
def spoiled(fast: Encoder, monkeypatch: pytest.MonkeyPatch) -> type[Spoiled]:
    monkeypatch.setattr(encoder, "open_fast_library", Spoiled)
    return Spoiled


def test_ids_are_those_of_tokenizers(fast: Encoder) -> None:
    found = fast.encode(TEXTS)
    assert fast.library == "gigatoken"
    assert found.lists().to_list() == wanted(TEXTS.to_list())
    assert found.lists().dtype == pl.List(pl.Int32)
    assert (str(found.ids.dtype), str(found.offsets.dtype)) == ("int32", "int64")
    assert not found.fell_back


def test_small_columns_do_not_open_the_fast_library() -> None:
    small = Encoder(LIBRARY)
    assert small.encode(TEXTS).lists().to_list() == wanted(TEXTS.to_list())
    assert small.library == "tokenizers"


@pytest.mark.parametrize("is_fast", [True, False])
def test_nulls_and_nothing_have_no_ids(fast: Encoder, is_fast: bool) -> None:
    chosen = fast if is_fast else Encoder(LIBRARY)
    found = chosen.encode(pl.Series([None, "a", "", None], dtype=pl.String))
    assert found.lengths.tolist() == [0, 1, 0, 0]
    nothing = chosen.encode(pl.Series([], dtype=pl.String))
    assert (nothing.ids.tolist(), nothing.offsets.tolist()) == ([], [0])
    assert chosen.encode(pl.Series([None, None])).lengths.tolist() == [0, 0]


def test_characters_of_the_newest_unicode_are_left_to_tokenizers(fast: Encoder) -> None:
    texts = [NEW, "plain", "", f"x {NEW}", "last"]
    found = fast.encode(pl.Series(texts))
    assert found.lists().to_list() == wanted(texts)
    assert not found.fell_back


pieces = st.one_of(
    st.sampled_from([*ADDED, "\0", "\n\n", "  ", "<|im_", "\r\n", "e\u0301", "\u202e", "病"]),
    st.text(st.characters(codec="utf-8"), max_size=20),
)
OPENED = open_fast_library(LIBRARY.to_str())


@pytest.mark.skipif(OPENED is None, reason="gigatoken is not installed")
@given(st.lists(st.lists(pieces, max_size=8).map("".join), max_size=5))
@settings(max_examples=300)
def test_any_text_has_the_ids_of_tokenizers(texts: list[str]) -> None:
    fast = Encoder(LIBRARY)
    fast._fast, fast._is_opened = OPENED, True
    assert fast.encode(pl.Series(texts, dtype=pl.String)).lists().to_list() == wanted(texts)


def test_batches_give_the_same_ids(fast: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_gigatoken, "_BATCHES_AFTER_BYTES", 0)
    assert fast.encode(TEXTS).lists().to_list() == wanted(TEXTS.to_list())


def test_its_memory_is_given_back_after_so_much_text(
    fast: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder_gigatoken, "_REOPEN_AFTER_BYTES", 100)
    opened: list[FastLibrary] = []

    def reopened(library: FastLibrary) -> object:
        opened.append(library)
        return OPENED._backend if OPENED is not None else None

    monkeypatch.setattr(FastLibrary, "_opened", reopened)
    first = fast.encode(TEXTS).lists()
    assert fast.encode(TEXTS).lists().equals(first)
    assert len(opened) > 1


def test_threads_share_an_encoder(fast: Encoder) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fast.encode, [TEXTS] * 8))
    assert all(ids.lists().to_list() == wanted(TEXTS.to_list()) for ids in found)


def test_one_other_id_in_the_sample_and_tokenizers_does_it_all(
    fast: Encoder, spoiled: type[Spoiled], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spoiled, "word", "row ")
    found = fast.encode(TEXTS)
    assert found.fell_back
    assert found.lists().to_list() == wanted(TEXTS.to_list())


def test_the_sample_goes_by_the_text_not_by_its_place() -> None:
    chosen = encoder._sample(TEXTS.alias("text"))
    turned = encoder._sample(TEXTS.reverse().alias("text"))
    assert sorted(TEXTS.gather(chosen)) == sorted(TEXTS.reverse().gather(turned))
    assert 0 < len(chosen) < 30


def test_a_library_that_errs_on_the_probes_is_not_used(
    fast: Encoder, spoiled: type[Spoiled], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spoiled, "word", "<think>")
    assert fast.encode(TEXTS).lists().to_list() == wanted(TEXTS.to_list())
    assert fast.library == "tokenizers"


class PanicException(BaseException):
    """As pyo3 names it."""


@pytest.mark.parametrize("error", [PanicException(), ValueError()])
def test_a_library_that_breaks_down_is_done_without(
    fast: Encoder, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    fast.encode(TEXTS)

    def breaks_down(*_: object) -> Any:
        raise error

    monkeypatch.setattr(FastLibrary, "_encoded", breaks_down)
    found = fast.encode(TEXTS)
    assert found.fell_back
    assert found.lists().to_list() == wanted(TEXTS.to_list())


def test_ctrl_c_is_not_passed_over(fast: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    fast.encode(TEXTS)

    def interrupted(*_: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(FastLibrary, "_encoded", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fast.encode(TEXTS)


def test_without_the_package_the_ids_are_the_same(
    fast: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gigatoken", None)
    assert fast.encode(TEXTS).lists().to_list() == wanted(TEXTS.to_list())
    assert fast.library == "tokenizers"


def test_a_tokenizer_that_it_does_not_know_is_none() -> None:
    assert open_fast_library("{}") is None


def test_rows_are_taken_in_any_order() -> None:
    ids = Encoder(LIBRARY).encode(TEXTS)
    rows = np.array([5, 0, 5, 299])
    assert ids.take(rows).lists().to_list() == [ids.lists().to_list()[row] for row in rows]
    assert ids.take(np.empty(0, np.int64)).lengths.tolist() == []
