"""Builds a run: sources, stages, splits, manifest and report, whole or not at all."""

import errno
import os
import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa

from cotdata.engine import Engine
from cotdata.engine.local import LocalEngine
from cotdata.engine.progress import Progress, Silence
from cotdata.errors import CotdataError, StageError, VerifyError, WriteError
from cotdata.manifest import (
    MANIFEST_NAME,
    TIMINGS_NAME,
    Manifest,
    StageRecord,
)
from cotdata.recipe import LoadedRecipe
from cotdata.report import collect_examples, render_report
from cotdata.run.accounting import check_flow, check_manifest
from cotdata.run.assemble import Written, assemble, rows_per_file
from cotdata.run.checkpoints import cache_folder, content_key, shaping_versions
from cotdata.run.fates import REJECTED, Assembly
from cotdata.run.ingest import Ingested, ingest, source_key
from cotdata.run.output_folder import OutputFolder
from cotdata.run.passes import Decided, decide
from cotdata.run.profile import add_profiles
from cotdata.run.record import (
    column_records,
    output_file,
    place_files,
    recipe_record,
    split_records,
    stage_records,
)
from cotdata.run.replay import Shards
from cotdata.run.verify import verify
from cotdata.sources.opened import OpenedSource, open_source
from cotdata.sources.source_file import readable
from cotdata.stages import AnyStage, nature, stage_labels
from cotdata.stages.split import Split
from cotdata.writers.card import dataset_card

#: Raised when a run's files change for the same recipe and inputs.
VERSION: Final = 1
# What a full or protected file system answers; anything else is a fault of ours.
_UNWRITABLE: Final = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EFBIG,
        errno.EIO,
        errno.ENAMETOOLONG,
        errno.EBUSY,
        errno.EXDEV,
    }
)


@dataclass(frozen=True)
class Run:
    """A finished run."""

    path: Path
    manifest: Manifest
    #: False where the same run already stood and was only verified.
    is_new: bool


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
        WriteError: If the output or the cache cannot be written, or must not be overwritten.
        VerifyError: If the same run stands there, but has been changed.
    """
    listener = progress or Silence()
    try:
        return _Build(loaded, LocalEngine(workers), listener, fresh=fresh, force=force).run()
    except OSError as error:
        if error.errno in _UNWRITABLE:
            raise _write_error(error, loaded.output) from error
        # Arrow names the file in its message only.
        if str(cache_folder()) in str(error):
            raise _cache_error(error) from error
        raise
    except pa.ArrowInvalid as error:
        raise _cache_error(error) from error


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
        self._started = time.time()
        self._seconds: dict[str, float] = {}

    def run(self) -> Run:
        opened = self._open()
        fingerprint = self._fingerprint(opened)
        folder = OutputFolder(self._loaded.output)
        with folder.locked():
            stands = folder.holds(fingerprint)
            if stands and not self._fresh and (manifest := self._verified(folder)):
                return Run(folder.path, manifest, is_new=False)
            folder.check_may_write(force=self._force or stands)
            folder.check_inputs([self._loaded.path, *_local_inputs(opened)])
            folder.check_folders(_folders_read(opened, self._loaded.base))
            sources, decided = self._decide(opened)
            scratch = folder.scratch(self._work_key(fingerprint))
            manifest = self._write(sources, decided, fingerprint, scratch)
            folder.publish(scratch)
        return Run(folder.path, manifest, is_new=True)

    def _verified(self, folder: OutputFolder) -> Manifest | None:
        """Return the standing run's manifest; None if it was changed and may be replaced."""
        try:
            return verify(folder.path, self._progress)
        except VerifyError as error:
            if self._force:
                return None
            fix = "build it anew with --force, or choose another folder with --output"
            raise VerifyError(error.what, error.where, fix, problems=error.problems) from error

    def _open(self) -> list[OpenedSource]:
        opened = []
        for source in self._recipe.sources:
            self._progress.start(f"look at {source.name}", None, "files")
            opened.append(open_source(source, self._loaded.base))
        self._lap("open")
        return opened

    def _decide(self, opened: Sequence[OpenedSource]) -> tuple[list[Ingested], Decided]:
        sources = [ingest(source, self._progress, fresh=self._fresh) for source in opened]
        self._lap("read")
        decided = decide(
            self._stages,
            _shards(sources),
            [source.key for source in sources],
            self._engine,
            self._progress,
            fresh=self._fresh,
        )
        self._lap("decide")
        return sources, decided

    def _write(
        self, sources: Sequence[Ingested], decided: Decided, fingerprint: str, scratch: Path
    ) -> Manifest:
        records = stage_records(self._stages, decided)
        check_flow([source.record for source in sources], records)
        assembly = Assembly(
            _shards(sources),
            decided.steps,
            tuple(stage_labels(self._stages)),
            rows_per_file(
                sum(source.record.read for source in sources),
                sum(source.text_bytes for source in sources),
            ),
        )
        written = assemble(
            assembly, self._outputs(), scratch / "work", self._engine, self._progress
        )
        self._lap("write")
        self._check_train(written)
        return self._finish(sources, records, assembly, written, fingerprint, scratch)

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
        outputs = place_files(written, run)
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
            columns=column_records(assembly),
            before=add_profiles(source.profile for source in sources),
            after=add_profiles(part for file in written for part in file.profiles),
            versions=shaping_versions(),
            outputs=outputs,
        )
        check_manifest(manifest)
        self._progress.start("report", None, "files")
        (run / "README.md").write_text(dataset_card(manifest), encoding="utf-8", newline="\n")
        report = render_report(manifest, collect_examples(run))
        (run / "report.html").write_text(report, encoding="utf-8", newline="\n")
        pages = [output_file(run, run / name) for name in ("README.md", "report.html")]
        manifest = manifest.model_copy(update={"outputs": [*outputs, *pages]})
        (run / MANIFEST_NAME).write_bytes(manifest.to_json())
        self._lap("report")
        (run / TIMINGS_NAME).write_bytes(self._timings(sources))
        return manifest

    def _check_train(self, written: Sequence[Written]) -> None:
        """Refuse a split that leaves nothing to train on; say so where no row is left at all."""
        rows = {name: split.rows for name, split in split_records(written).items()}
        if sum(rows.values()) and not rows["train"]:
            taken = ", ".join(f"{name} {count:,}" for name, count in rows.items() if count)
            raise StageError(
                f"the split leaves no row to train on: {taken}",
                fix="give `validation` and `test` a share, such as 0.02, or a smaller number",
            )
        if not sum(rows.values()):
            self._progress.say("warning: no row was kept; the report says why")

    def _outputs(self) -> list[str]:
        """Return the outputs that there are even without rows: splits asked for, and rejected."""
        asked = ["train", REJECTED]
        for stage in self._stages:
            if isinstance(stage, Split):
                asked += [name for name in ("validation", "test") if getattr(stage, name)]
        return asked

    def _fingerprint(self, opened: Sequence[OpenedSource]) -> str:
        return content_key(
            {
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
        return content_key([fingerprint, shaping_versions()])[:16]

    def _lap(self, step: str) -> None:
        self._seconds[step] = time.time() - self._started - sum(self._seconds.values())

    def _timings(self, sources: Sequence[Ingested]) -> bytes:
        """Return what may differ from machine to machine, and so stands in no hashed file."""
        started = datetime.fromtimestamp(self._started, tz=UTC)
        record: dict[str, Any] = {
            "started": started.isoformat(timespec="seconds"),
            "seconds": {name: round(seconds, 3) for name, seconds in self._seconds.items()},
            "from_cache": [source.record.name for source in sources if not source.is_new],
            "python": platform.python_version(),
            "platform": platform.platform(),
            "recipe": readable(str(self._loaded.path)),
        }
        return orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _shards(sources: Sequence[Ingested]) -> Shards:
    return Shards(tuple(path for source in sources for path in source.shards))


def _cache_error(error: Exception) -> CotdataError:
    return WriteError(
        f"the cache was damaged or cleared while the build used it: {error}",
        fix="run the same command again; if it fails again, with --fresh",
    )


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


def _write_error(error: OSError, output: Path) -> CotdataError:
    what = os.strerror(error.errno) if error.errno else str(error)
    place = f": {error.filename}" if error.filename else ""
    folders = {"the output": output.absolute().parent, "the cache": cache_folder()}
    free = ", ".join(
        f"{name} ({folder}) has {shutil.disk_usage(folder).free / 1e6:,.0f} MB free"
        for name, folder in folders.items()
        if folder.is_dir()
    )
    return WriteError(
        f"{what}{place}; {free}",
        fix="make room or choose other folders (--output, COTDATA_CACHE_DIR), then run the same "
        "command again: it goes on where it stopped",
    )
