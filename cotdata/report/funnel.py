"""Draws where the rows went: a band as wide as the rows in it, from the sources to the splits.

Each step is a piece of its own, 100 by 100 units and stretched to the step's place on the page, so
that one drawing serves a wide screen, a phone and paper, and all words stay text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cotdata.manifest import Manifest, SourceRecord, StageRecord
from cotdata.report.examples import stage_labels_of

#: The widest band; the rest is room for the rows that branch off.
BAND: Final = 82.0
#: How far rejected rows drift away from the band.
DRIFT: Final = 14.0
#: A band that holds any row is at least this wide, so that one row in a million is seen.
HAIRLINE: Final = 0.7
#: Where a source's band begins and a split's ends, and how strong their edges are.
TOP: Final = 24
BOTTOM: Final = 66
EDGE: Final = 7


@dataclass(frozen=True)
class Shape:
    """One part of a step's drawing: an SVG path, and what it stands for."""

    role: str
    path: str
    title: str


@dataclass(frozen=True)
class Step:
    """One row of the funnel."""

    role: str
    name: str
    #: Rows after this step, and what that number counts.
    rows: int
    caption: str
    rejected: int
    reasons: Mapping[str, int]
    shapes: tuple[Shape, ...]
    made: int = 0


def funnel(manifest: Manifest) -> list[Step]:
    """Return the steps of a run from its sources to its splits."""
    flows = [sum(source.read for source in manifest.sources)]
    flows += [stage.rows_in + stage.made for stage in manifest.stages]
    scale = _Scale(max(*flows, manifest.after.rows, 1))
    labels = stage_labels_of(manifest.stages)
    stages = [_stage(*pair, scale) for pair in zip(manifest.stages, labels, strict=True)]
    return [*_sources(manifest, scale), *stages, *_splits(manifest, scale)]


@dataclass(frozen=True)
class _Scale:
    whole: int

    def drift(self, first: int, stop: int, title: str, start: int = 0) -> Shape:
        """Draw rows that branch off to the right, from `start` on."""
        left, right = self._edges((first, stop))
        return Shape("lost", _ribbon(left, right, left + DRIFT, right + DRIFT, start), title)

    def join(self, first: int, stop: int, title: str) -> Shape:
        """Draw rows that were made, coming in from the right."""
        left, right = self._edges((first, stop))
        return Shape("made", _ribbon(left + DRIFT, right + DRIFT, left, right), title)

    def block(
        self, role: str, place: tuple[int, int], title: str, start: int = 0, end: int = 100
    ) -> Shape:
        """Draw rows that stay in their place, from `start` to `end`."""
        left, right = self._edges(place)
        return Shape(role, f"M{left:.2f} {start}H{right:.2f}V{end}H{left:.2f}Z", title)

    def _edges(self, place: tuple[int, int]) -> tuple[float, float]:
        left, right = (BAND * rows / self.whole for rows in place)
        return left, max(right, left + HAIRLINE) if place[1] > place[0] else right


def _ribbon(a: float, b: float, c: float, d: float, start: int = 0) -> str:
    """Return the path from the segment a-b at `start` to c-d at the bottom, upright at both."""
    late, early = start + (100 - start) * 0.55, start + (100 - start) * 0.45
    return (
        f"M{a:.2f} {start}H{b:.2f}C{b:.2f} {late:.1f} {d:.2f} {early:.1f} {d:.2f} 100"
        f"H{c:.2f}C{c:.2f} {early:.1f} {a:.2f} {late:.1f} {a:.2f} {start}Z"
    )


def _sources(manifest: Manifest, scale: _Scale) -> Iterator[Step]:
    before = 0
    for source in manifest.sources:
        yield _source(source, before, scale)
        before += source.kept


def _source(source: SourceRecord, before: int, scale: _Scale) -> Step:
    kept = before + source.kept
    shapes = []
    if before:
        shapes.append(scale.block("kept", (0, before), f"{before:,} rows so far"))
    if source.kept:
        title = f"{source.kept:,} rows of {source.name}"
        shapes.append(scale.block("kept", (before, kept), title, TOP))
        shapes.append(scale.block("edge", (before, kept), title, TOP - EDGE, TOP))
    if source.rejected:
        title = f"{source.rejected:,} rows of {source.name} rejected"
        shapes.append(scale.drift(kept, kept + source.rejected, title, TOP))
    caption = "read" if source.read == source.available else f"read of {source.available:,}"
    return Step(
        "source", source.name, source.read, caption, source.rejected, source.reasons, tuple(shapes)
    )


def _stage(stage: StageRecord, label: str, scale: _Scale) -> Step:
    through = max(0, stage.rows_in - stage.rejected)
    shapes = []
    if through:
        shapes.append(scale.block("kept", (0, through), f"{stage.kept:,} rows kept"))
    if stage.made:
        shapes.append(scale.join(through, stage.kept, f"{stage.made:,} rows made"))
    if stage.rejected:
        title = f"{stage.rejected:,} rows rejected by {label}"
        shapes.append(scale.drift(through, through + stage.rejected, title))
    return Step(
        "stage",
        label,
        stage.kept,
        "kept",
        stage.rejected,
        stage.reasons,
        tuple(shapes),
        made=stage.made,
    )


def _splits(manifest: Manifest, scale: _Scale) -> Iterator[Step]:
    """Let the splits end one after another; those still to come pass through to the right."""
    first, total = 0, sum(split.rows for split in manifest.splits.values())
    for name, split in manifest.splits.items():
        stop = first + split.rows
        shapes = []
        if split.rows:
            title = f"{split.rows:,} rows in {name}"
            shapes.append(scale.block("kept", (first, stop), title, 0, BOTTOM))
            shapes.append(scale.block("edge", (first, stop), title, BOTTOM, BOTTOM + 2 * EDGE))
        if total > stop:
            title = f"{total - stop:,} rows in the other splits"
            shapes.append(scale.block("kept", (stop, total), title))
        yield Step("split", name, split.rows, "written", 0, {}, tuple(shapes))
        first = stop
