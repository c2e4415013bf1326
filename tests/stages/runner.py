"""Runs one stage in memory as an engine would: over any cut of the rows and of the keys."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import polars as pl

from cotdata.stages import AnyStage, DatasetStage, dataset_rounds, run_row_stage
from cotdata.stages.base import Round, StageResult, apply_decision
from cotdata.stages.exact_dedup import ExactDedup
from cotdata.stages.mix import Mix
from cotdata.stages.sample import Sample
from cotdata.stages.split import Split


def run(
    rows: pl.DataFrame, stage: AnyStage, cuts: Iterable[int] = (), partitions: int = 1
) -> StageResult:
    """Return what the stage does to the rows, cut before each number of `cuts`."""
    shards = cut(rows, cuts)
    match stage:
        case ExactDedup() | Sample() | Split() | Mix():
            table = decision(shards, stage, partitions)
            results = [apply_decision(shard, table, stage) for shard in shards]
            said = table["note"].drop_nulls().to_list() if "note" in table.columns else []
            notes = Counter[str](said)
        case _:
            results = [run_row_stage(shard, stage) for shard in shards]
            notes = Counter()
            for result in results:
                notes.update(result.notes)
    return StageResult(
        pl.concat(result.kept for result in results),
        pl.concat(result.rejected for result in results),
        dict(notes),
    )


def cut(rows: pl.DataFrame, cuts: Iterable[int]) -> list[pl.DataFrame]:
    """Cut a frame before each of these rows; some parts may be empty."""
    edges = [0, *sorted(min(edge, rows.height) for edge in cuts), rows.height]
    return [rows[low:high] for low, high in pairwise(edges)]


def decision(
    shards: list[pl.DataFrame], stage: DatasetStage | Mix, partitions: int = 1
) -> pl.DataFrame:
    """Return what a dataset-scope stage decides."""
    table: pl.DataFrame | None = None
    for step in dataset_rounds(stage):
        keys = pl.concat([step.keys(_asked(shard, table, step), table) for shard in shards])
        parts = [step.decide(part) for part in _partitions(keys, step, partitions)]
        table = pl.concat(parts).sort(parts[0].columns[0])
    if table is None:
        raise TypeError(stage)
    return table


def _asked(shard: pl.DataFrame, table: pl.DataFrame | None, step: Round) -> pl.DataFrame:
    if table is None or not step.is_narrow:
        return shard
    return shard.join(table, on=table.columns[0], how="semi", maintain_order="left")


def _partitions(keys: pl.DataFrame, step: Round, count: int) -> list[pl.DataFrame]:
    if step.by is None:
        return [keys]
    return [keys.filter(pl.col(step.by) % count == part) for part in range(count)]
