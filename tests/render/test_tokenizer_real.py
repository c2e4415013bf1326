"""Real tokenizers, as their models were published with them."""

from pathlib import Path

import polars as pl
import pytest

from cotdata.render.model_files import open_model
from cotdata.render.tokenizer import Tokenizer

pytestmark = pytest.mark.real_data

GOLDEN = {
    "deepseek-r1-qwen": "deepseek-r1-distill-qwen",
    "llama-bpe": "llama3",
    "qwen2": "qwen2.5",
}
MODELS = ("deepseek-r1-distill-qwen", "qwen2.5", "qwen3", "minimind")
TEXT = "A 48-year-old man walks in.\n\n<think>\n急性肝炎\n</think>\n\n\tIt is B. e\u0301"


def load(real_data: Path, name: str) -> Tokenizer:
    return Tokenizer(open_model(name, real_data / "tokenizers"))


@pytest.mark.parametrize(("name", "model"), GOLDEN.items())
def test_golden_strings_have_their_ids(real_data: Path, name: str, model: str) -> None:
    golden = real_data / "tokenizers" / "golden"
    texts = (golden / f"{name}.inp").read_text().split("\n__ggml_vocab_test__\n")
    lines = (golden / f"{name}.out").read_text().splitlines()
    ids = load(real_data, model).encode(pl.Series(texts)).lists().to_list()
    wanted = [[int(number) for number in line.split()] for line in lines]
    assert ids[: len(wanted)] == wanted
    assert len(wanted) >= len(texts) - 1


@pytest.mark.parametrize("model", MODELS)
def test_ids_and_names_are_those_of_transformers(real_data: Path, model: str) -> None:
    from transformers import PreTrainedTokenizerFast

    tokenizer = load(real_data, model)
    peer = PreTrainedTokenizerFast.from_pretrained(real_data / "tokenizers" / model)
    assert tokenizer.encode(pl.Series([TEXT])).ids.tolist() == peer.encode(
        TEXT, add_special_tokens=False
    )
    named = {name: text for name, text in peer.special_tokens_map.items() if isinstance(text, str)}
    assert tokenizer.special == named
    assert tokenizer.added == dict(peer.get_added_vocab())


def test_blanks_of_r1_distill_are_kept(real_data: Path) -> None:
    tokenizer = load(real_data, "deepseek-r1-distill-qwen")
    assert tokenizer.decode(tokenizer.encode(pl.Series(["A 48-year-old man"])).ids) == (
        "A 48-year-old man"
    )
    assert (tokenizer.bos_id, tokenizer.eos_ids) == (151646, (151643,))
    assert (tokenizer.token_id("<think>"), tokenizer.token_id("</think>")) == (151648, 151649)
    assert "<｜User｜>" not in tokenizer.control
    assert "<｜User｜>" in tokenizer.added


def test_what_a_folder_does_not_say_is_not_made_up(real_data: Path) -> None:
    tokenizer = load(real_data, "llama3")
    assert (tokenizer.special, tokenizer.bos_id, tokenizer.eos_ids) == ({}, None, ())
    assert "<|begin_of_text|>" in tokenizer.control


def test_qwen_puts_text_in_one_form(real_data: Path) -> None:
    tokenizer = load(real_data, "qwen3")
    assert tokenizer.normalizes == "NFC"
    assert tokenizer.decode(tokenizer.encode(pl.Series(["e\u0301"])).ids) == "é"
