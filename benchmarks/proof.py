"""The `proof` benchmark: what the checks add to rendering rows to tokens.

Measured is the first call in a process, on rows that no cache has seen, after the model was opened
and a hundred rows were rendered: composing, encoding and all columns, with every check, with every
row compared with the template's own render besides, and without any check.

The model is that of `benchmarks.rendering`.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.contest import Answer, Stopwatch, digest
from benchmarks.rendering import open_model, rows_to_render
from cotdata.render.renderer import Renderer


# ---- the interface to cotdata: adjust here ----
def proven(rows: pl.DataFrame, renderer: Renderer) -> pl.DataFrame:
    """Render with the checks."""
    return renderer.render(rows).rows


def unproven(rows: pl.DataFrame, renderer: Renderer) -> pl.DataFrame:
    """Compose, encode and make the columns, and check nothing."""
    from cotdata.render.messages import messages
    from cotdata.render.renderer import token_columns

    composed, _ = renderer._composer.compose(rows)
    texts = composed.select("prompt", "completion")
    ids = renderer._prover.encode(texts)
    return texts.with_columns(
        text=pl.concat_str("prompt", "completion"),
        messages=messages(rows, None),
    ).with_columns(token_columns(ids))


Contestant = Callable[[pl.DataFrame, Renderer], pl.DataFrame]
CONTESTANTS: Final[Mapping[str, tuple[Contestant, dict[str, str]]]] = {
    "cotdata": (proven, {}),
    "without_proof": (unproven, {}),
    "full": (proven, {"proof": "full"}),
}


def main() -> None:
    """Run the contestant named on the command line and print its answer and times as JSON."""
    name, corpus = sys.argv[1:]
    rows = rows_to_render(Path(corpus))
    contestant, settings = CONTESTANTS[name]
    renderer = open_model(**settings)
    contestant(rows[:100], renderer)
    watch = Stopwatch()
    with watch:
        found = contestant(rows, renderer)
    ids = found["input_ids"].list.len()
    answer = Answer(found.height, digest([int(ids.sum()), int(found["n_trained"].sum())]))
    print(json.dumps({**answer._asdict(), "cpu_s": watch.cpu_s, "wall_s": watch.wall_s}))


if __name__ == "__main__":
    main()
