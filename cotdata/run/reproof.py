"""Proves a rendered run's rows again, from the files in its folder alone."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
import pyarrow.parquet as pq
from pydantic import ValidationError

from cotdata.engine.progress import Progress, Silence
from cotdata.errors import Location, Problem, RenderError
from cotdata.manifest import MANIFEST_NAME, Manifest, RenderRecord
from cotdata.render.columns import IGNORED
from cotdata.render.packing import PACKED_SCHEMA
from cotdata.render.settings import AUTO, Render
from cotdata.row import ROW_SCHEMA
from cotdata.run.opening import open_model
from cotdata.run.packed import PACKED_FOLDER, packed_frames
from cotdata.run.rendering import COMPARED
from cotdata.stages.split import SPLITS
from cotdata.writers.recut import recut

if TYPE_CHECKING:
    from cotdata.render.renderer import Renderer

#: Where a run keeps the tokenizer and the template that its rows were rendered with.
TOKENIZER_FOLDER: Final = "tokenizer"
#: Rows that are proven at a time.
BATCH_ROWS: Final = 4_096
#: Rows whose failure is told one by one.
NAMED: Final = 20


@dataclass
class _Proven:
    """What was counted while rows were proven."""

    rows: int = 0
    tokens: int = 0
    trained: int = 0
    failed: int = 0
    checks: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)


def proof_problems(
    run: Path, manifest: Manifest, record: RenderRecord, progress: Progress
) -> list[Problem]:
    """Return what does not hold of a rendered run whose files are those of its manifest.

    Args:
        run: Its folder.
        manifest: Its manifest.
        record: What that says of the rendering.
        progress: Who is told what happens.
    """
    place = Location(str(run / TOKENIZER_FOLDER))
    try:
        renderer = _renderer(run, record, progress)
    except ValidationError as error:
        return [Problem(f"the settings of its rendering cannot be read: {error}", place)]
    except RenderError as error:
        return [Problem(f"rows cannot be proven: {error.what}", error.where or place, error.fix)]
    files = [run / item.path for item in manifest.outputs if item.path.startswith("data/")]
    progress.start("prove", sum(split.rows for split in manifest.splits.values()), "rows")
    proven = _Proven()
    for file in files:
        for rows in _batches(file, renderer.schema()):
            _prove(renderer, rows, file, proven)
            progress.advance(rows.height)
    problems = proven.problems
    if proven.failed > NAMED:
        problems.append(Problem(f"{proven.failed - NAMED:,} more rows are not proven", place))
    if not problems:
        problems += _count_problems(run, record, proven)
    if not problems and record.packing is not None:
        problems += _packing_problems(run, manifest, record.packing.max_tokens)
    return problems


def _renderer(run: Path, record: RenderRecord, progress: Progress) -> "Renderer":
    """Open the run's own tokenizer with the settings that it was rendered with.

    The template is the one that the run holds, whichever frame wrote it.
    """
    folder = (run / TOKENIZER_FOLDER).absolute()
    own = {"model": str(folder), "revision": None, "frame": AUTO}
    settings = Render.model_validate({**record.settings, **own})
    return open_model(settings, run, progress)


def _batches(file: Path, rendered: pl.Schema) -> Iterator[pl.DataFrame]:
    columns = [*ROW_SCHEMA, *rendered]
    with pq.ParquetFile(file) as opened:
        for batch in opened.iter_batches(BATCH_ROWS, columns=columns):
            yield pl.DataFrame(batch).cast(pl.Schema([*ROW_SCHEMA.items(), *rendered.items()]))


def _prove(renderer: "Renderer", rows: pl.DataFrame, file: Path, proven: _Proven) -> None:
    found = renderer.prove(rows)
    judged = found.rows.with_columns(rows["row_id"])
    if "n_tokens" in rows.columns:
        judged = _counted(judged, rows)
        proven.tokens += int(rows["n_tokens"].sum())
        proven.trained += int(rows["n_trained"].sum())
    failed = judged.filter(pl.col("reason").is_not_null())
    for row_id, reason, evidence in failed.select("row_id", "reason", "evidence").iter_rows():
        if len(proven.problems) < NAMED:
            what = f"row {row_id} fails the check `{reason}`: {evidence}"
            proven.problems.append(Problem(what, Location(str(file))))
    proven.rows += rows.height
    proven.failed += failed.height
    proven.checks.update(found.checks)


def _counted(judged: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Fail the rows whose own counts are not those of their ids and labels."""
    counted = rows.select(
        n_tokens=pl.col("input_ids").list.len(),
        n_trained=pl.col("labels").list.eval(pl.element() != IGNORED).list.sum(),
    )
    wrong = (counted["n_tokens"] != rows["n_tokens"]) | (counted["n_trained"] != rows["n_trained"])
    is_wrong = pl.lit(wrong.fill_null(value=True)) & pl.col("reason").is_null()
    evidence = pl.lit(counted.to_struct("counted")).struct.json_encode()
    return judged.with_columns(
        reason=pl.when(is_wrong).then(pl.lit("counts")).otherwise("reason"),
        evidence=pl.when(is_wrong).then(evidence).otherwise("evidence"),
    )


def _count_problems(run: Path, record: RenderRecord, proven: _Proven) -> list[Problem]:
    """Hold the counts of the manifest against those of the rows."""
    where = Location(str(run / MANIFEST_NAME))
    problems = []
    if record.tokens is not None:
        said, found = (record.tokens, record.trained), (proven.tokens, proven.trained)
        if said != found:
            what = (
                "the rows have {:,} tokens, {:,} of them trained; the manifest counts {:,} and {:,}"
            )
            problems.append(Problem(what.format(*found, *(said[0], said[1] or 0)), where))
    compared = proven.checks.pop(COMPARED, 0)
    if compared != record.compared:
        what = (
            f"{compared:,} rows were compared with the template; "
            f"the manifest counts {record.compared:,}"
        )
        problems.append(Problem(what, where))
    for check in sorted(proven.checks.keys() | record.checks.keys()):
        # Rejected rows may have passed it too; all that are here must have.
        passed, said_passed = proven.checks[check], record.checks.get(check, 0)
        if not passed == proven.rows <= said_passed:
            what = (
                f"{passed:,} of {proven.rows:,} rows pass the check `{check}`; "
                f"the manifest counts {said_passed:,}"
            )
            problems.append(Problem(what, where))
    return problems


def _packing_problems(run: Path, manifest: Manifest, max_tokens: int) -> list[Problem]:
    """Pack the rows again and compare with what is packed."""
    problems = []
    filled = [item.path for item in manifest.outputs if item.rows]
    for split in SPLITS:
        files, packed = (
            [run / path for path in filled if path.startswith(f"{folder}/{split}-")]
            for folder in ("data", PACKED_FOLDER)
        )
        if not files and not packed:
            continue
        again = recut(packed_frames(files, max_tokens, Silence()), BATCH_ROWS, 64 << 20)
        there = recut(_packed(packed), BATCH_ROWS, 64 << 20)
        if any(
            made is None or found is None or not made.equals(found)
            for made, found in zip_longest(again, there)
        ):
            what = f"the packed rows of split '{split}' are not its rows"
            problems.append(Problem(what, Location(str(run / PACKED_FOLDER))))
    return problems


def _packed(files: Sequence[Path]) -> Iterator[pl.DataFrame]:
    for file in files:
        with pq.ParquetFile(file) as opened:
            for batch in opened.iter_batches(1_024):
                yield pl.DataFrame(batch).cast(PACKED_SCHEMA)
