"""Real rows with real tokenizers: the fast library's ids are those of `tokenizers`."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cotdata.render import encoder
from cotdata.render.encoder import Encoder
from cotdata.render.model_files import open_model
from cotdata.render.tokenizer import Tokenizer

pytestmark = pytest.mark.real_data

ROWS = 120


def real_texts(real_data: Path) -> pl.Series:
    """Return English, Chinese and LaTeX as prompts and completions."""
    texts: list[str] = []
    for name in ("medical_o1_en_liver_filtered", "medical_o1_zh_liver_filtered"):
        rows = json.loads((real_data / "medical" / f"{name}.json").read_text())[:ROWS]
        texts += [f"<|im_start|>user\n{row['Question']}<|im_end|>\n" for row in rows]
        texts += [f"<think>\n{row['Complex_CoT']}\n</think>\n\n{row['Response']}" for row in rows]
    numina = pl.read_parquet(real_data / "math" / "numina_math_cot_1k.parquet").head(2 * ROWS)
    return pl.Series([*texts, *numina["problem"], *numina["solution"]])


@pytest.mark.parametrize(
    "model", ["deepseek-r1-distill-qwen", "llama3", "minimind", "qwen2.5", "qwen3"]
)
def test_every_real_row_has_the_ids_of_tokenizers(
    real_data: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    pytest.importorskip("gigatoken")
    texts = real_texts(real_data)
    library = Tokenizer(open_model(model, real_data / "tokenizers")).library
    fast = Encoder(library)
    found = fast.encode(texts)
    assert (fast.library, found.fell_back) == ("gigatoken", False)
    monkeypatch.setattr(encoder, "_WORTH_IT_BYTES", 1 << 60)
    slow = Encoder(library).encode(texts)
    assert np.array_equal(found.offsets, slow.offsets)
    assert np.array_equal(found.ids, slow.ids)


@pytest.mark.slow
def test_every_character_up_to_unicode_15_has_the_ids_of_tokenizers(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On this rests which rows are left to `tokenizers`: those with a newer character."""
    pytest.importorskip("gigatoken")
    characters = [chr(code) for code in range(0x33480) if not 0xD800 <= code <= 0xDFFF]
    texts = pl.Series([f"a{c}b {c} 1{c}2\n{c}\n {c}{c}'s" for c in characters])
    library = Tokenizer(open_model("qwen3", real_data / "tokenizers")).library
    monkeypatch.setattr(encoder, "SAMPLE_ONE_IN", 1)
    found = Encoder(library).encode(texts)
    assert not found.fell_back
