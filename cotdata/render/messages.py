"""Rows as chat messages, which every trainer reads: the last one with its reasoning beside it."""

import polars as pl

from cotdata.render.columns import MESSAGE_DTYPE


def messages(system: str | None) -> pl.Expr:
    """Return rows as a List(Struct{role, content, reasoning_content}) expression.

    Reads Question, Complex_CoT, Response, system and history; `system` stands for a system prompt
    that a row lacks.
    """
    prompt = pl.col("system")
    if system is not None:
        prompt = prompt.fill_null(system)
    nothing = pl.lit([], pl.List(MESSAGE_DTYPE))
    turn = pl.struct(
        pl.element().struct.field("role"),
        pl.element().struct.field("content"),
        pl.lit(None, pl.String).alias("reasoning_content"),
    )
    first = pl.when(prompt.is_not_null()).then(_one("system", prompt)).otherwise(nothing)
    history = pl.col("history").list.eval(turn).fill_null(nothing)
    asked = _one("user", pl.col("Question"))
    answered = _one("assistant", pl.col("Response"), pl.col("Complex_CoT"))
    return pl.concat_list(first, history, asked, answered).cast(pl.List(MESSAGE_DTYPE))


def _one(role: str, content: pl.Expr, reasoning: pl.Expr | None = None) -> pl.Expr:
    thought = pl.lit(None, pl.String) if reasoning is None else reasoning
    return pl.concat_list(
        pl.struct(
            pl.lit(role).alias("role"),
            content.alias("content"),
            thought.alias("reasoning_content"),
        )
    )
