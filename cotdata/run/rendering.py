"""Renders the rows that are left after all stages, each once, and keeps what came of it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from cotdata.engine import Engine
from cotdata.engine.arrow_files import read_arrow, write_arrow
from cotdata.engine.progress import Progress
from cotdata.errors import RenderError
from cotdata.manifest import Fit, RenderRecord
from cotdata.render.columns import IGNORED, Rendered
from cotdata.render.token_ids import TokenIds
from cotdata.run.checkpoints import Checkpoint, content_key, open_checkpoint, shaping_versions
from cotdata.run.passes import StageCount
from cotdata.run.replay import REJECTED_SCHEMA, Shards, Step, replay
from cotdata.stages.base import NUMBER
from cotdata.stages.mix import COPIES

if TYPE_CHECKING:
    from cotdata.render.renderer import Renderer

#: Raised when this module keeps other columns, or counts otherwise.
VERSION: Final = 1
KIND: Final = "render"
#: Packages whose version decides what a template and a tokenizer give.
RENDERING_PACKAGES: Final = ("jinja2", "tokenizers")
#: The check of which the manifest keeps the count apart: not every row is put to it.
COMPARED: Final = "compared"
#: Rows that are rendered at a time.
BATCH_ROWS: Final = 4_096
#: Columns that follow from the others, and are made when a row is written.
_DERIVED: Final = ("text", "labels", "n_tokens")
_RENDERED: Final = "rendered.arrow"
_REJECTED: Final = "rejected.arrow"
_COUNTS: Final = "counts.json"


@dataclass
class RenderCount(StageCount):
    """What rendering did, in rows and in tokens; a repeated row counts as often as it stands."""

    checks: Counter[str] = field(default_factory=Counter)
    #: Candidate length → rows that fit, and trained tokens in them.
    fitting: Counter[str] = field(default_factory=Counter)
    fitting_tokens: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    trained: int = 0
    estimate: int = 0
    #: Of the columns that are written, about.
    size: int = 0

    def add(self, part: Mapping[str, Any]) -> None:
        """Add what was counted in one shard."""
        super().add(part)
        for name in ("checks", "fitting", "fitting_tokens"):
            getattr(self, name).update(part[name])
        for name in ("tokens", "trained", "estimate", "size"):
            setattr(self, name, getattr(self, name) + part[name])

    def add_rendered(self, rendered: Rendered, copies: int) -> None:
        """Add rows that stand `copies` times each."""
        rows = rendered.rows
        kept = rows.filter(pl.col("reason").is_null())
        self.rows_in += copies * rows.height
        self.kept += copies * kept.height
        self.rejected += copies * (rows.height - kept.height)
        self.reasons.update(_times(Counter(rows["reason"].drop_nulls().to_list()), copies))
        self.notes.update(_times(rendered.notes, copies))
        self.checks.update(_times(rendered.checks, copies))
        for candidate, (fitting, trained) in rendered.lengths.items():
            self.fitting[str(candidate)] += copies * fitting
            self.fitting_tokens[str(candidate)] += copies * trained
        self.tokens += copies * _sum(kept, "n_tokens")
        self.trained += copies * _sum(kept, "n_trained")
        self.estimate += copies * _sum(kept, "n_tokens_estimate")
        self.size += copies * _size(kept)


@dataclass(frozen=True)
class Rendering:
    """What rendering made of every row that was left, shard by shard."""

    #: Holds a folder for each shard.
    folder: Path
    #: The columns that it adds.
    schema: pl.Schema
    #: After all stages.
    position: int
    label: str
    count: RenderCount

    def departures(self, shard: Path) -> pl.DataFrame:
        """Return which rows of a shard it rejected: `REJECTED_SCHEMA`, sorted by number."""
        return read_arrow(self.folder / shard.stem / _REJECTED)

    def stored(self, shard: Path) -> pl.DataFrame:
        """Return what is kept of a shard's rows: `columns` makes the columns of it."""
        return read_arrow(self.folder / shard.stem / _RENDERED)

    def columns(self, stored: pl.DataFrame, numbers: pl.Series) -> pl.DataFrame:
        """Return the columns of kept rows by their numbers, repeats included."""
        rows = stored[stored[NUMBER].search_sorted(numbers)]
        if "text" in self.schema:
            rows = rows.with_columns(text=pl.concat_str("prompt", "completion"))
        if "labels" in self.schema:
            rows = rows.with_columns(_labels(rows), n_tokens=pl.col("input_ids").list.len())
        return rows.select(self.schema.names()).cast(self.schema)


@dataclass(frozen=True)
class _RenderKernel:
    """Kernel: renders the rows of one shard that are left."""

    renderer: "Renderer"
    shards: Shards
    steps: tuple[Step, ...]
    position: int

    def __call__(self, shard: Path, _: Path | None, out: Path) -> None:
        rows = replay(shard, self.shards.base(shard), self.steps)
        added = {n: dtype for n, dtype in self.renderer.schema().items() if n not in _DERIVED}
        kept = [pl.Schema({NUMBER: pl.UInt64(), **added}).to_frame()]
        rejected, count = [REJECTED_SCHEMA.to_frame()], RenderCount()
        for copies, part in _parts(rows):
            rendered = self.renderer.render(part)
            if rendered.rows.height != part.height:
                raise RenderError(
                    f"{part.height} rows were rendered, {rendered.rows.height} came back",
                    fix="this is a fault of cotdata: please report it",
                )
            made = rendered.rows.with_columns(
                part[NUMBER], pl.lit(self.position, pl.Int32).alias("position")
            )
            is_kept = pl.col("reason").is_null()
            kept.append(made.filter(is_kept).select(kept[0].columns))
            rejected.append(made.filter(~is_kept).select(REJECTED_SCHEMA.names()))
            count.add_rendered(rendered, copies)
        out.mkdir()
        write_arrow(pl.concat(kept).sort(NUMBER), out / _RENDERED, compression="lz4")
        write_arrow(pl.concat(rejected).sort(NUMBER), out / _REJECTED)
        (out / _COUNTS).write_bytes(orjson.dumps(vars(count)))


def render_rows(
    renderer: "Renderer",
    shards: Shards,
    steps: tuple[Step, ...],
    given: object,
    label: str,
    engine: Engine,
    progress: Progress,
    *,
    position: int,
    rows: int,
    fresh: bool = False,
) -> Rendering:
    """Render all rows that are left after the steps, or find them in the cache.

    Args:
        renderer: For one model.
        shards: The work shards.
        steps: All stages, with what they decided.
        given: As JSON can hold it: all that decides which rows are rendered, and their texts.
        label: What `rejected/` calls the rendering.
        engine: Where the kernel runs.
        progress: Who is told what happens.
        position: After the stages.
        rows: How many rows are left, for the progress.
        fresh: Ignore what the cache holds.

    Raises:
        RenderError: If rows were lost.
    """
    identity = [renderer.identity(), rendering_versions()]
    key = content_key([VERSION, shaping_versions(), given, position, identity])
    kernel = _RenderKernel(renderer, shards, steps, position)
    with open_checkpoint("renders", key, progress, fresh=fresh) as checkpoint:
        sealed = checkpoint.read()
        if sealed is None:
            progress.start(KIND, rows, "rows")
            try:
                sealed = _run(kernel, engine, progress, checkpoint)
            except (FileNotFoundError, pa.ArrowInvalid):
                # What a killed build left may have lost files since.
                checkpoint.empty()
                sealed = _run(kernel, engine, progress, checkpoint)
    count = RenderCount()
    count.add(sealed["count"])
    return Rendering(checkpoint.path / "rows", renderer.schema(), position, label, count)


def rendering_versions() -> dict[str, str]:
    """Return the versions of the packages that decide what a template and a tokenizer give."""
    return {name: version(name) for name in RENDERING_PACKAGES}


def filled_record(
    renderer: "Renderer", count: RenderCount, settings: dict[str, Any]
) -> RenderRecord:
    """Return what the manifest says of the rendering, with its counts.

    Args:
        renderer: Knows the model, its template and the verdict on it.
        count: What was counted.
        settings: The section as the manifest has it, without folders of this machine.
    """
    has_tokens = "n_tokens" in renderer.schema()
    checks = dict(sorted(count.checks.items()))
    return renderer.record().model_copy(
        update={
            "settings": settings,
            "compared": checks.pop(COMPARED, 0),
            "checks": checks,
            "lengths": {
                candidate: Fit(
                    rows=count.fitting[candidate], trained_tokens=count.fitting_tokens[candidate]
                )
                for candidate in sorted(count.fitting, key=int)
            },
            "tokens": count.tokens if has_tokens else None,
            "trained": count.trained if has_tokens else None,
            "tokens_estimate": None if has_tokens else count.estimate,
        }
    )


def _run(
    kernel: _RenderKernel, engine: Engine, progress: Progress, checkpoint: Checkpoint
) -> dict[str, Any]:
    """Render every shard and seal the checkpoint."""
    count = RenderCount()
    made = []
    for path in engine.map_shards(kernel, kernel.shards.paths, checkpoint.path / "rows"):
        part = orjson.loads((path / _COUNTS).read_bytes())
        count.add(part)
        made.append(path)
        progress.advance(part["rows_in"])
    summary = {"count": vars(count), "rows": count.rows_in}
    files = [path / name for path in made for name in (_RENDERED, _REJECTED)]
    checkpoint.seal(summary, files)
    return summary


def _parts(rows: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield the rows by how often they stand in the result, in parts that fit into memory."""
    once = pl.repeat(1, rows.height, dtype=pl.UInt32, eager=True)
    copies = rows[COPIES].fill_null(1) if COPIES in rows.columns else once
    for number in copies.unique().sort().to_list():
        for part in rows.filter(copies == number).iter_slices(BATCH_ROWS):
            yield number, part


def _labels(rows: pl.DataFrame) -> pl.Series:
    """Return the ids of each row's last `n_trained` tokens, and -100 before them."""
    ids = rows["input_ids"]
    lengths = ids.list.len().to_numpy().astype(np.int64)
    trained = rows["n_trained"].to_numpy().astype(np.int64)
    sizes = np.column_stack([lengths - trained, trained]).ravel()
    is_trained = np.repeat(np.tile(np.array([False, True]), rows.height), sizes)
    flat = ids.explode(empty_as_null=False, keep_nulls=False).to_numpy()
    labels = np.where(is_trained, flat, np.int32(IGNORED))
    return TokenIds(labels, np.append(np.int64(0), np.cumsum(lengths))).lists("labels")


def _times(counts: Mapping[str, int], copies: int) -> dict[str, int]:
    return {name: copies * count for name, count in counts.items()}


def _sum(rows: pl.DataFrame, name: str) -> int:
    return int(rows[name].sum()) if name in rows.columns else 0


def _size(rows: pl.DataFrame) -> int:
    """Return about how many bytes the columns of rows take: texts three times, ids twice."""
    texts = rows.select(pl.col("prompt", "completion").str.len_bytes().sum())
    return 3 * int(sum(texts.row(0))) + 8 * _sum(rows, "n_tokens")
