"""The table: one block for each family, within 100 columns."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from benchmarks.trained_tokens.contest import Result
from benchmarks.trained_tokens.judge import Score

_WIDTH: Final = 100
_TOOL: Final = 23
_WAY: Final = 40
_HEAD: Final = f"{'tool':<{_TOOL}}{'way':<{_WAY}} CoT Prompt  Stop Right  note"


def format_results(results: Sequence[Result], rows: int) -> str:
    """Return the table of all families."""
    families = dict.fromkeys(result.family for result in results)
    blocks = []
    for family in families:
        lines = [f"{family}, {rows:,} rows, % of them", _HEAD, "-" * _WIDTH]
        for result in results:
            if result.family == family:
                lines += _lines(result)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def format_versions(results: Sequence[Result]) -> str:
    """Return a line for each tool with the versions that were installed."""
    lines = [
        f"{result.tool}: " + ", ".join(f"{name} {of}" for name, of in result.versions.items())
        for result in results
        if result.versions
    ]
    return "\n".join(dict.fromkeys(lines))


def percent(part: int, whole: int) -> str:
    """Return a share that says 100 only of all and 0 only of none."""
    share = 100 * part / whole
    if part in {0, whole}:
        return f"{share:.0f}"
    return f"{min(max(share, 0.1), 99.9):.1f}"


def _lines(result: Result) -> Iterator[str]:
    head = f"{result.tool:<{_TOOL - 1}.{_TOOL - 1}} {result.way:<{_WAY - 1}.{_WAY - 1}} "
    if result.score is None:
        yield f"{head} not run"
        yield from wrap(
            result.why, _WIDTH - 4, initial_indent="    ", subsequent_indent="    ", max_lines=3
        )
        return
    score = result.score
    cells = [
        f"{percent(part, score.rows):>{width}}"
        for part, width in (
            (score.reasoning, 4),
            (score.prompt, 7),
            (score.stop, 6),
            (score.right, 6),
        )
    ]
    note = _note(score)
    first = f"{head}{''.join(cells)}  "
    if len(first) + len(note) <= _WIDTH:
        yield (first + note).rstrip()
        return
    yield first.rstrip()
    yield from wrap(note, _WIDTH - 4, initial_indent="    ", subsequent_indent="    ")


def _note(score: Score) -> str:
    parts = []
    if score.boundaries:
        boundary, count = score.boundaries.most_common(1)[0]
        rest = "" if count == score.present else f" ({percent(count, score.present)} %)"
        parts.append(boundary + rest)
    if score.prompt_tokens:
        share = percent(score.prompt_tokens, score.unmasked_tokens)
        parts.append(f"{share} % of the trained tokens are prompt")
    if score.present < score.rows:
        dropped = score.rows - score.present
        parts.append(f"{dropped:,} row{'s' if dropped > 1 else ''} dropped")
    return "; ".join(parts)
