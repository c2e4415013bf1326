"""The `tokens` benchmark: the prompt and the completion of each row as token ids, from cold.

Measured is the one call, in a process that has the rows and an opened tokenizer and has tokenized
nothing yet: tokenizers remember words, so a second call on the same rows would measure memory.
Ours opens its fast library inside the call, and encodes one row in 64 twice to compare. The ids
of all contestants must be the same. The tokenizer is the package's own small one; a real model's
is taken from the folder that `COTDATA_BENCHMARK_MODEL` names.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from benchmarks.contest import Answer, Contestant, Stopwatch, read_rows

_BATCH: Final = 1_000
_TOKENIZER: Final = "tokenizer.json"


def model_folder() -> Path:
    """Return the folder of the tokenizer that is measured."""
    from cotdata.render.model_files import sample_model

    return Path(os.environ.get("COTDATA_BENCHMARK_MODEL") or sample_model())


def rendered(corpus: Path) -> pl.DataFrame:
    """Return the rows of a corpus as `prompt` and `completion`, in ChatML."""
    rows = read_rows(corpus).with_columns(pl.col(pl.String).fill_null(""))
    return rows.select(
        prompt=pl.format("<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n", "Question"),
        completion=pl.format("<think>\n{}\n</think>\n\n{}<|im_end|>", "Complex_CoT", "Response"),
    )


# ---- the interface to cotdata: adjust here ----
def by_cotdata(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time the encoder, with its check on a sample."""
    from cotdata.render.model_files import open_model
    from cotdata.render.tokenizer import Tokenizer

    tokenizer = Tokenizer(open_model(str(model_folder()), Path()))
    with watch:
        prompts = tokenizer.encode(rows["prompt"])
        completions = tokenizer.encode(rows["completion"], continues=True)
    return _answer([prompts.ids, completions.ids], [prompts.lengths, completions.lengths])


def by_datasets_map(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time `datasets.map` with the tokenizer of `transformers`, as tutorials have it."""
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast

    opened: Any = PreTrainedTokenizerFast
    tokenizer = opened(tokenizer_file=str(model_folder() / _TOKENIZER))
    data = Dataset(rows.to_arrow())

    def tokenize(batch: dict[str, list[str]]) -> dict[str, Any]:
        encoded = {
            name: tokenizer(texts, add_special_tokens=False, return_attention_mask=False)
            for name, texts in batch.items()
        }
        return {name: found["input_ids"] for name, found in encoded.items()}

    with watch:
        found = data.map(tokenize, batched=True)
    columns = [found.data[name].combine_chunks() for name in ("prompt", "completion")]
    flat = [column.flatten().to_numpy() for column in columns]
    return _answer(flat, [column.value_lengths().to_numpy() for column in columns])


def by_tokenizers(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time the package `tokenizers` alone, batch by batch, ids as arrays."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model_folder() / _TOKENIZER))
    found: list[list[np.ndarray[Any, Any]]] = [[], []]
    with watch:
        for column, ids in zip(("prompt", "completion"), found, strict=True):
            for part in rows[column].to_frame().iter_slices(_BATCH):
                texts = part[column].to_list()
                encoded = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
                ids += [np.array(one.ids, np.int32) for one in encoded]
    return _of_lists(found)


def by_tiktoken(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time `tiktoken` with the same vocabulary, row by row, ids as arrays."""
    encoding = tiktoken_of(model_folder() / _TOKENIZER)
    found: list[list[np.ndarray[Any, Any]]] = [[], []]
    with watch:
        for column, ids in zip(("prompt", "completion"), found, strict=True):
            ids += [encoding.encode_to_numpy(text, allowed_special="all") for text in rows[column]]
    return _of_lists(found)


def tiktoken_of(path: Path) -> Any:  # noqa: ANN401
    """Return `tiktoken` with the vocabulary of a tokenizer.json: byte-level BPE, one expression.

    Where that normalizes text `tiktoken` does not, which the corpus does not need.
    """
    import tiktoken

    whole = json.loads(path.read_text(encoding="utf-8"))
    added = {token["content"]: token["id"] for token in whole["added_tokens"]}
    table = {character: byte for byte, character in _byte_characters().items()}
    special = set(added.values())
    return tiktoken.Encoding(
        path.parent.name,
        pat_str=whole["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"],
        mergeable_ranks={
            bytes(table[character] for character in text): number
            for text, number in whole["model"]["vocab"].items()
            if number not in special
        },
        special_tokens=added,
    )


def _byte_characters() -> dict[int, str]:
    """Return the character that stands for each byte in a byte-level vocabulary (GPT-2's)."""
    shown = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {byte: chr(byte) for byte in shown} | {
        byte: chr(256 + number) for number, byte in enumerate(hidden)
    }


def _of_lists(found: Iterable[list[np.ndarray[Any, Any]]]) -> Answer:
    columns = list(found)
    lengths = [np.array([len(ids) for ids in column]) for column in columns]
    return _answer([np.concatenate(column) for column in columns], lengths)


def _answer(ids: Iterable[np.ndarray[Any, Any]], lengths: Iterable[np.ndarray[Any, Any]]) -> Answer:
    state = blake2b(digest_size=16)
    rows = 0
    for flat, counts in zip(ids, lengths, strict=True):
        state.update(flat.astype("<i4").tobytes())
        state.update(counts.astype("<i8").tobytes())
        rows = len(counts)
    return Answer(rows, state.hexdigest())


CONTESTANTS: Final[Mapping[str, Contestant]] = {
    "cotdata": by_cotdata,
    "datasets_map": by_datasets_map,
    "tokenizers": by_tokenizers,
    "tiktoken": by_tiktoken,
}


def run_once(contestants: Mapping[str, Contestant]) -> None:
    """Run the contestant named on the command line once, and print its answer and times as JSON."""
    name, corpus = sys.argv[1:]
    rows, watch = rendered(Path(corpus)), Stopwatch()
    answer = contestants[name](rows, watch)
    print(json.dumps({**answer._asdict(), "cpu_s": watch.cpu_s, "wall_s": watch.wall_s}))


if __name__ == "__main__":
    run_once(CONTESTANTS)
