"""Trains the sample tokenizer on the sample rows: `python recipes/samples/tokenizer/train.py`.

Byte-level BPE, small enough to ship. It makes tokens out of any text, as the tokenizers of real
models do, and is no model's: what is rendered with it is for looking at, not for training.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

FOLDER = Path(__file__).resolve().parent
TOKENS = 4096
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
THINK = ("<think>", "</think>")
# Words with the blank or the sign before them, single digits, signs, line ends, blanks.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def texts() -> Iterator[str]:
    """Return every text of the sample rows, in their order."""
    for path in sorted(FOLDER.parent.glob("*.json*")):
        for row in rows(path):
            yield from (text for text in row.values() if isinstance(text, str))


def rows(path: Path) -> Iterator[dict[str, object]]:
    """Return the rows of a file, but for the lines that are broken on purpose."""
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        yield from json.loads(content)
        return
    for line in content.split("\n"):
        with suppress(json.JSONDecodeError):
            yield json.loads(line)


def train() -> Tokenizer:
    """Return the tokenizer: the same one each time."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=TOKENS - len(SPECIAL) - len(THINK),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in SPECIAL])
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in THINK])
    return tokenizer


def main() -> None:
    """Write tokenizer.json, each merge as the two tokens with a blank between, to keep it small."""
    whole = json.loads(train().to_str())
    whole["model"]["merges"] = [" ".join(pair) for pair in whole["model"]["merges"]]
    compact = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    (FOLDER / "tokenizer.json").write_text(compact + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
