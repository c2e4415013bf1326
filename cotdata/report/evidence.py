"""Reads evidence as key and value, whatever a plugin may have written into it."""

from typing import Final

import orjson

from cotdata.report.examples import EVIDENCE_CHARS
from cotdata.report.text import Excerpt

#: One list of keys and values; evidence that is a list gives several.
Pairs = list[tuple[Excerpt, Excerpt]]

VALUE_CHARS: Final = 300
MAX_RECORDS: Final = 12
MAX_PAIRS: Final = 24


def read_evidence(evidence: Excerpt) -> list[Pairs] | Excerpt:
    """Return evidence as records of keys and values, or as text where it is no such thing."""
    if evidence.is_cut:
        return evidence
    try:
        found = orjson.loads(evidence.text)
    except orjson.JSONDecodeError:
        return evidence
    records = found if isinstance(found, list) else [found]
    if not records or not all(isinstance(record, dict) for record in records):
        return evidence
    shown = [_pairs(record) for record in records[:MAX_RECORDS]]
    if len(records) > MAX_RECORDS:
        shown.append([_more(len(records) - MAX_RECORDS)])
    return shown


def _pairs(record: dict[str, object]) -> Pairs:
    pairs = [
        (Excerpt.of(key, VALUE_CHARS), Excerpt.of(_value(value), VALUE_CHARS))
        for key, value in list(record.items())[:MAX_PAIRS]
    ]
    if len(record) > MAX_PAIRS:
        pairs.append(_more(len(record) - MAX_PAIRS))
    return pairs


def _more(count: int) -> tuple[Excerpt, Excerpt]:
    return Excerpt.of("…"), Excerpt.of(f"{count:,} more, in rejected/")


def _value(value: object) -> str:
    match value:
        case str():
            return value
        case bool() | None:
            return orjson.dumps(value).decode()
        case int():
            return f"{value:,}"
        case list() if value and all(isinstance(item, str) for item in value):
            return ", ".join(value)
        case _:
            return orjson.dumps(value).decode()[:EVIDENCE_CHARS]
