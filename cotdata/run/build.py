"""Builds a run: sources, stages, splits, manifest and report, whole or not at all."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cotdata.engine import Engine
from cotdata.engine.local import LocalEngine
from cotdata.engine.progress import Progress, Silence
from cotdata.manifest import Manifest, StageRecord
from cotdata.recipe import LoadedRecipe
from cotdata.recipe.overrides import names_model
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
from cotdata.run.ingest import Ingested, ingest, source_key
from cotdata.run.opening import open_model, run_versions
from cotdata.run.output_folder import OutputFolder
from cotdata.run.passes import Decided, decide
from cotdata.run.profile import add_profiles
from cotdata.run.record import (
    column_records,
    recipe_record,
    render_stage_record,
    split_records,
    stage_records,
)
from cotdata.run.refusals import refusals
from cotdata.run.rendering import KIND, Rendering, render_rows
from cotdata.run.replay import Shards
from cotdata.sources.opened import OpenedSource, open_source
from cotdata.sources.source_file import readable
from cotdata.stages import AnyStage, nature, stage_labels
from cotdata.stages.split import Split

if TYPE_CHECKING:
    from cotdata.render.renderer import Renderer

#: Raised when a run's files change for the same recipe and inputs.
VERSION: Final = 1


def build(
    loaded: LoadedRecipe,
    *,
    workers: int | None = None,
    fresh: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Build a recipe's run, or verify and return the one that stands already.

    Args:
        loaded: What `load_recipe` returned.
        workers: Shards that are worked on at the same time; the number of processors if left out.
        fresh: Ignore what the cache holds.
        force: Replace another run in the output folder.
        progress: Who is told what happens.

    Raises:
        SourceError: If a source cannot be read.
        StageError: If a stage cannot run, or lost a row.
        RenderError: If the model that rows are rendered for cannot be used.
        WriteError: If the output or the cache cannot be written, or must not be overwritten.
        VerifyError: If the same run stands there, but has been changed.
    """
    listener = progress or Silence()
    with refusals(loaded.output):
        return _Build(loaded, LocalEngine(workers), listener, fresh=fresh, force=force).run()


class _Build:
    """One build, from its recipe to its folder."""

    def __init__(
        self,
        loaded: LoadedRecipe,
        engine: Engine,
        progress: Progress,
        *,
        fresh: bool,
        force: bool,
    ) -> None:
        self._loaded, self._recipe = loaded, loaded.recipe
        self._engine, self._progress = engine, progress
        self._fresh, self._force = fresh, force
        self._stages: tuple[AnyStage, ...] = loaded.recipe.all_stages()
        self._renderer: Renderer | None = None
        self._clock = Clock()

    def run(self) -> Run:
        # First of all: a model that cannot be had is told before any row is read.
        if self._recipe.render is not None:
            self._renderer = open_model(self._recipe.render, self._loaded.base, self._progress)
        opened = self._open()
        fingerprint = self._fingerprint(opened)
        folder = OutputFolder(self._loaded.output)
        with folder.locked():
            stands = folder.holds(fingerprint)
            if stands and not self._fresh:
                manifest = standing(folder, self._progress, force=self._force)
                if manifest is not None:
                    return Run(folder.path, manifest, is_new=False)
            folder.check_may_write(force=self._force or stands)
            folder.check_inputs([self._loaded.path, *_local_inputs(opened)])
            folder.check_folders(_folders_read(opened, self._loaded.base))
            sources, decided = self._decide(opened)
            scratch = folder.scratch(self._work_key(fingerprint))
            manifest = self._write(sources, decided, fingerprint, scratch)
            folder.publish(scratch)
        return Run(folder.path, manifest, is_new=True)

    def _open(self) -> list[OpenedSource]:
        opened = []
        for source in self._recipe.sources:
            self._progress.start(f"look at {source.name}", None, "files")
            opened.append(open_source(source, self._loaded.base))
        self._clock.lap("open")
        return opened

    def _decide(self, opened: Sequence[OpenedSource]) -> tuple[list[Ingested], Decided]:
        sources = [ingest(source, self._progress, fresh=self._fresh) for source in opened]
        self._clock.lap("read")
        decided = decide(
            self._stages,
            _shards(sources),
            [source.key for source in sources],
            self._engine,
            self._progress,
            fresh=self._fresh,
        )
        self._clock.lap("decide")
        return sources, decided

    def _write(
        self, sources: Sequence[Ingested], decided: Decided, fingerprint: str, scratch: Path
    ) -> Manifest:
        records = stage_records(self._stages, decided)
        left = check_flow([source.record for source in sources], records)
        rendering = self._render(sources, decided, left)
        if rendering is not None and self._renderer is not None:
            records.append(render_stage_record(self._renderer, rendering, self._settings()))
            check_flow([source.record for source in sources], records)
        assembly = Assembly(
            _shards(sources),
            decided.steps,
            tuple(stage_labels(self._stages)),
            rows_per_file(
                sum(source.record.read for source in sources),
                sum(source.text_bytes for source in sources)
                + (rendering.count.size if rendering is not None else 0),
            ),
            rendering,
        )
        written = assemble(
            assembly, self._outputs(), scratch / "work", self._engine, self._progress
        )
        self._clock.lap("write")
        check_train(written, assembly, self._progress)
        return self._finish(sources, records, assembly, written, fingerprint, scratch)

    def _render(self, sources: Sequence[Ingested], decided: Decided, rows: int) -> Rendering | None:
        if self._renderer is None:
            return None
        given = [
            [source.key for source in sources],
            [[stage.model_dump(mode="json"), nature(stage).version] for stage in self._stages],
        ]
        rendering = render_rows(
            self._renderer,
            _shards(sources),
            decided.steps,
            given,
            KIND,
            self._engine,
            self._progress,
            position=len(self._stages),
            rows=rows,
            fresh=self._fresh,
        )
        self._clock.lap("render")
        return rendering

    def _finish(
        self,
        sources: Sequence[Ingested],
        records: list[StageRecord],
        assembly: Assembly,
        written: Sequence[Written],
        fingerprint: str,
        scratch: Path,
    ) -> Manifest:
        """Put the run's folder together beside the scratch files."""
        run = scratch / "run"
        outputs = place_outputs(written, run, self._renderer)
        render = None
        if assembly.rendering is not None and self._renderer is not None:
            render = rendered_record(
                *(self._renderer, assembly.rendering, self._settings()),
                *(run, outputs, self._progress),
                sample=self._loaded.sample and not self._names_model(),
            )
        manifest = Manifest(
            name=self._recipe.name,
            fingerprint=fingerprint,
            seed=self._recipe.seed,
            sample=self._loaded.sample,
            overrides=dict(self._loaded.overrides),
            recipe=recipe_record(self._recipe),
            sources=[source.record for source in sources],
            stages=records,
            splits=split_records(written),
            rejected=sum(part.rows for part in written if part.output == REJECTED),
            render=render,
            columns=column_records(assembly),
            before=add_profiles(source.profile for source in sources),
            after=add_profiles(part for file in written for part in file.profiles),
            versions=run_versions(self._renderer),
            outputs=outputs,
        )
        timings = {
            "from_cache": [source.record.name for source in sources if not source.is_new],
            "recipe": readable(str(self._loaded.path)),
        }
        return complete(manifest, run, self._progress, self._clock, timings)

    def _names_model(self) -> bool:
        return names_model(self._loaded.overrides.get("set", {}))

    def _settings(self) -> dict[str, Any]:
        """Return the section `render` as the manifest has it."""
        settings: dict[str, Any] = recipe_record(self._recipe)["render"]
        return settings

    def _outputs(self) -> list[str]:
        """Return the outputs that there are even without rows: splits asked for, and rejected."""
        asked = ["train", REJECTED]
        for stage in self._stages:
            if isinstance(stage, Split):
                asked += [name for name in ("validation", "test") if getattr(stage, name)]
        return asked

    def _fingerprint(self, opened: Sequence[OpenedSource]) -> str:
        rendered = {"render": self._renderer.identity()} if self._renderer is not None else {}
        return content_key(
            {
                **rendered,
                "version": VERSION,
                "recipe": recipe_record(self._recipe),
                "overrides": dict(self._loaded.overrides),
                "sample": self._loaded.sample,
                "sources": [source_key(item) for item in opened],
                "stages": [
                    [stage.model_dump(mode="json"), nature(stage).version] for stage in self._stages
                ],
            }
        )

    def _work_key(self, fingerprint: str) -> str:
        """Return the name of the scratch folder: another version's half-written files differ."""
        return content_key([fingerprint, run_versions(self._renderer)])[:16]


def _shards(sources: Sequence[Ingested]) -> Shards:
    return Shards(tuple(path for source in sources for path in source.shards))


def _local_inputs(opened: Sequence[OpenedSource]) -> list[Path]:
    return [item.place for source in opened for item in source.inputs if item.place is not None]


def _folders_read(opened: Sequence[OpenedSource], base: Path) -> list[Path]:
    """Return the folders that sources read whole, as a folder or with `**`."""
    folders = []
    for source in opened:
        head, star, _ = source.source.from_.partition("**")
        folder = base / head
        if any(item.place for item in source.inputs) and (star or folder.is_dir()):
            folders.append(folder if folder.is_dir() else folder.parent)
    return folders
