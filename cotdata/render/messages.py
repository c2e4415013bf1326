"""Rows as chat messages, which every trainer reads: the last one with its reasoning beside it."""

import numpy as np
import polars as pl
import pyarrow as pa

from cotdata.render.columns import MESSAGE_DTYPE

_ROW, _TURN = "row", "turn"
_LAST = 1 << 30


def messages(rows: pl.DataFrame, system: str | None) -> pl.Series:
    """Return rows as a column `messages`: List(Struct{role, content, reasoning_content}).

    Reads Question, Complex_CoT, Response, system and history; `system` stands for a system prompt
    that a row lacks.
    """
    numbered = rows.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias(_ROW),
        pl.col("system") if system is None else pl.col("system").fill_null(system),
        "history",
        "Question",
        "Complex_CoT",
        "Response",
    )
    asked = _turns(numbered, _LAST, "user", "Question")
    answered = _turns(numbered, _LAST + 1, "assistant", "Response", "Complex_CoT")
    first = _turns(numbered.filter(pl.col("system").is_not_null()), -1, "system", "system")
    history = numbered.filter(pl.col("history").list.len() > 0)
    earlier = history.select(
        _ROW, pl.int_ranges(pl.col("history").list.len()).alias(_TURN), "history"
    ).explode(_TURN, "history")
    turns = earlier.select(
        _ROW,
        pl.col(_TURN).cast(pl.Int64),
        pl.col("history").struct.field("role"),
        pl.col("history").struct.field("content"),
        pl.lit(None, pl.String).alias("reasoning_content"),
    )
    written = pl.concat([first, turns, asked, answered]).sort(_ROW, _TURN)
    return _lists(written, rows.height)


def _turns(
    rows: pl.DataFrame, turn: int, role: str, content: str, reasoning: str | None = None
) -> pl.DataFrame:
    thought = pl.lit(None, pl.String) if reasoning is None else pl.col(reasoning)
    return rows.select(
        _ROW,
        pl.lit(turn, pl.Int64).alias(_TURN),
        pl.lit(role).alias("role"),
        pl.col(content).alias("content"),
        thought.alias("reasoning_content"),
    )


def _lists(turns: pl.DataFrame, rows: int) -> pl.Series:
    """Gather the turns of each row, which stand together, into a list."""
    offsets = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(turns[_ROW].to_numpy(), minlength=rows), out=offsets[1:])
    fields = turns.select("role", "content", "reasoning_content").to_struct("message")
    values = fields.rechunk().to_arrow()
    lists = pa.LargeListArray.from_arrays(pa.array(offsets), values)
    return pl.Series("messages", pl.from_arrow(lists)).cast(pl.List(MESSAGE_DTYPE))
