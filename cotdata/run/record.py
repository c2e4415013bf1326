"""What a build writes down: the manifest's records, from what was counted."""

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cotdata.manifest import ColumnRecord, OutputFile, SplitRecord, StageRecord
from cotdata.recipe import Recipe
from cotdata.run.assemble import Written
from cotdata.run.fates import REJECTED, Assembly
from cotdata.run.hashing import file_sha256
from cotdata.run.passes import Decided, StageCount
from cotdata.run.profile import add_profiles
from cotdata.run.rendering import KIND, Rendering
from cotdata.stages import AnyStage, nature
from cotdata.stages.base import settings

if TYPE_CHECKING:
    from cotdata.render.renderer import Renderer


def recipe_record(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as the manifest has it: where the run goes leaves no trace in its bytes."""
    written = recipe.as_written()
    return {key: value for key, value in written.items() if key not in {"output", "train"}}


def place_files(written: Sequence[Written], run: Path) -> list[OutputFile]:
    """Link the written files under their names, which say how many there are."""
    outputs = []
    # `datasets` refuses a folder with a split of no rows.
    filled = [part.output for part in written if part.rows or part.output == REJECTED]
    is_empty = filled == [REJECTED]
    for output in dict.fromkeys(["train", *filled] if is_empty else filled):
        files = [part for part in written if part.output == output]
        folder = run / (REJECTED if output == REJECTED else "data")
        folder.mkdir(parents=True, exist_ok=True)
        for number, part in enumerate(files):
            path = folder / f"{output}-{number:05}-of-{len(files):05}.parquet"
            path.unlink(missing_ok=True)
            _link(part.path, path)
            outputs.append(
                OutputFile(
                    path=path.relative_to(run).as_posix(),
                    rows=part.rows,
                    bytes=path.stat().st_size,
                    sha256=part.sha256,
                )
            )
    return outputs


def _link(made: Path, path: Path) -> None:
    """Give a file a second name, so that a killed build has it still; copy it where none can be."""
    try:
        path.hardlink_to(made)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.EMLINK}:
            raise
        shutil.copyfile(made, path)


def split_records(written: Sequence[Written]) -> dict[str, SplitRecord]:
    """Return each split's rows, and how many of each source are among them."""
    splits = {}
    for output in dict.fromkeys(part.output for part in written if part.output != REJECTED):
        total = add_profiles(
            profile for part in written if part.output == output for profile in part.profiles
        )
        splits[output] = SplitRecord(rows=total.rows, sources=total.sources)
    return splits


def column_records(assembly: Assembly) -> list[ColumnRecord]:
    """Return the kept rows' columns, and which stage added each that is not the row's own."""
    added = {name: label for name, (_, label) in assembly.added().items()}
    if assembly.rendering is not None:
        added |= dict.fromkeys(assembly.rendering.schema, assembly.rendering.label)
    return [
        ColumnRecord(name=name, dtype=str(dtype), added_by=added.get(name))
        for name, dtype in assembly.kept_schema().items()
    ]


def stage_records(stages: Sequence[AnyStage], decided: Decided) -> list[StageRecord]:
    """Return what each stage did."""
    return [
        _stage_record(position, stage, count)
        for position, (stage, count) in enumerate(zip(stages, decided.counts, strict=True))
    ]


def _stage_record(position: int, stage: AnyStage, count: StageCount) -> StageRecord:
    return StageRecord(
        position=position,
        kind=stage.kind,
        version=nature(stage).version,
        config=settings(stage),
        rows_in=count.rows_in,
        made=count.made,
        kept=count.kept,
        rejected=count.rejected,
        reasons=dict(sorted(count.reasons.items())),
        notes=dict(sorted(count.notes.items())),
    )


def render_stage_record(
    renderer: "Renderer", rendering: Rendering, config: dict[str, Any]
) -> StageRecord:
    """Return what rendering did, as the last of the stages."""
    count = rendering.count
    return StageRecord(
        position=rendering.position,
        kind=KIND,
        version=renderer.identity()["version"],
        config=config,
        rows_in=count.rows_in,
        made=count.made,
        kept=count.kept,
        rejected=count.rejected,
        reasons=dict(sorted(count.reasons.items())),
        notes=dict(sorted(count.notes.items())),
    )


def output_file(run: Path, path: Path) -> OutputFile:
    """Return the manifest's entry for a file of the run."""
    return OutputFile(
        path=path.relative_to(run).as_posix(),
        bytes=path.stat().st_size,
        sha256=file_sha256(path),
    )
