"""A plugin that behaves, and what puts an object where an installed package would be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl
import pytest
from pydantic import BaseModel, ConfigDict

from cotdata.stages import plugin
from cotdata.stages.base import StageResult


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    word: str = "a"


class Shouting:
    """Rejects rows with a word, says of the others whether they shout."""

    version = "3"
    config_model = Settings
    reasons: ClassVar[Mapping[str, str]] = {"has_word": "Evidence: `word`."}
    adds: ClassVar[Mapping[str, pl.DataType]] = {"shouts": pl.Boolean()}

    def run(self, rows: pl.DataFrame, config: Settings) -> StageResult:
        has_word = pl.col("Question").str.contains(config.word, literal=True).fill_null(value=False)
        evidence = pl.struct(word=pl.lit(config.word)).struct.json_encode()
        kept = rows.filter(~has_word)
        return StageResult(
            kept.with_columns(shouts=pl.col("Question").str.contains("[A-Z]")),
            rows.filter(has_word).with_columns(reason=pl.lit("has_word"), evidence=evidence),
            {"looked at": rows.height},
        )


def install(patch: pytest.MonkeyPatch, **plugins: Any) -> None:
    """Offer these objects as the only installed plugins."""
    points = [_Point(name, offered) for name, offered in plugins.items()]

    def entry_points(*, group: str) -> list[_Point]:
        return points if group == "cotdata.stages" else []

    patch.setattr(plugin, "entry_points", entry_points)
    plugin.load_plugin.cache_clear()


@dataclass(frozen=True)
class _Point:
    """What an `EntryPoint` is to its reader."""

    name: str
    offered: object
    value: str = "some.package"

    def load(self) -> object:
        if isinstance(self.offered, Exception):
            raise self.offered
        return self.offered
