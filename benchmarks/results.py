"""How results are compared and printed: medians, and ratios pair by pair."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.measure import Usage
from benchmarks.settings import OURS, BenchmarkError

_HEAD: Final = (
    "competitor",
    "CPU s",
    "wall s",
    "peak MiB",
    "anonymous MiB",
    "rows kept",
    "CPU ÷ ours",
    "wall ÷ ours",
    "peak ÷ ours",
)


@dataclass(frozen=True)
class Outcome:
    """One run of one competitor; equal `digest` means that the same was kept or found."""

    competitor: str
    number: int
    usage: Usage
    rows_kept: int
    digest: str


@dataclass(frozen=True)
class Report:
    """All runs of one benchmark at one size."""

    benchmark: str
    rows: int
    outcomes: Sequence[Outcome]

    def of(self, competitor: str) -> list[Outcome]:
        """Return the runs of one competitor, in order of the rounds."""
        return [outcome for outcome in self.outcomes if outcome.competitor == competitor]

    @property
    def competitors(self) -> list[str]:
        """Return the names, ours first."""
        names = dict.fromkeys(outcome.competitor for outcome in self.outcomes)
        return sorted(names, key=lambda name: (name != OURS, name))


def run_rounds(
    competitors: Sequence[str], rounds: int, run: Callable[[str, int], Outcome]
) -> list[Outcome]:
    """Run all competitors once a round, each round beginning with the next one."""
    outcomes = []
    for number in range(rounds):
        turn = number % len(competitors)
        for name in (*competitors[turn:], *competitors[:turn]):
            outcomes.append(run(name, number))
            check_agreement(outcomes)
    return outcomes


def check_agreement(outcomes: Sequence[Outcome], expected: int | None = None) -> None:
    """Raise BenchmarkError unless all kept the same rows, and as many as were planted."""
    kept = {outcome.competitor: outcome.rows_kept for outcome in outcomes}
    if expected is not None and set(kept.values()) != {expected}:
        raise BenchmarkError(f"rows kept: {kept}, but {expected} were planted to be kept")
    if len(set(kept.values())) > 1:
        raise BenchmarkError(f"competitors disagree on the number of rows kept: {kept}")
    if len({outcome.digest for outcome in outcomes}) > 1:
        digests = {outcome.competitor: outcome.digest for outcome in outcomes}
        raise BenchmarkError(f"same number of rows, other contents: {digests}")


def format_table(report: Report) -> str:
    """Return a Markdown table: medians, and medians of the ratios taken round by round."""
    lines = [f"## {report.benchmark}, {report.rows:,} rows", "", _line(_HEAD)]
    lines.append("|---" + "|---:" * (len(_HEAD) - 1) + "|")
    lines += [_line(_cells(report, name)) for name in report.competitors]
    return "\n".join(lines)


def format_scaling(reports: Sequence[Report]) -> str:
    """Return a Markdown table with the CPU time a row costs at each size; equal means linear."""
    sizes = sorted(reports, key=lambda report: report.rows)
    head = ["competitor", *(f"CPU µs a row at {report.rows:,}" for report in sizes)]
    lines = ["## build, cost of a row", "", _line(head), "|---" + "|---:" * len(sizes) + "|"]
    for name in sizes[0].competitors:
        costs = [_middle(report, name, _cpu) / report.rows * 1e6 for report in sizes]
        lines.append(_line([name, *(f"{cost:.2f}" for cost in costs)]))
    return "\n".join(lines)


def _cells(report: Report, name: str) -> Iterable[str]:
    return (
        name,
        _seconds(_middle(report, name, _cpu)),
        _seconds(_middle(report, name, _wall)),
        f"{_middle(report, name, _peak):,.0f}",
        f"{_middle(report, name, _anonymous):,.0f}",
        f"{report.of(name)[0].rows_kept:,}",
        *(_ratio(report, name, figure) for figure in (_cpu, _wall, _peak)),
    )


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def _ratio(report: Report, name: str, figure: Callable[[Usage], float]) -> str:
    """Compare runs of the same round only, since the machine changes from round to round."""
    pairs = list(zip(report.of(name), report.of(OURS), strict=False))
    if name == OURS or not pairs:
        return "–"
    ratios = [figure(theirs.usage) / figure(ours.usage) for theirs, ours in pairs]
    return f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def _middle(report: Report, name: str, figure: Callable[[Usage], float]) -> float:
    return median(figure(outcome.usage) for outcome in report.of(name))


def _cpu(usage: Usage) -> float:
    return usage.cpu_s


def _wall(usage: Usage) -> float:
    return usage.wall_s


def _peak(usage: Usage) -> float:
    return usage.peak_mb


def _anonymous(usage: Usage) -> float:
    return usage.anonymous_mb


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
