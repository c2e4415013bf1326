"""The list of stages: one union for the recipe, one `match` for each thing that is asked of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple, assert_never

import polars as pl
from pydantic import Field

from cotdata.stages.base import Rounds, StageConfig, StageResult
from cotdata.stages.exact_dedup import ExactDedup, exact_dedup_rounds
from cotdata.stages.length import Length, length
from cotdata.stages.mix import Mix, mix_rounds
from cotdata.stages.normalize_text import NormalizeText, normalize_text
from cotdata.stages.plugin import Plugin, load_plugin, run_plugin
from cotdata.stages.require_fields import RequireFields, require_fields
from cotdata.stages.sample import Sample, sample_rounds
from cotdata.stages.split import Split, split_rounds

RowStage = NormalizeText | RequireFields | Length | Plugin
DatasetStage = ExactDedup | Sample | Split
#: What a recipe may list.
Stage = Annotated[RowStage | DatasetStage, Field(discriminator="kind")]
#: What a build runs: the recipe's stages, and the mixing that follows from its sources.
AnyStage = RowStage | DatasetStage | Mix


class Nature(NamedTuple):
    """What a build must know of a stage before it runs."""

    version: int | str
    adds: Mapping[str, pl.DataType]
    changes: bool


def run_row_stage(rows: pl.DataFrame, stage: RowStage) -> StageResult:
    """Apply a row-scope stage to any part of the rows."""
    match stage:
        case NormalizeText():
            return normalize_text(rows, stage)
        case RequireFields():
            return require_fields(rows, stage)
        case Length():
            return length(rows, stage)
        case Plugin():
            return run_plugin(rows, stage)
        case _:
            assert_never(stage)


def dataset_rounds(stage: DatasetStage | Mix) -> Rounds:
    """Return the rounds of keys and decisions of a dataset-scope stage."""
    match stage:
        case ExactDedup():
            return exact_dedup_rounds(stage)
        case Sample():
            return sample_rounds(stage)
        case Split():
            return split_rounds(stage)
        case Mix():
            return mix_rounds(stage)
        case _:
            assert_never(stage)


def nature(stage: StageConfig) -> Nature:
    """Return a stage's version, the columns that it adds, and whether it changes any.

    Raises:
        StageError: If the stage is a plugin that is not installed.
    """
    if isinstance(stage, Plugin):
        plugin = load_plugin(stage.name)
        return Nature(plugin.version, plugin.adds, changes=True)
    return Nature(stage.version, stage.adds, stage.changes or bool(stage.adds))


def stage_labels(stages: Sequence[AnyStage]) -> list[str]:
    """Return how each stage is named in `rejected/`; see `label_kinds`."""
    return label_kinds(
        [f"plugin:{stage.name}" if isinstance(stage, Plugin) else stage.kind for stage in stages]
    )


def label_kinds(kinds: Sequence[str]) -> list[str]:
    """Return kinds told apart: the second of a kind is `kind#2`, and so on."""
    seen: Counter[str] = Counter()
    labels = []
    for kind in kinds:
        seen[kind] += 1
        labels.append(kind if seen[kind] == 1 else f"{kind}#{seen[kind]}")
    return labels
