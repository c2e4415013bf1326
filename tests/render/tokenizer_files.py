"""Small tokenizers for the tests, as folders with tokenizer.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as Library
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from cotdata.render.model_files import open_model, sample_model
from cotdata.render.tokenizer import Tokenizer

TEXTS = ["hello world, this is a text.", "Question? answer: yes, no.", "let me see first"] * 5


def sample() -> Tokenizer:
    """Load the package's own tokenizer."""
    return Tokenizer(open_model(str(sample_model()), Path()))


def changed(place: Path, change: Mapping[str, Any] | None = None, **config: Any) -> Path:
    """Write a model with the sample's vocabulary, parts of it changed, and a config."""
    whole = json.loads((sample_model() / "tokenizer.json").read_text())
    return written(place, json.dumps(whole | dict(change or {})), **config)


def written(place: Path, tokenizer_json: str, **config: Any) -> Path:
    """Write a model."""
    place.mkdir(exist_ok=True)
    (place / "tokenizer.json").write_text(tokenizer_json)
    (place / "tokenizer_config.json").write_text(json.dumps(config))
    return place


def loaded(folder: Path) -> Tokenizer:
    """Load the tokenizer of a folder."""
    return Tokenizer(open_model(str(folder), Path()))


def token(number: int, content: str, **flags: bool) -> dict[str, Any]:
    """Return an added token as tokenizer.json has it."""
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    return {"id": number, "content": content, **plain, **flags}


def with_blank_before(*, by_normalizer: bool) -> str:
    """Return a tokenizer of sentencepiece's kind: a blank before every text."""
    library = Library(models.BPE(byte_fallback=True))
    if by_normalizer:
        library.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    else:
        library.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    library.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    alphabet = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=alphabet, show_progress=False)
    library.train_from_iterator(TEXTS, trainer)
    whole = json.loads(library.to_str())
    # The bytes are no added tokens: text that looks like one is no byte.
    return json.dumps(whole | {"added_tokens": []})
