"""Vocabularies of other forms, of which `transformers` makes what tokenizer.json would be."""

import base64
import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cotdata.errors import RenderError
from cotdata.render.model_files import sample_model
from tests.render.tokenizer_files import TEXTS, loaded, sample

WHOLE = json.loads((sample_model() / "tokenizer.json").read_text())
LISTED = {str(token["id"]): token for token in WHOLE["added_tokens"]}
TEXT = "Question?\n<|im_end|>病人 yes  no"


def config(kind: str, **settings: Any) -> str:
    return json.dumps({"tokenizer_class": kind, "eos_token": "<|im_end|>"} | settings)


def write(folder: Path, contents: Mapping[str, str | bytes]) -> Path:
    for name, content in contents.items():
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.mark.parametrize("kind", ["Qwen2Tokenizer", "GPT2Tokenizer"])
def test_a_vocabulary_with_merges_is_converted(tmp_path: Path, kind: str) -> None:
    folder = write(
        tmp_path,
        {
            "vocab.json": json.dumps(WHOLE["model"]["vocab"]),
            "merges.txt": "\n".join(["#version: 0.2", *WHOLE["model"]["merges"]]),
            "tokenizer_config.json": config(kind, added_tokens_decoder=LISTED),
        },
    )
    tokenizer = loaded(folder)
    assert (
        tokenizer.encode(pl.Series([TEXT]))
        .lists()
        .equals(sample().encode(pl.Series([TEXT])).lists())
    )
    assert tokenizer.special["eos_token"] == "<|im_end|>"


def test_a_vocabulary_of_tiktoken_is_converted(tmp_path: Path) -> None:
    pytest.importorskip("tiktoken")
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    bytes_of = {chr(byte): byte for byte in shown}
    bytes_of |= {chr(256 + place): byte for place, byte in enumerate(hidden)}
    lines = [
        base64.b64encode(bytes(bytes_of[char] for char in text)) + b" %d\n" % number
        for text, number in sorted(WHOLE["model"]["vocab"].items(), key=lambda item: item[1])
    ]
    settings = config("PreTrainedTokenizerFast", added_tokens_decoder=LISTED)
    folder = write(
        tmp_path, {"tokenizer.model": b"".join(lines), "tokenizer_config.json": settings}
    )
    tokenizer = loaded(folder)
    assert tokenizer.decode(tokenizer.encode(pl.Series([TEXT])).ids) == TEXT
    assert tokenizer.token_id("</think>") == sample().token_id("</think>")


def test_a_vocabulary_of_sentencepiece_is_converted(tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    pytest.importorskip("google.protobuf")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_writer=model,
        vocab_size=330,
        model_type="bpe",
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    named = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    folder = write(
        tmp_path,
        {
            "tokenizer.model": model.getvalue(),
            "config.json": '{"model_type": "llama"}',
            "tokenizer_config.json": config("LlamaTokenizer", **named),
        },
    )
    tokenizer = loaded(folder)
    assert tokenizer.prefixes
    assert tokenizer.special == named
    ids = tokenizer.encode(pl.Series(["Question?\n"])).ids.tolist()
    ids += tokenizer.encode(pl.Series(["yes 病人"]), continues=True).ids.tolist()
    assert tokenizer.decode(ids) == "Question?\nyes 病人"


def test_a_vocabulary_that_cannot_be_converted_is_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path, {"tokenizer.model": b"none", "tokenizer_config.json": "{}"})
    with pytest.raises(RenderError, match="cannot be read"):
        loaded(folder)


def test_converting_needs_transformers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path, {"vocab.json": "{}", "merges.txt": ""})
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(RenderError, match="needs the package `transformers`") as caught:
        loaded(folder)
    assert caught.value.fix == "pip install transformers, or use a folder with tokenizer.json"
