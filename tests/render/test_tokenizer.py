"""A model's tokenizer: checked when it is loaded, and as a server has it."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Library

from cotdata.errors import RenderError
from cotdata.render.model_files import open_model, sample_model
from cotdata.render.token_library import continuing
from cotdata.render.token_probes import check_joint
from cotdata.render.tokenizer import Tokenizer
from tests.render.tokenizer_files import changed, loaded, sample, token, with_blank_before, written

SAMPLE = sample()
THINK, END_THINK, IM_END = 4094, 4095, 4093


def test_the_sample_tokenizer_is_what_the_others_are_like() -> None:
    assert SAMPLE.special == {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    assert SAMPLE.control == ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    assert (SAMPLE.token_id("<think>"), SAMPLE.token_id("</think>")) == (THINK, END_THINK)
    assert (SAMPLE.eos_ids, SAMPLE.bos_id) == ((IM_END, 4091), None)
    assert (SAMPLE.vocab_size, SAMPLE.normalizes, SAMPLE.prefixes) == (4096, None, False)


def test_the_sample_tokenizer_is_what_its_script_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    scope: dict[str, Any] = {"__file__": str(sample_model() / "train.py"), "__name__": "train"}
    exec((sample_model() / "train.py").read_text(), scope)
    again = json.loads(scope["train"]().to_str())["model"]["vocab"]
    assert again == json.loads((sample_model() / "tokenizer.json").read_text())["model"]["vocab"]


@given(st.text(st.characters(codec="utf-8")))
def test_text_comes_back(text: str) -> None:
    ids = SAMPLE.encode(pl.Series([text], dtype=pl.String)).ids
    assert SAMPLE.decode(ids) == text
    assert SAMPLE.decode_batch([ids.tolist()]) == [text]


def test_added_tokens_in_a_text_become_their_ids() -> None:
    ids = SAMPLE.encode(pl.Series(["a<think>b<|im_end|>"])).ids.tolist()
    assert (ids[1], ids[-1]) == (THINK, IM_END)


def test_only_a_text_of_one_token_has_an_id() -> None:
    assert SAMPLE.token_id("<|im_end|>") == IM_END
    assert SAMPLE.token_id("<|im_end|>\n") is None
    assert SAMPLE.token_id("") is None


def test_nothing_is_cut_padded_or_added(tmp_path: Path) -> None:
    change = {
        "truncation": {
            "max_length": 2,
            "strategy": "LongestFirst",
            "stride": 0,
            "direction": "Right",
        },
        "padding": {
            "strategy": {"Fixed": 9},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "!",
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "<think>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
            ],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}],
            "special_tokens": {"<think>": {"id": "<think>", "ids": [THINK], "tokens": ["<think>"]}},
        },
    }
    text = pl.Series(["Three words or more, and a sign."])
    assert (
        loaded(changed(tmp_path, change)).encode(text).lists().equals(SAMPLE.encode(text).lists())
    )


def test_dropout_is_for_training_tokenizers_alone(tmp_path: Path) -> None:
    whole = json.loads((sample_model() / "tokenizer.json").read_text())
    tokenizer = loaded(changed(tmp_path, {"model": whole["model"] | {"dropout": 0.9}}))
    text = pl.Series(["The patient has a fever."])
    assert tokenizer.encode(text).lists().equals(SAMPLE.encode(text).lists())


def test_tokens_that_only_the_config_has_are_added_with_its_flags(tmp_path: Path) -> None:
    listed = {"4096": {"content": "<new>", "special": True, "rstrip": True, "normalized": False}}
    tokenizer = loaded(changed(tmp_path, added_tokens_decoder=listed))
    assert tokenizer.added["<new>"] == 4096
    assert "<new>" in tokenizer.control
    assert tokenizer.encode(pl.Series(["<new>  \n!"])).ids.tolist() == [
        4096,
        SAMPLE.token_id("!"),
    ]


def test_the_configs_flags_win_as_in_transformers(tmp_path: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    listed = {str(THINK): {"content": "<think>", "special": True, "lstrip": True}}
    folder = changed(tmp_path / "x", added_tokens_decoder=listed)
    tokenizer = loaded(folder)
    text = "a  <think>b"
    peer = PreTrainedTokenizerFast.from_pretrained(folder)
    assert tokenizer.encode(pl.Series([text])).ids.tolist() == peer.encode(text)
    assert "<think>" in tokenizer.control


def test_older_files_add_tokens_as_well(tmp_path: Path) -> None:
    folder = changed(tmp_path)
    (folder / "added_tokens.json").write_text('{"<new>": 4096, "<think>": 4094}')
    (folder / "special_tokens_map.json").write_text('{"eos_token": {"content": "<new>"}}')
    tokenizer = loaded(folder)
    assert (tokenizer.special, tokenizer.eos_ids) == ({"eos_token": "<new>"}, (4096,))
    assert "<new>" in tokenizer.control
    assert "<think>" not in tokenizer.control


def test_a_named_special_token_of_the_vocabulary_is_never_broken_up(tmp_path: Path) -> None:
    tokenizer = loaded(changed(tmp_path, eos_token="e", pad_token="[PAD]"))
    assert tokenizer.encode(pl.Series(["the"])).ids.tolist()[-1] == tokenizer.eos_ids[0]
    assert "[PAD]" not in tokenizer.added


def test_ids_that_the_files_disagree_on_are_an_error(tmp_path: Path) -> None:
    listed = {"5000": {"content": "<new>", "special": True}}
    with pytest.raises(RenderError, match=r"`<new>` has id 5000 in the config .* and 4096"):
        loaded(changed(tmp_path, added_tokens_decoder=listed))


@pytest.mark.parametrize("listed", [{"x": {"content": "a"}}, {"4096": {"special": True}}, [1]])
def test_a_config_that_makes_no_sense_is_an_error(tmp_path: Path, listed: Any) -> None:
    with pytest.raises(RenderError, match="cannot be read"):
        loaded(changed(tmp_path, added_tokens_decoder=listed))


def test_a_file_that_is_no_tokenizer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="the tokenizer of `x` cannot be read"):
        loaded(written(tmp_path / "x", "{}"))


def test_files_that_changed_since_are_an_error(tmp_path: Path) -> None:
    folder = changed(tmp_path)
    model = open_model(str(folder), Path())
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(RenderError, match="changed since"):
        Tokenizer(model)


def test_without_a_vocabulary_there_is_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").write_text("x")
    with pytest.raises(RenderError, match="has no tokenizer") as caught:
        loaded(tmp_path)
    assert "--set render.model=FOLDER" in str(caught.value.fix)


BLANKS_LOST = {
    "pre_tokenizer": {"type": "WhitespaceSplit"},
    "decoder": {"type": "Fuse"},
}
LOSSES = {
    "blanks": BLANKS_LOST,
    "case": {"normalizer": {"type": "Lowercase"}},
    "ends": {"normalizer": {"type": "Strip", "strip_left": True, "strip_right": True}},
    "wide characters": {"normalizer": {"type": "NFKC"}},
    "accents": {
        "normalizer": {
            "type": "Sequence",
            "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}],
        }
    },
    "signs": {"normalizer": {"type": "Replace", "pattern": {"String": "\u212b"}, "content": "A"}},
    "a word": {"normalizer": {"type": "Replace", "pattern": {"String": "<think>"}, "content": ""}},
}


@pytest.mark.parametrize("change", LOSSES.values(), ids=LOSSES.keys())
def test_a_tokenizer_that_loses_text_is_refused_with_what_came_back(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    with pytest.raises(RenderError, match=r"comes back|joins"):
        loaded(changed(tmp_path, change | {"added_tokens": []}))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_form_of_unicode_is_no_loss_and_is_told(tmp_path: Path, form: str) -> None:
    assert loaded(changed(tmp_path, {"normalizer": {"type": form}})).normalizes == form


def test_tokens_that_take_in_blanks_are_the_models_own_way(tmp_path: Path) -> None:
    tokens = [token(4091, "<|end|>", rstrip=True, lstrip=True, special=True)]
    assert loaded(changed(tmp_path, {"added_tokens": tokens})).control == ("<|end|>",)


@pytest.mark.parametrize("by_normalizer", [True, False])
def test_a_text_that_goes_on_gets_no_blank_before_it(tmp_path: Path, by_normalizer: bool) -> None:
    tokenizer = loaded(written(tmp_path, with_blank_before(by_normalizer=by_normalizer)))
    assert tokenizer.prefixes
    prompt = tokenizer.encode(pl.Series(["Question?\n"])).ids.tolist()
    completion = tokenizer.encode(pl.Series(["yes"]), continues=True).ids.tolist()
    assert tokenizer.decode(prompt + completion) == "Question?\nyes"


def test_a_tokenizer_travels_as_its_files() -> None:
    again = pickle.loads(pickle.dumps(SAMPLE))
    assert again.files == SAMPLE.files
    assert (
        again.encode(pl.Series(["a b"])).ids.tolist()
        == SAMPLE.encode(pl.Series(["a b"])).ids.tolist()
    )


def test_threads_share_a_tokenizer() -> None:
    texts = pl.Series([f"text {number} 病人 <think>" for number in range(500)])
    alone = SAMPLE.encode(texts).lists()
    with ThreadPoolExecutor(4) as pool:
        assert all(ids.lists().equals(alone) for ids in pool.map(SAMPLE.encode, [texts] * 8))


def test_a_model_may_name_special_tokens_of_its_own(tmp_path: Path) -> None:
    named: dict[str, Any] = {
        "image_token": "<think>",
        "extra_special_tokens": {"eoc_token": "</think>"},
    }
    tokenizer = loaded(changed(tmp_path, eos_token="<|im_end|>", add_bos_token=True, **named))
    assert tokenizer.special == {
        "eos_token": "<|im_end|>",
        "image_token": "<think>",
        "eoc_token": "</think>",
    }


def test_a_blank_before_each_text_is_no_part_of_a_joint(tmp_path: Path) -> None:
    library = loaded(written(tmp_path, with_blank_before(by_normalizer=True))).library
    with pytest.raises(RenderError, match="joins `Question"):
        check_joint(library, library)


def test_byte_level_tokenizers_may_put_a_blank_before_a_text_too(tmp_path: Path) -> None:
    splits = {
        "type": "ByteLevel",
        "add_prefix_space": True,
        "trim_offsets": True,
        "use_regex": True,
    }
    library = Library.from_str(
        (changed(tmp_path, {"pre_tokenizer": splits}) / "tokenizer.json").read_text()
    )
    inside = continuing(library)
    assert inside is not None
    assert library.decode(library.encode("a").ids) == " a"
    assert inside.decode(inside.encode("a").ids) == "a"
