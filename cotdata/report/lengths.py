"""Draws how long the texts are, before and after, and estimates medians from the bins."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cotdata.manifest import Manifest, Profile

WIDTH: Final = 336.0
HEIGHT: Final = 120.0
_TICKS: Final = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
_TICK_NAMES: Final = ("1", "10", "100", "1k", "10k", "100k", "1M")


@dataclass(frozen=True)
class Summary:
    """What is said of a column's lengths; the estimates are None where no row has a value."""

    rows: int
    nulls: int
    median: str
    p90: str


@dataclass(frozen=True)
class Bar:
    """One bin of a histogram, in the drawing's units."""

    x: float
    width: float
    before: float
    after: float


@dataclass(frozen=True)
class Tick:
    """A mark on the axis."""

    x: float
    text: str


@dataclass(frozen=True)
class Histogram:
    """One column's lengths, before and after."""

    column: str
    bars: tuple[Bar, ...]
    #: The outline of the bars before, an SVG path.
    outline: str
    ticks: tuple[Tick, ...]
    before: Summary
    after: Summary

    @property
    def description(self) -> str:
        """What the drawing shows, in words."""
        return (
            f"Before: {self.before.rows:,} texts, median {self.before.median} characters. "
            f"After: {self.after.rows:,} texts, median {self.after.median} characters."
        )


@dataclass(frozen=True)
class Bin:
    """One line of the table of counts: by column, before and after."""

    name: str
    counts: tuple[int, ...]


def histograms(manifest: Manifest) -> list[Histogram]:
    """Return a histogram for each column, all on one axis."""
    columns = list(manifest.before.lengths)
    edges = manifest.length_edges
    bins = _used(manifest)
    return [_histogram(column, manifest.before, manifest.after, edges, bins) for column in columns]


def bin_table(manifest: Manifest) -> list[Bin]:
    """Return every count that is not zero, in order of length."""
    profiles = (manifest.before, manifest.after)
    table = []
    for place in _used(manifest):
        counts = tuple(
            _count(profile.lengths.get(column, []), place)
            for column in manifest.before.lengths
            for profile in profiles
        )
        if any(counts):
            table.append(Bin(_bin_name(manifest.length_edges, place), counts))
    return table


def quantile(counts: Sequence[int], edges: Sequence[int], q: float) -> str:
    """Estimate a quantile from bins, to two digits, on the bins' own logarithmic scale."""
    rank = q * sum(counts)
    below = 0
    for place, count in enumerate(counts):
        if count and below + count >= rank:
            if place >= len(edges):
                return f"more than {edges[-1]:,}" if edges else "unknown"
            low = max(1, edges[place - 1]) if place else 1
            inside = (rank - below) / count
            return f"{_two_digits(low * (max(1, edges[place]) / low) ** inside):,}"
        below += count
    return "none"


def _two_digits(value: float) -> int:
    digits = max(0, len(str(int(value))) - 2)
    unit = int(10**digits)
    return round(value / unit) * unit


def _histogram(
    column: str, before: Profile, after: Profile, edges: Sequence[int], bins: range
) -> Histogram:
    old, new = before.lengths.get(column, []), after.lengths.get(column, [])
    top = max([_count(counts, place) for counts in (old, new) for place in bins] or [0]) or 1
    width = WIDTH / max(1, len(bins))
    bars = tuple(
        Bar(
            x=(place - bins.start) * width,
            width=width,
            before=HEIGHT * _count(old, place) / top,
            after=HEIGHT * _count(new, place) / top,
        )
        for place in bins
    )
    return Histogram(
        column,
        bars,
        _outline(bars),
        _axis(edges, bins, width),
        _summary(before, column, edges),
        _summary(after, column, edges),
    )


def _summary(profile: Profile, column: str, edges: Sequence[int]) -> Summary:
    counts = profile.lengths.get(column, [])
    estimates = [quantile(counts, edges, q) for q in (0.5, 0.9)]
    return Summary(sum(counts), profile.nulls.get(column, 0), *estimates)


def _used(manifest: Manifest) -> range:
    """Return the bins from the first to the last that holds a row of any column."""
    profiles = (manifest.before, manifest.after)
    used = {
        place
        for profile in profiles
        for counts in profile.lengths.values()
        for place, count in enumerate(counts)
        if count
    }
    return range(min(used), max(used) + 1) if used else range(0)


def _count(counts: Sequence[int], place: int) -> int:
    return counts[place] if place < len(counts) else 0


def _outline(bars: Sequence[Bar]) -> str:
    steps = "".join(
        f"V{HEIGHT - bar.before:.1f}H{bar.x + bar.width:.1f}" for bar in bars
    )  # fmt: skip
    return f"M0 {HEIGHT:.0f}{steps}V{HEIGHT:.0f}"


def _axis(edges: Sequence[int], bins: range, width: float) -> tuple[Tick, ...]:
    ticks = []
    for value, name in zip(_TICKS, _TICK_NAMES, strict=True):
        x = (_place(value, edges) - bins.start) * width
        if 0 <= x <= WIDTH and bins:
            ticks.append(Tick(x, name))
    return tuple(ticks)


def _place(value: int, edges: Sequence[int]) -> float:
    """Return where a length lies among the bins; beyond the last edge it lies nowhere."""
    low = 1
    for place, edge in enumerate(edges):
        if value <= edge:
            return place + math.log(value / low) / math.log(edge / low) if edge > low else place
        low = edge
    return math.inf


def _bin_name(edges: Sequence[int], place: int) -> str:
    if place >= len(edges):
        return f"{edges[-1] + 1:,} and more" if edges else "any"
    return f"{edges[place - 1] + 1 if place else 0:,} to {edges[place]:,}"
