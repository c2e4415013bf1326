"""The columns that rendering adds to a row, and what a rendered frame consists of."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import polars as pl

#: A message as the published trainers read it; `reasoning_content` is null where there is none.
MESSAGE_DTYPE: Final[pl.DataType] = pl.Struct(
    {"role": pl.String, "content": pl.String, "reasoning_content": pl.String}
)

#: Text columns, in the order in which they are written.
TEXT_COLUMNS: Final = pl.Schema(
    {
        "prompt": pl.String(),
        "completion": pl.String(),
        "text": pl.String(),
        "messages": pl.List(MESSAGE_DTYPE),
    }
)
#: Token columns; `labels` has -100 where nothing is trained.
TOKEN_COLUMNS: Final = pl.Schema(
    {
        "input_ids": pl.List(pl.Int32),
        "labels": pl.List(pl.Int32),
        "n_tokens": pl.Int32(),
        "n_trained": pl.Int32(),
    }
)
#: What stands in place of the token columns where the recipe says `tokens: false`.
ESTIMATE_COLUMNS: Final = pl.Schema({"n_tokens_estimate": pl.Int32()})

#: Label of a token that is not trained, which PyTorch's cross entropy passes over by default.
IGNORED: Final = -100

#: Lengths for which the manifest and the report say what would be kept.
CANDIDATES: Final = (1024, 2048, 4096, 8192, 16384, 32768)


def render_schema(*, tokens: bool) -> pl.Schema:
    """Return the columns that rendering adds, in their order."""
    return pl.Schema({**TEXT_COLUMNS, **(TOKEN_COLUMNS if tokens else ESTIMATE_COLUMNS)})


@dataclass(frozen=True)
class Rendered:
    """What rendering made of a frame of rows, with counts that add up over frames.

    `rows` has the height and order of the input: the columns of `render_schema`, then `reason`
    (String, null where the row is kept) and `evidence` (String, JSON; null where kept). A rejected
    row's other columns may be null.
    """

    rows: pl.DataFrame
    #: Check → rows that passed it; `compared` counts those also compared with the real template.
    checks: Counter[str] = field(default_factory=Counter)
    #: What was noted or changed, such as `boundary_merge` and `neutralized`.
    notes: Counter[str] = field(default_factory=Counter)
    #: Candidate length → (rows that fit, trained tokens in them), `too_long` rows included.
    lengths: dict[int, tuple[int, int]] = field(default_factory=dict)
