"""Runs a recipe's stages over the work shards, each stage once, and keeps what was decided."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any, Final

import orjson
import polars as pl
import pyarrow as pa

from cotdata.engine import Engine
from cotdata.engine.arrow_files import read_arrow, write_arrow
from cotdata.engine.progress import Progress
from cotdata.run.checkpoints import Checkpoint, content_key, open_checkpoint, shaping_versions
from cotdata.run.replay import REJECTED_SCHEMA, Shards, Step, decided, replay
from cotdata.stages import AnyStage, DatasetStage, RowStage, dataset_rounds, nature, run_row_stage
from cotdata.stages.base import NUMBER, Round
from cotdata.stages.exact_dedup import ExactDedup
from cotdata.stages.mix import COPIES, Mix
from cotdata.stages.sample import Sample
from cotdata.stages.split import Split

#: Raised when this module decides otherwise on the same rows.
VERSION: Final = 1


@dataclass
class StageCount:
    """What one stage did, in rows."""

    rows_in: int = 0
    made: int = 0
    kept: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def add(self, part: Mapping[str, Any]) -> None:
        """Add what the stage did to one shard."""
        self.rows_in += part["rows_in"]
        self.made += part["made"]
        self.kept += part["kept"]
        self.rejected += part["rejected"]
        self.reasons.update(part["reasons"])
        self.notes.update(part["notes"])


@dataclass(frozen=True)
class Pass:
    """Row-scope stages that run together, and the dataset-scope stage that they lead up to."""

    first: int
    row_stages: tuple[RowStage, ...]
    dataset_stage: DatasetStage | Mix | None


@dataclass(frozen=True)
class Decided:
    """All stages, with what they decided and how many rows that were."""

    steps: tuple[Step, ...]
    counts: tuple[StageCount, ...]


def plan_passes(stages: Sequence[AnyStage]) -> list[Pass]:
    """Group stages into passes: a dataset-scope stage ends one."""
    passes: list[Pass] = []
    row_stages: list[RowStage] = []
    first = 0
    for position, stage in enumerate(stages):
        match stage:
            case ExactDedup() | Sample() | Split() | Mix():
                passes.append(Pass(first, tuple(row_stages), stage))
                row_stages, first = [], position + 1
            case _:
                row_stages.append(stage)
    if row_stages:
        passes.append(Pass(first, tuple(row_stages), None))
    return passes


@dataclass(frozen=True)
class _RowPass:
    """Kernel: runs row-scope stages on one shard and extracts the first round's keys."""

    shards: Shards
    done: tuple[Step, ...]
    first: int
    stages: tuple[RowStage, ...]
    round: Round | None

    def __call__(self, shard: Path, _: Path | None, out: Path) -> None:
        rows = replay(shard, self.shards.base(shard), self.done)
        rejected, counts = [REJECTED_SCHEMA.to_frame()], []
        for position, stage in enumerate(self.stages, start=self.first):
            result = run_row_stage(rows, stage)
            reasons = Counter(result.rejected["reason"].to_list())
            counts.append(
                {
                    "rows_in": rows.height,
                    "made": 0,
                    "kept": result.kept.height,
                    "rejected": result.rejected.height,
                    "reasons": reasons,
                    "notes": result.notes,
                }
            )
            place = pl.lit(position, pl.Int32).alias("position")
            rejected.append(result.rejected.select(NUMBER, place, "reason", "evidence"))
            rows = result.kept
        out.mkdir()
        write_arrow(pl.concat(rejected).sort(NUMBER), out / "rejected.arrow")
        summary = {"counts": counts, "rows_out": rows.height}
        (out / "counts.json").write_bytes(orjson.dumps(summary))
        if self.round is not None:
            write_arrow(self.round.keys(rows, None), out / "keys.arrow")


@dataclass(frozen=True)
class _KeyPass:
    """Kernel: extracts the keys of a later round from one shard."""

    shards: Shards
    done: tuple[Step, ...]
    round: Round

    def __call__(self, shard: Path, shared: Path | None, out: Path) -> None:
        base = self.shards.base(shard)
        previous = None if shared is None else decided(shared, base)
        only = previous[NUMBER] if previous is not None and self.round.is_narrow else None
        rows = replay(shard, base, self.done, only)
        out.mkdir()
        write_arrow(self.round.keys(rows, previous), out / "keys.arrow")


def decide(
    stages: Sequence[AnyStage],
    shards: Shards,
    source_keys: Sequence[str],
    engine: Engine,
    progress: Progress,
    *,
    fresh: bool = False,
) -> Decided:
    """Run every stage and return what each decided.

    Raises:
        StageError: If a stage lost a row.
    """
    steps: list[Step] = []
    counts: list[StageCount] = []
    for part in plan_passes(stages):
        done = stages[: part.first + len(part.row_stages) + (part.dataset_stage is not None)]
        key = content_key(
            [VERSION, shaping_versions(), source_keys, [_identity(stage) for stage in done]],
        )
        with open_checkpoint("decisions", key, progress, fresh=fresh) as checkpoint:
            sealed = checkpoint.read()
            if sealed is None:
                sealed = _fill(part, tuple(steps), shards, engine, progress, checkpoint)
        steps += _steps(part, checkpoint.path)
        for summary in sealed["counts"]:
            count = StageCount()
            count.add(summary)
            counts.append(count)
    return Decided(tuple(steps), tuple(counts))


def _fill(
    part: Pass,
    done: tuple[Step, ...],
    shards: Shards,
    engine: Engine,
    progress: Progress,
    checkpoint: Checkpoint,
) -> dict[str, Any]:
    """Run a pass and seal its checkpoint."""
    try:
        sealed = _run(part, done, shards, engine, progress, checkpoint.path)
    except (FileNotFoundError, pa.ArrowInvalid):
        # What a killed build left may have lost files since; without it the pass is whole.
        checkpoint.empty()
        sealed = _run(part, done, shards, engine, progress, checkpoint.path)
    checkpoint.seal(sealed, _decisions(checkpoint.path))
    _drop_keys(checkpoint.path)
    return sealed


def _run(
    part: Pass,
    done: tuple[Step, ...],
    shards: Shards,
    engine: Engine,
    progress: Progress,
    folder: Path,
) -> dict[str, Any]:
    rounds = dataset_rounds(part.dataset_stage) if part.dataset_stage is not None else ()
    kernel = _RowPass(shards, done, part.first, part.row_stages, rounds[0] if rounds else None)
    progress.start(_title(part), len(shards.paths), "shards")
    counts = [StageCount() for _ in part.row_stages]
    rows_out = 0
    made: list[Path] = []
    for path in engine.map_shards(kernel, shards.paths, folder / "rows"):
        summary = orjson.loads((path / "counts.json").read_bytes())
        for count, summand in zip(counts, summary["counts"], strict=True):
            count.add(summand)
        rows_out += summary["rows_out"]
        made.append(path)
        progress.advance(1)
    if part.dataset_stage is not None:
        table = _exchange(rounds, made, _after_rows(part, done, folder), shards, engine, folder)
        counts.append(_dataset_count(read_arrow(table), rows_out))
    rows = sum(count.rows_in for count in counts[:1])
    return {"counts": [vars(count) for count in counts], "rows": rows, "stages": _title(part)}


def _exchange(
    rounds: Sequence[Round],
    made: Sequence[Path],
    done: tuple[Step, ...],
    shards: Shards,
    engine: Engine,
    folder: Path,
) -> Path:
    """Run a dataset-scope stage's rounds and return its decision."""
    keys = [path / "keys.arrow" for path in made]
    table = engine.exchange(keys, rounds[0].by, rounds[0].decide, folder / "round-0")
    for number, later in enumerate(rounds[1:], start=1):
        kernel = _KeyPass(shards, done, later)
        paths = engine.map_shards(kernel, shards.paths, folder / f"keys-{number}", table)
        keys = [path / "keys.arrow" for path in paths]
        table = engine.exchange(keys, later.by, later.decide, folder / f"round-{number}")
    return table


def _dataset_count(decision: pl.DataFrame, rows_in: int) -> StageCount:
    count = StageCount(rows_in=rows_in)
    if "reason" in decision.columns:
        count.reasons.update(decision["reason"].drop_nulls().to_list())
    if COPIES in decision.columns:
        count.made = int((decision[COPIES].drop_nulls().cast(pl.Int64) - 1).sum())
    if "note" in decision.columns:
        count.notes.update(decision["note"].drop_nulls().to_list())
    count.rejected = count.reasons.total()
    count.kept = rows_in + count.made - count.rejected
    return count


def _decisions(folder: Path) -> list[Path]:
    """Return the files of a pass that are read again; its keys are not."""
    return [*folder.glob("rows/*/rejected.arrow"), *folder.glob("round-*/table.arrow")]


def _drop_keys(folder: Path) -> None:
    """Remove what a sealed pass no longer needs: its decision says it all."""
    for path in folder.glob("rows/*/keys.arrow"):
        path.unlink(missing_ok=True)
    for path in (*folder.glob("keys-*"), *folder.rglob(".making-*")):
        rmtree(path, ignore_errors=True)


def _title(part: Pass) -> str:
    kinds: list[str] = [stage.kind for stage in part.row_stages]
    if part.dataset_stage is not None:
        kinds.append(part.dataset_stage.kind)
    return ", ".join(kinds)


def _identity(stage: AnyStage) -> list[Any]:
    return [stage.model_dump(mode="json"), nature(stage).version]


def _after_rows(part: Pass, done: tuple[Step, ...], folder: Path) -> tuple[Step, ...]:
    return (*done, *_row_steps(part, folder))


def _row_steps(part: Pass, folder: Path) -> list[Step]:
    return [
        Step(position, stage, nature(stage).changes, folder=folder / "rows")
        for position, stage in enumerate(part.row_stages, start=part.first)
    ]


def _steps(part: Pass, folder: Path) -> list[Step]:
    steps = _row_steps(part, folder)
    if part.dataset_stage is not None:
        last_round = len(dataset_rounds(part.dataset_stage)) - 1
        steps.append(
            Step(
                position=part.first + len(part.row_stages),
                stage=part.dataset_stage,
                changes=nature(part.dataset_stage).changes,
                decision=folder / f"round-{last_round}" / "table.arrow",
            )
        )
    return steps
