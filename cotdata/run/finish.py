"""Puts a run's folder together, from what was written and counted: the end of every build."""

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from cotdata.engine.progress import Progress
from cotdata.errors import RenderError, StageError, VerifyError
from cotdata.manifest import MANIFEST_NAME, TIMINGS_NAME, Manifest, OutputFile, RenderRecord
from cotdata.report import collect_examples, render_report
from cotdata.run.accounting import check_manifest
from cotdata.run.assemble import Written
from cotdata.run.fates import Assembly
from cotdata.run.output_folder import OutputFolder
from cotdata.run.packed import pack_run
from cotdata.run.record import output_file, place_files, split_records
from cotdata.run.rendering import Rendering, filled_record
from cotdata.run.reproof import TOKENIZER_FOLDER
from cotdata.run.verify import verify
from cotdata.writers.card import dataset_card

if TYPE_CHECKING:
    from cotdata.render.renderer import Renderer


@dataclass(frozen=True)
class Run:
    """A finished run."""

    path: Path
    manifest: Manifest
    #: False where the same run already stood and was only verified.
    is_new: bool


@dataclass
class Clock:
    """How long the parts of a build took."""

    started: float = field(default_factory=time.time)
    seconds: dict[str, float] = field(default_factory=dict)

    def lap(self, step: str) -> None:
        """Note the time since the last note, or since the start."""
        self.seconds[step] = time.time() - self.started - sum(self.seconds.values())

    def timings(self, more: Mapping[str, Any]) -> bytes:
        """Return what may differ from machine to machine, and so stands in no hashed file."""
        started = datetime.fromtimestamp(self.started, tz=UTC)
        record = {
            "started": started.isoformat(timespec="seconds"),
            "seconds": {name: round(seconds, 3) for name, seconds in self.seconds.items()},
            "python": platform.python_version(),
            "platform": platform.platform(),
            **more,
        }
        return orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def standing(folder: OutputFolder, progress: Progress, *, force: bool) -> Manifest | None:
    """Return the standing run's manifest; None if it was changed and may be replaced.

    Its rows are not proven again: with the hash of their file, their proof holds.
    """
    try:
        return verify(folder.path, progress, proofs=False)
    except VerifyError as error:
        if force:
            return None
        fix = "build it anew with --force, or choose another folder with --output"
        raise VerifyError(error.what, error.where, fix, problems=error.problems) from error


def place_outputs(
    written: Sequence[Written], run: Path, renderer: "Renderer | None"
) -> list[OutputFile]:
    """Put the rows, and the tokenizer that they were rendered with, into the run's folder."""
    outputs = place_files(written, run)
    if renderer is None:
        return outputs
    (run / TOKENIZER_FOLDER).mkdir()
    for name, content in sorted(renderer.files().items()):
        (run / TOKENIZER_FOLDER / name).write_bytes(content)
        outputs.append(output_file(run, run / TOKENIZER_FOLDER / name))
    return outputs


def rendered_record(
    renderer: "Renderer",
    rendering: Rendering,
    settings: dict[str, Any],
    run: Path,
    outputs: list[OutputFile],
    progress: Progress,
    *,
    sample: bool = False,
) -> RenderRecord:
    """Return what the manifest says of the rendering; where rows are to be packed, pack them.

    Args:
        renderer: Knows the model.
        rendering: What became of the rows.
        settings: The section as the manifest has it.
        run: The folder, in which the rows are written.
        outputs: The files in it, to which the packed ones are added.
        progress: Who is told what happens.
        sample: Whether the model is the package's own.
    """
    record = filled_record(renderer, rendering.count, settings)
    record = record.model_copy(update={"sample": sample})
    limit = renderer.settings.max_tokens
    if not renderer.settings.packing or limit is None:
        return record
    packing, files = pack_run(run, outputs, limit, progress)
    outputs += files
    return record.model_copy(update={"packing": packing})


def complete(
    manifest: Manifest, run: Path, progress: Progress, clock: Clock, timings: Mapping[str, Any]
) -> Manifest:
    """Add the card, the report, the manifest and the timings to a run's folder.

    Args:
        manifest: Of all that stands there already.
        run: The folder.
        progress: Who is told what happens.
        clock: Of this build.
        timings: What else the timings say.

    Returns:
        The manifest as it was written.
    """
    check_manifest(manifest)
    progress.start("report", None, "files")
    (run / "README.md").write_text(dataset_card(manifest), encoding="utf-8", newline="\n")
    report = render_report(manifest, collect_examples(run))
    (run / "report.html").write_text(report, encoding="utf-8", newline="\n")
    pages = [output_file(run, run / name) for name in ("README.md", "report.html")]
    manifest = manifest.model_copy(update={"outputs": [*manifest.outputs, *pages]})
    (run / MANIFEST_NAME).write_bytes(manifest.to_json())
    clock.lap("report")
    (run / TIMINGS_NAME).write_bytes(clock.timings(timings))
    return manifest


def check_train(written: Sequence[Written], assembly: Assembly, progress: Progress) -> None:
    """Refuse what leaves nothing to train on; say so where no row is left at all.

    Raises:
        StageError: If all rows that are left are in other splits.
        RenderError: If rendering rejected those of the train split.
    """
    rows = {name: split.rows for name, split in split_records(written).items()}
    if sum(rows.values()) and not rows["train"]:
        taken = ", ".join(f"{name} {count:,}" for name, count in rows.items() if count)
        rendering = assembly.rendering
        if rendering is not None and rendering.count.rejected:
            reasons = ", ".join(f"{n} {count:,}" for n, count in rendering.count.reasons.items())
            raise RenderError(
                f"rendering leaves no row to train on ({taken}); it rejected {reasons}",
                fix="give `max_tokens` more room, or choose another model or frame",
            )
        raise StageError(
            f"the split leaves no row to train on: {taken}",
            fix="give `validation` and `test` a share, such as 0.02, or a smaller number",
        )
    if not sum(rows.values()):
        progress.say("warning: no row was kept; the report says why")
