"""Looks into a rendered run: one row, its conversations for a server, and its lengths."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl
import pyarrow.parquet as pq
from pydantic import ValidationError

from cotdata.engine.progress import Progress, Silence
from cotdata.errors import Location, RenderError, VerifyError
from cotdata.manifest import MANIFEST_NAME, Manifest, RenderRecord
from cotdata.render.columns import CANDIDATES, IGNORED
from cotdata.render.server import Answer, Question, Server
from cotdata.render.settings import Render
from cotdata.render.view import Form, RowView, view_row
from cotdata.row import ROW_SCHEMA
from cotdata.run.fates import REJECTED
from cotdata.run.opening import open_model
from cotdata.run.reproof import TOKENIZER_FOLDER

if TYPE_CHECKING:
    from cotdata.render.tokenizer import Tokenizer

_BATCH_ROWS: Final = 8_192
_VIEWED: Final = (
    "row_id",
    "origin",
    "Complex_CoT",
    "prompt",
    "completion",
    "input_ids",
    "labels",
)


class Length(NamedTuple):
    """What a candidate for `max_tokens` would keep; trained tokens where they are known."""

    max_tokens: int
    rows: int
    trained_tokens: int | None


class Lengths(NamedTuple):
    """How long the rows of a run are in tokens of a model."""

    model: str
    rows: int
    lengths: tuple[Length, ...]


def view_rendered_row(run: Path, row_id: str) -> RowView:
    """Return one row of a rendered run, divided into prompt, reasoning, answer and stop token.

    Raises:
        VerifyError: If the folder is no run.
        RenderError: If the run is not rendered, or has no such row; the reason of a rejected one.
    """
    manifest, record = _rendered(run)
    chosen = pl.scan_parquet(_data(run, manifest), glob=False).filter(pl.col("row_id") == row_id)
    columns = [name for name in _VIEWED if name in chosen.collect_schema()]
    found = chosen.select(columns).head(1).collect()
    if not found.height:
        raise _absent(run, manifest, row_id)
    tokenizer = _tokenizer(run) if "input_ids" in columns else None
    form = Form.of(record.completion, record.stop)
    decode = tokenizer.decode if tokenizer is not None else None
    return view_row(found.row(0, named=True), form, decode)


def ask_server(
    run: Path, server: Server, rows: int, progress: Progress | None = None
) -> list[Answer]:
    """Compare the first prompts of a rendered run with what a running server makes of them.

    Rows without reasoning are passed over: their prompts need other settings.

    Raises:
        VerifyError: If the folder is no run.
        RenderError: If the run is not rendered, or the server does not answer.
    """
    listener = progress or Silence()
    manifest, record = _rendered(run)
    bos = _tokenizer(run).special.get("bos_token", "") if record.tokens is not None else ""
    chosen = pl.scan_parquet(_data(run, manifest), glob=False)
    chosen = chosen.filter(pl.col("Complex_CoT").str.strip_chars() != "").head(rows)
    found = chosen.collect()
    listener.start("ask the server", found.height, "rows")
    answers = []
    for row in found.iter_rows(named=True):
        answers.append(server.compare(_question(row, record, bos)))
        listener.advance(1)
    return answers


def run_lengths(
    run: Path, settings: Render | None = None, progress: Progress | None = None
) -> Lengths:
    """Say what each candidate for `max_tokens` would keep of a run's rows.

    Args:
        run: A run's folder.
        settings: The model that counts; None: the one that the run is rendered for.
        progress: Who is told what happens.

    Raises:
        VerifyError: If the folder is no run.
        RenderError: If the run is not rendered and no model is given, or it cannot be used.
    """
    if settings is None:
        manifest, record = _rendered(run)
        if record.tokens is None:
            raise RenderError(
                f"{run} holds text and estimates, and no tokens",
                fix="name the model that counts with --model",
            )
        lengths = tuple(
            Length(int(limit), fit.rows, fit.trained_tokens)
            for limit, fit in sorted(record.lengths.items(), key=lambda item: int(item[0]))
        )
        counted = next(
            (stage.rows_in for stage in reversed(manifest.stages) if stage.kind == "render"), 0
        )
        return Lengths(record.model, counted, lengths)
    return _counted(run, read_manifest(run), settings, progress or Silence())


def read_manifest(run: Path) -> Manifest:
    """Return a run's manifest.

    Raises:
        VerifyError: If there is none that can be read.
    """
    file = run / MANIFEST_NAME
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise VerifyError(
            f"{run} is not a run of this version: {MANIFEST_NAME} cannot be read",
            Location(str(file)),
            "give the folder that `cotdata build` or `cotdata render` printed",
        ) from error


def _counted(run: Path, manifest: Manifest, settings: Render, progress: Progress) -> Lengths:
    from cotdata.render.lengths import count_lengths

    renderer = open_model(settings, Path.cwd(), progress)
    tokenizer = renderer.tokenizer
    if tokenizer is None:
        raise RenderError("lengths in tokens need a tokenizer", fix="leave `tokens: false` out")
    total = dict.fromkeys(CANDIDATES, 0)
    rows = 0
    progress.start("count", sum(split.rows for split in manifest.splits.values()), "rows")
    for file in _data(run, manifest):
        with pq.ParquetFile(file) as opened:
            for batch in opened.iter_batches(_BATCH_ROWS, columns=list(ROW_SCHEMA)):
                frame = pl.DataFrame(batch).cast(ROW_SCHEMA)
                texts = renderer.compose(frame)
                found = count_lengths(tokenizer, [texts["prompt"], texts["completion"]])
                total = {limit: total[limit] + found[limit] for limit in total}
                rows += texts.height
                progress.advance(frame.height)
    lengths = tuple(Length(limit, count, None) for limit, count in total.items())
    return Lengths(renderer.model.name, rows, lengths)


def _rendered(run: Path) -> tuple[Manifest, RenderRecord]:
    manifest = read_manifest(run)
    if manifest.render is None:
        raise RenderError(
            f"{run} is not rendered: it holds text and no tokens",
            fix=f"cotdata render {run} --model MODEL --output DIR",
        )
    return manifest, manifest.render


def _data(run: Path, manifest: Manifest) -> list[Path]:
    return [run / item.path for item in manifest.outputs if item.path.startswith("data/")]


def _tokenizer(run: Path) -> "Tokenizer":
    from cotdata.render.model_files import open_model as open_files
    from cotdata.render.tokenizer import Tokenizer

    return Tokenizer(open_files(str((run / TOKENIZER_FOLDER).absolute()), run))


def _absent(run: Path, manifest: Manifest, row_id: str) -> RenderError:
    """Say what became of a row that is not among the kept ones."""
    files = [run / item.path for item in manifest.outputs if item.path.startswith(f"{REJECTED}/")]
    chosen = pl.scan_parquet(files, glob=False).filter(pl.col("row_id") == row_id)
    found = chosen.select("stage", "reason", "evidence").head(1).collect()
    if found.height:
        stage, reason, evidence = found.row(0)
        return RenderError(f"row {row_id} was rejected by {stage}: {reason} {evidence or ''}")
    first = pl.scan_parquet(_data(run, manifest), glob=False).select("row_id").head(1).collect()
    example = f", such as {first.item()}" if first.height else ""
    return RenderError(
        f"{run} has no row {row_id}", fix=f"give the row_id of a row of data/ or rejected/{example}"
    )


def _question(row: Mapping[str, Any], record: RenderRecord, bos: str) -> Question:
    messages = [
        {key: value for key, value in message.items() if value is not None}
        for message in row["messages"][:-1]
    ]
    return Question(
        row["row_id"], messages, record.template_kwargs, row["prompt"], _prompt_ids(row), bos
    )


def _prompt_ids(row: Mapping[str, Any]) -> Sequence[int]:
    labels = row.get("labels") or []
    size = next((place for place, label in enumerate(labels) if label != IGNORED), len(labels))
    ids: list[int] = list(row.get("input_ids") or [])
    return ids[:size]
