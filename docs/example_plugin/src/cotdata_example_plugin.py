"""A stage for cotdata: rejects rows whose text holds a banned word, flags rows that shout.

A recipe uses it with

    - kind: plugin
      name: banned_words
      config:
        words: [lorem, ipsum]
"""

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from cotdata import StageResult


class BannedWords(BaseModel):
    """Settings; a typo in the recipe is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[str, ...] = Field(min_length=1, description="Compared in lower case.")
    column: str = "Response"


version = "1"
config_model = BannedWords
reasons = {"banned_word": "The text holds a banned word. Evidence: `column`, `words`."}
adds = {"shouts": pl.Boolean()}


def run(rows: pl.DataFrame, config: BannedWords) -> StageResult:
    """Split rows on banned words in `config.column`; add `shouts` (Boolean, not null)."""
    text = pl.col(config.column).fill_null("").str.to_lowercase()
    found = pl.concat_list(
        pl.when(text.str.contains(word.lower(), literal=True)).then(pl.lit(word))
        for word in config.words
    ).list.drop_nulls()
    rows = rows.with_columns(
        found=found, shouts=pl.col("Question").str.contains(r"^[^a-z]*[A-Z][^a-z]*$")
    )
    is_banned = pl.col("found").list.len() > 0
    evidence = pl.struct(column=pl.lit(config.column), words=pl.col("found"))
    rejected = rows.filter(is_banned).with_columns(
        reason=pl.lit("banned_word"), evidence=evidence.struct.json_encode()
    )
    return StageResult(
        kept=rows.filter(~is_banned).drop("found"), rejected=rejected.drop("found", "shouts")
    )
