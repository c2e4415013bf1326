"""Turns one JSON record into columns of text, losing nothing."""

import json
import re
from typing import Any, Final, NoReturn

import numpy as np
import orjson

from cotdata.sources.formats.chunk import IS_SPACE, Rejection
from cotdata.sources.records import Wanted

# orjson writes so every float that an integer beyond 64 bits turned into.
_EXPONENT: Final = re.compile(rb"[0-9]e")
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
# So much white space between a key and its colon is looked through; behind more, all is a key.
_SPACES_BEFORE_COLON: Final = 8
_NO_KEYS: Final = (b'\\":', b'{":', b'[":', b',":', b':":')

_KINDS: Final[dict[type, str]] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    type(None): "null",
    list: "array",
    dict: "object",
}


class Digits:
    """A number as the record writes it, where a Python number would not hold it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class DoubtfulNumberError(Exception):
    """A value may hold a number that lost digits; never leaves this package."""


def kind_of(value: object) -> str:
    """Return the JSON kind of a parsed value."""
    return _KINDS.get(type(value), "number")


def dump(value: object, *, is_exact: bool) -> bytes:
    """Return a value as compact JSON.

    Raises:
        DoubtfulNumberError: If the value was not parsed by `load_exactly` and may have lost digits.
        Rejection: `bad_json`, if it is nested deeper than orjson writes (254 levels).
    """
    try:
        text = orjson.dumps(value, default=_digits)
    except TypeError as error:
        raise Rejection("bad_json", {"error": "nested deeper than 254 levels"}) from error
    if not is_exact and _EXPONENT.search(text):
        raise DoubtfulNumberError
    return text


def _digits(value: object) -> orjson.Fragment:
    if isinstance(value, Digits):
        return orjson.Fragment(value.text)
    raise TypeError


def load_exactly(text: bytes) -> Any:  # noqa: ANN401
    """Parse JSON that orjson found valid, with every number as it is written.

    Raises:
        Rejection: `duplicate_key`, if an object at any depth has a key twice; `bad_json`.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=Digits,
            parse_float=Digits,
            parse_constant=_not_json,
        )
    except (ValueError, RecursionError) as error:
        raise Rejection("bad_json", {"error": str(error)}) from error


def load_vast(text: bytes) -> Any:  # noqa: ANN401
    """Parse JSON that orjson refuses only because a number is beyond a double."""
    if _SURROGATE.search(text):
        # The standard library lets a lone one through, and it cannot be written again.
        raise Rejection("bad_json", {"error": "a number beyond a double, beside surrogates"})
    return load_exactly(text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Rejection("duplicate_key", {"key": key})
            seen.add(key)
    return found


def _not_json(text: str) -> NoReturn:
    message = f"{text} is not JSON"
    raise ValueError(message)


def most_keys(text: bytes, start: int, end: int) -> int:
    r"""Return an upper bound of the object keys that a part of JSON text writes, twins included.

    Counted is every quote with a colon behind it, white space between or not. Inside a string a
    quote stands behind a backslash, so `\":` is no key, unless that backslash is itself escaped.
    """
    letters = np.frombuffer(text, np.uint8)[start:end]
    colons = np.flatnonzero(letters == ord(":"))
    quotes = colons[colons > 2] - 1
    keys = len(colons) - len(quotes)
    for _ in range(_SPACES_BEFORE_COLON):
        spaced = quotes[IS_SPACE[letters[quotes]]]
        quotes = quotes[letters[quotes] == ord('"')]
        slashed = quotes[letters[quotes - 1] == ord("\\")]
        keys += len(quotes) - int((letters[slashed - 2] != ord("\\")).sum())
        if not len(spaced):
            return keys
        quotes = spaced[spaced > 2] - 1
        keys += len(spaced) - len(quotes)
    return keys + len(quotes)


def least_keys(dumped: bytes) -> int:
    """Return a lower bound of the object keys in compact JSON, as orjson writes it.

    A quote and a colon end a key, unless the quote is escaped or opens a string that begins with
    a colon; a quote that opens a string stands at the beginning or behind one of four letters.
    """
    found = dumped.count(b'":') - dumped.startswith(b'":')
    return found - sum(dumped.count(no_key) for no_key in _NO_KEYS) if found else 0


class RecordValues:
    """Takes records apart as an adapter wants them."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted

    def take(self, record: dict[str, Any], *, is_exact: bool) -> tuple[list[str | None], int]:
        """Return the wanted columns and `REST`, and a lower bound of the record's keys.

        Empties the record. A null is handed over as null in every form, as a key that the record
        lacks.

        Args:
            record: As orjson, or `load_exactly`, parsed it.
            is_exact: True for the latter.

        Raises:
            DoubtfulNumberError: If the record must be parsed by `load_exactly`.
            Rejection: `not_text`, `bad_json`.
        """
        keys = len(record)
        row: list[str | None] = []
        for name in self.wanted.text:
            value = record.pop(name, None)
            if value is not None and type(value) is not str:
                raise _not_text(name, value)
            row.append(value)
        for name in self.wanted.scalar:
            value = record.pop(name, None)
            if value is not None and type(value) is not str:
                value = _scalar(name, value, is_exact=is_exact)
            row.append(value)
        keys -= len(record)
        for name in self.wanted.json:
            keys += name in record
            value = record.pop(name, None)
            text = b"" if value is None else dump(value, is_exact=is_exact)
            keys += least_keys(text)
            row.append(text.decode() if text else None)
        rest = dump(record, is_exact=is_exact) if record else b""
        row.append(rest.decode() if rest else None)
        return row, keys + least_keys(rest)


def _scalar(name: str, value: object, *, is_exact: bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Digits):
        return value.text
    if isinstance(value, float) and not is_exact:
        raise DoubtfulNumberError  # 1.50 stays 1.50
    raise _not_text(name, value)


def _not_text(name: str, value: object) -> Rejection:
    return Rejection("not_text", {"column": name, "found": kind_of(value)})
