"""Picks rendered rows for the report, and cuts them so that every boundary in them stays seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from cotdata.manifest import RenderRecord
from cotdata.render.view import Decode, Form, Part, RowView, Span, view_row
from cotdata.report.examples import kept_places, read_table
from cotdata.report.text import Excerpt

#: Texts up to here are shown whole; of longer ones the beginning and the end, between which the
#: rest unfolds.
WHOLE_CHARS: Final = 900
HEAD_CHARS: Final = 420
TAIL_CHARS: Final = 180
#: What unfolds; a row in a report is to be looked at, not to be kept there.
MIDDLE_CHARS: Final = 20_000

_INDEX: Final = "__index__"
_COLUMNS: Final = (
    "row_id",
    "origin",
    "Complex_CoT",
    "prompt",
    "completion",
    "input_ids",
    "labels",
)


@dataclass(frozen=True)
class ShownSpan:
    """A span with its text cut: `middle` unfolds between `head` and `tail`, where there is one."""

    part: Part
    is_trained: bool
    tokens: int | None
    head: Excerpt
    middle: Excerpt | None = None
    tail: Excerpt | None = None


@dataclass(frozen=True)
class ShownRow:
    """A rendered row as the report shows it."""

    row_id: Excerpt
    origin: Excerpt
    tokens: int | None
    trained: int | None
    is_as_text: bool
    is_from_tokens: bool
    spans: tuple[ShownSpan, ...]


def collect_rendered(
    run_dir: Path, record: RenderRecord, decode: Decode | None = None
) -> list[RowView]:
    """Read the rows that the report shows rendered: the same that it shows as kept.

    Args:
        run_dir: The run's folder.
        record: How its rows were rendered.
        decode: The tokenizer's; without it the text columns are shown.

    Raises:
        SourceError: If a file cannot be read as parquet.
    """
    form = Form.of(record.completion, record.stop)
    return [view_row(row, form, decode) for row in _rows(run_dir)]


def shown_row(view: RowView) -> ShownRow:
    """Return a rendered row as the report shows it."""
    return ShownRow(
        Excerpt.of(view.row_id),
        Excerpt.of(view.origin),
        view.tokens,
        view.trained,
        view.is_as_text,
        view.is_from_tokens,
        tuple(map(_shown, view.spans)),
    )


def shown_rows(views: Sequence[RowView]) -> list[ShownRow]:
    """Return rendered rows as the report shows them."""
    return [shown_row(view) for view in views]


def _shown(span: Span) -> ShownSpan:
    text = span.text
    if len(text) <= WHOLE_CHARS:
        return ShownSpan(span.part, span.is_trained, span.tokens, Excerpt.of(text, WHOLE_CHARS))
    return ShownSpan(
        span.part,
        span.is_trained,
        span.tokens,
        Excerpt.of(text[:HEAD_CHARS]),
        Excerpt.of(text[HEAD_CHARS:-TAIL_CHARS], MIDDLE_CHARS),
        Excerpt.of(text[-TAIL_CHARS:]),
    )


def _rows(run_dir: Path) -> Iterator[dict[str, object]]:
    for path, indices in kept_places(run_dir):
        rows = pl.scan_parquet(path, glob=False)
        has = rows.collect_schema().names()
        columns = [name for name in _COLUMNS if name in has]
        for index in indices:
            # A slice reads only the row group that it touches.
            yield from read_table(rows.slice(index, 1).select(columns), path).to_dicts()
