"""The `token_lengths` benchmark: which rows have at most 2,048 tokens, prompt and completion.

Measured is the one call, from cold, as in `tokens`. Ours tokenizes only the rows whose bytes leave
it open; the peer tokenizes all of them. Both must name the same rows.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.contest import Answer, Contestant, Stopwatch, digest
from benchmarks.tokens import model_folder, run_once, tiktoken_of

_MAX_TOKENS: Final = 2_048


# ---- the interface to cotdata: adjust here ----
def by_cotdata(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time the exact length filter."""
    from cotdata.render.lengths import fits
    from cotdata.render.model_files import open_model
    from cotdata.render.tokenizer import Tokenizer

    tokenizer = Tokenizer(open_model(str(model_folder()), Path()))
    with watch:
        fitting = fits(tokenizer, [rows["prompt"], rows["completion"]], _MAX_TOKENS)
    return Answer(int(fitting.sum()), digest(fitting))


def by_tiktoken(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time `tiktoken` on every row, counting alone."""
    encoding = tiktoken_of(model_folder() / "tokenizer.json")
    with watch:
        fitting = [
            len(encoding.encode_to_numpy(prompt, allowed_special="all"))
            + len(encoding.encode_to_numpy(completion, allowed_special="all"))
            <= _MAX_TOKENS
            for prompt, completion in rows.iter_rows()
        ]
    return Answer(sum(fitting), digest(fitting))


CONTESTANTS: Final[Mapping[str, Contestant]] = {"cotdata": by_cotdata, "tiktoken": by_tiktoken}

if __name__ == "__main__":
    run_once(CONTESTANTS)
