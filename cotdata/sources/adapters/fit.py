"""Says whether a source has the columns that an adapter reads, and what would fit instead."""

from collections.abc import Iterable

from cotdata.errors import Location, SourceError
from cotdata.sources.adapters.column_names import listed, match_columns, nearest, shown
from cotdata.sources.adapters.yaml_scalar import yaml_scalar
from cotdata.sources.records import Peek, Wanted


def refuse_misfit(
    wanted: Wanted,
    required: Iterable[str],
    others: Iterable[str],
    peek: Peek,
    where: Location,
) -> None:
    """Raise where columns are absent, or hold nothing that could be read.

    Args:
        wanted: What the adapter in question reads.
        required: The columns that it cannot do without.
        others: Names of adapters that would fit.
        peek: The first records; a source without records fits everything.
        where: The source's place, for the message.

    Raises:
        SourceError: Naming the columns found, the ones missing, and the nearest fit.
    """
    if not peek.columns:
        return
    missing = [column for column in required if column not in peek.columns]
    if missing:
        what = f"the records have no column {listed(missing)}; they have {listed(peek.columns)}"
        raise SourceError(what, where, _way_out(missing, others, peek))
    for column in wanted.columns:
        kinds = peek.columns.get(column, frozenset()) - {"null"}
        readable = _readable(wanted, column)
        if kinds and readable and not kinds & readable:
            what = f"column {shown(column)} holds {_and(kinds)}, but must hold {_and(readable)}"
            raise SourceError(what, where, _as_text(column, kinds) or _way_out([], others, peek))


def _readable(wanted: Wanted, column: str) -> frozenset[str]:
    """Return the kinds that are taken; none means all."""
    if column in wanted.text:
        return frozenset({"string"})
    if column in wanted.scalar:
        return frozenset({"string", "number", "boolean"})
    return frozenset()


def _and(kinds: frozenset[str]) -> str:
    order = ("string", "number", "boolean", "array", "object")
    return " or ".join(f"{kind}s" for kind in order if kind in kinds)


def _as_text(column: str, kinds: frozenset[str]) -> str | None:
    """Return how a mapping takes a column of numbers as text, where a placeholder can name it."""
    if not kinds <= {"number", "boolean"} or {"{", "}"} & set(column) or len(column) > 80:
        return None
    template = yaml_scalar("{" + column + "}")
    return f"in a mapping, a template takes {_and(kinds)} as text: write `{template}`"


def _way_out(missing: list[str], others: Iterable[str], peek: Peek) -> str:
    adapters = list(others)
    # A near name would lead astray where all the columns of another data set's format are there.
    near = {} if adapters else {column: nearest(column, peek.columns) for column in missing}
    ways = [f"{shown(found)} is near {shown(column)}" for column, found in near.items() if found]
    ways += [f"`adapter: {name}` fits these columns" for name in adapters]
    guesses = match_columns(peek)
    if "Question" in guesses:
        pairs = [f"{name}: {yaml_scalar(guess.value)}" for name, guess in guesses.items()]
        ways.append("by their names this mapping fits: `adapter: {" + ", ".join(pairs) + "}`")
    if not ways:
        ways.append("map columns that hold text: `adapter: {Question: …, Response: …}`")
    return "; ".join(ways)
