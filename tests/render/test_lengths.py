"""The exact length filter: the rows that fit are those that fit when all are tokenized."""

import json
import re
import unicodedata
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.render import lengths
from cotdata.render.columns import CANDIDATES
from cotdata.render.lengths import count_lengths, fits, token_bound
from cotdata.render.model_files import open_model
from cotdata.render.tokenizer import Tokenizer
from tests.render.tokenizer_files import changed, loaded, sample, with_blank_before, written

SAMPLE = sample()
texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=60), min_size=1, max_size=6)
# What NFC makes longer, alone and with marks that change places.
GROWING = "\u0344\u0958\u0f43\u2adc\ufa6c\ufb1d\U0001d160\U0001d1c0e\u0301\u0323\u1e9b"


def tokens(tokenizer: Tokenizer, parts: list[pl.Series]) -> np.ndarray:
    counted = [tokenizer.encode(p, continues=n > 0).lengths for n, p in enumerate(parts)]
    return np.array(np.sum(counted, 0))


@pytest.fixture(scope="module", params=[None, "NFC", "NFD"])
def tokenizer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Tokenizer:
    form = request.param and {"type": request.param}
    return loaded(changed(tmp_path_factory.mktemp("model"), {"normalizer": form}))


@given(prompts=texts, completion=st.text(st.characters(codec="utf-8")), limit=st.integers(0, 80))
def test_rows_that_fit_are_those_that_fit_when_all_are_tokenized(
    tokenizer: Tokenizer, prompts: list[str], completion: str, limit: int
) -> None:
    parts = [pl.Series(prompts), pl.Series([completion] * len(prompts))]
    counted = tokens(tokenizer, parts)
    assert fits(tokenizer, parts, limit).to_list() == (counted <= limit).tolist()
    assert count_lengths(tokenizer, parts, [limit, 9]) == {
        limit: int((counted <= limit).sum()),
        9: int((counted <= 9).sum()),
    }


@given(st.text(st.one_of(st.sampled_from(GROWING), st.characters(codec="utf-8"))))
def test_no_text_has_more_tokens_than_the_bound(tokenizer: Tokenizer, text: str) -> None:
    parts = [pl.Series([text], dtype=pl.String)]
    assert tokens(tokenizer, parts)[0] <= token_bound(tokenizer, parts)[0]


def test_the_characters_that_grow_are_all_known() -> None:
    pattern = re.compile(re.sub(r"\\p\{M\}|\\x\{(\w+)\}", _spelled, lengths._LENGTHENED))
    for code in (*range(0xD800), *range(0xE000, 0x20000)):
        character = chr(code)
        if unicodedata.category(character)[0] == "M" or pattern.match(character):
            continue
        longer = unicodedata.normalize("NFC", character)
        assert len(longer.encode()) <= len(character.encode()), hex(code)


def _spelled(found: re.Match[str]) -> str:
    return f"\\U{found[1].zfill(8)}" if found[1] else ""


def test_only_rows_that_the_bytes_leave_open_are_tokenized(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    encode = Tokenizer.encode

    def watched(self: Tokenizer, texts: pl.Series, *, continues: bool = False) -> object:
        seen.extend(texts)
        return encode(self, texts, continues=continues)

    monkeypatch.setattr(Tokenizer, "encode", watched)
    rows = pl.Series(["short", "病" * 400, "x" * 2000])
    assert fits(SAMPLE, [rows], 1500).to_list() == [True, True, tokens(SAMPLE, [rows])[2] <= 1500]
    assert seen[0] == "x" * 2000


def test_nulls_have_no_tokens_and_no_rows_are_no_error() -> None:
    assert fits(SAMPLE, [pl.Series([None, "a b"])], 1).to_list() == [True, False]
    assert fits(SAMPLE, [pl.Series([], dtype=pl.String)], 5).to_list() == []
    assert count_lengths(SAMPLE, [pl.Series([], dtype=pl.String)], []) == {}


@pytest.mark.parametrize("by_normalizer", [True, False])
def test_tokenizers_without_a_bound_tokenize_every_row(tmp_path: Path, by_normalizer: bool) -> None:
    tokenizer = loaded(written(tmp_path, with_blank_before(by_normalizer=by_normalizer)))
    parts = [pl.Series(["", "a", "hello world"]), pl.Series(["yes", "no", ""])]
    assert token_bound(tokenizer, parts).min() > 10**18
    for limit in range(8):
        wanted = (tokens(tokenizer, parts) <= limit).tolist()
        assert fits(tokenizer, parts, limit).to_list() == wanted


def test_counts_for_all_candidates() -> None:
    rows = pl.Series(["x " * number for number in (10, 1023, 1024, 1025, 5000, 40_000)])
    counted = tokens(SAMPLE, [rows])
    found = count_lengths(SAMPLE, [rows])
    assert found == {limit: int((counted <= limit).sum()) for limit in CANDIDATES}


@pytest.mark.real_data
@pytest.mark.parametrize("model", ["qwen3", "llama3", "minimind"])
def test_real_rows(real_data: Path, model: str) -> None:
    name = "medical_o1_zh_liver_filtered.json"
    rows = json.loads((real_data / "medical" / name).read_text())[:150]
    parts = [pl.Series([row[column] for row in rows]) for column in ("Question", "Complex_CoT")]
    tokenizer = Tokenizer(open_model(model, real_data / "tokenizers"))
    counted = tokens(tokenizer, parts)
    for limit in (256, 512, 1024):
        assert fits(tokenizer, parts, limit).to_list() == (counted <= limit).tolist()
