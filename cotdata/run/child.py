"""Makes a child run: the rows of a finished run, rendered for another model."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cotdata.engine.local import LocalEngine
from cotdata.engine.progress import Progress, Silence
from cotdata.manifest import MANIFEST_NAME, Manifest, ParentRecord
from cotdata.recipe.model import render_as_written
from cotdata.render.settings import Render
from cotdata.run.accounting import check_flow
from cotdata.run.assemble import Written, assemble, rows_per_file
from cotdata.run.checkpoints import content_key
from cotdata.run.fates import REJECTED, Assembly
from cotdata.run.finish import (
    Clock,
    Run,
    check_train,
    complete,
    place_outputs,
    rendered_record,
    standing,
)
from cotdata.run.opening import open_model, run_versions
from cotdata.run.output_folder import OutputFolder
from cotdata.run.parent import Parent, open_parent
from cotdata.run.profile import add_profiles
from cotdata.run.record import column_records, render_stage_record, split_records
from cotdata.run.refusals import refusals
from cotdata.run.rendering import KIND, Rendering, render_rows
from cotdata.run.verify import kinds_of, verify
from cotdata.sources.source_file import readable
from cotdata.stages import label_kinds

if TYPE_CHECKING:
    from cotdata.render.renderer import Renderer

#: Raised when a child run's files change for the same parent and settings.
VERSION: Final = 1


def render_run(
    parent: Path,
    settings: Render,
    output: Path,
    *,
    given: Mapping[str, str] | None = None,
    workers: int | None = None,
    fresh: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Render a finished run's rows for another model, or verify and return the run that stands.

    The splits are the parent's, and its rejected rows stay rejected, those that its own rendering
    rejected included; the columns that this added are replaced.

    Args:
        parent: The run's folder.
        settings: As a recipe's section `render`; a model's folder is relative to the working
            directory.
        output: The child run's folder.
        given: What the command line says of the rendering, for the record.
        workers: Shards that are worked on at the same time; the number of processors if left out.
        fresh: Ignore what the cache holds.
        force: Replace another run in the output folder.
        progress: Who is told what happens.

    Raises:
        VerifyError: If the parent, or the same run that stands already, has been changed.
        RenderError: If the model cannot be used, or leaves no row to train on.
        WriteError: If the output or the cache cannot be written, or must not be overwritten.
    """
    listener = progress or Silence()
    with refusals(output):
        child = _Child(parent, settings, output, given or {}, listener)
        return child.run(workers, fresh=fresh, force=force)


class _Child:
    """One rendering, from the parent's folder to the child's."""

    def __init__(
        self,
        parent: Path,
        settings: Render,
        output: Path,
        given: Mapping[str, str],
        progress: Progress,
    ) -> None:
        self._place, self._folder = parent, OutputFolder(output)
        self._settings, self._given = render_as_written(settings), dict(given)
        self._progress, self._clock = progress, Clock()
        self._renderer: Renderer = open_model(settings, Path.cwd(), progress)

    def run(self, workers: int | None, *, fresh: bool, force: bool) -> Run:
        manifest = verify(self._place, self._progress, proofs=False)
        self._clock.lap("open")
        fingerprint = self._fingerprint(manifest)
        folder = self._folder
        with folder.locked():
            stands = folder.holds(fingerprint)
            if stands and not fresh:
                found = standing(folder, self._progress, force=force)
                if found is not None:
                    return Run(folder.path, found, is_new=False)
            # Before anything is replaced: it may be the parent itself.
            folder.check_inputs([self._place / MANIFEST_NAME])
            folder.check_folders([self._place])
            folder.check_may_write(force=force or stands)
            parent = open_parent(self._place, manifest, self._progress, fresh=fresh)
            self._clock.lap("read")
            key = content_key([fingerprint, run_versions(self._renderer)])[:16]
            scratch = folder.scratch(key)
            made = self._write(parent, fingerprint, scratch, LocalEngine(workers), fresh=fresh)
            folder.publish(scratch)
        return Run(folder.path, made, is_new=True)

    def _fingerprint(self, parent: Manifest) -> str:
        return content_key(
            {
                "version": VERSION,
                "parent": self._parent_record(parent).model_dump(),
                "render": self._settings,
                "given": self._given,
                "identity": self._renderer.identity(),
            }
        )

    def _parent_record(self, parent: Manifest) -> ParentRecord:
        return ParentRecord(fingerprint=parent.fingerprint, sha256=parent.sha256)

    def _write(
        self,
        parent: Parent,
        fingerprint: str,
        scratch: Path,
        engine: LocalEngine,
        *,
        fresh: bool,
    ) -> Manifest:
        self._say_what_stays(parent.manifest)
        rendering = self._render(parent, engine, fresh=fresh)
        size = parent.text_bytes + rendering.count.size
        assembly = Assembly(
            parent.shards, (), (), rows_per_file(parent.rows, size), rendering, parent.held
        )
        outputs = [*parent.manifest.splits, REJECTED]
        written = assemble(assembly, outputs, scratch / "work", engine, self._progress)
        self._clock.lap("write")
        check_train(written, assembly, self._progress)
        return self._finish(parent.manifest, assembly, rendering, written, fingerprint, scratch)

    def _render(self, parent: Parent, engine: LocalEngine, *, fresh: bool) -> Rendering:
        kinds = kinds_of(parent.manifest)
        rendering = render_rows(
            self._renderer,
            parent.shards,
            (),
            parent.key,
            label_kinds([*kinds, KIND])[-1],
            engine,
            self._progress,
            position=len(kinds),
            rows=sum(split.rows for split in parent.manifest.splits.values()),
            fresh=fresh,
        )
        self._clock.lap("render")
        return rendering

    def _finish(
        self,
        parent: Manifest,
        assembly: Assembly,
        rendering: Rendering,
        written: Sequence[Written],
        fingerprint: str,
        scratch: Path,
    ) -> Manifest:
        """Put the run's folder together beside the scratch files."""
        stages = [
            *parent.stages,
            render_stage_record(self._renderer, rendering, self._settings),
        ]
        check_flow(parent.sources, stages)
        run = scratch / "run"
        outputs = place_outputs(written, run, self._renderer)
        render = rendered_record(
            self._renderer, rendering, self._settings, run, outputs, self._progress
        )
        columns = [column for column in parent.columns if column.name in assembly.held]
        columns += [item for item in column_records(assembly) if item.name in rendering.schema]
        manifest = parent.model_copy(
            update={
                "fingerprint": fingerprint,
                "overrides": {**parent.overrides, "render": self._given},
                "recipe": {**parent.recipe, "render": self._settings},
                "stages": stages,
                "splits": split_records(written),
                "rejected": sum(part.rows for part in written if part.output == REJECTED),
                "render": render,
                "parent": self._parent_record(parent),
                "columns": columns,
                "after": add_profiles(part for file in written for part in file.profiles),
                "versions": run_versions(self._renderer),
                "outputs": outputs,
                "sha256": "",
            }
        )
        timings: dict[str, Any] = {"parent": readable(os.fspath(self._place))}
        return complete(manifest, run, self._progress, self._clock, timings)

    def _say_what_stays(self, parent: Manifest) -> None:
        if parent.render is None:
            return
        left = sum(stage.rejected for stage in parent.stages if stage.kind == KIND)
        self._progress.say(
            f"{self._place} was rendered for {parent.render.model}: those columns are replaced, "
            f"and the {left:,} rows that it rejected stay rejected"
        )
