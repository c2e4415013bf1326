"""A stage of another package: counts the characters of the Question."""

import polars as pl
from pydantic import BaseModel, ConfigDict

from cotdata.stages.base import StageResult, split_on_reason

version = "1"
reasons = {"never": "Never."}
adds = {"question_chars": pl.UInt32()}


class config_model(BaseModel):  # noqa: N801 - the name that the protocol gives it
    model_config = ConfigDict(extra="forbid")

    at_least: int = 0


def run(rows: pl.DataFrame, config: config_model) -> StageResult:
    counted = rows.with_columns(question_chars=pl.col("Question").str.len_chars())
    return split_on_reason(counted, pl.lit(None), pl.struct(limit=pl.lit(config.at_least)))
