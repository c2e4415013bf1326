"""What a reader hands to an adapter: native records as columns of text, nothing guessed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

import polars as pl

#: Columns that a reader adds to the ones it was asked for.
PLACE: Final = "__place__"  # UInt64: 1-based row in the file; the line number for line formats
REST: Final = "__rest__"  # String: JSON object of all that was not asked for; null if nothing
REASON: Final = "__reason__"  # String: null for a record that could be read
EVIDENCE: Final = "__evidence__"  # String: JSON object; null where the reason is null
RAW: Final = "__raw__"  # Binary: the record's bytes where it could not be parsed, else null

#: With so many records a reader looks at the beginning of a source.
PEEKED_RECORDS: Final = 200

READER_REASONS: Final = {
    "bad_json": "The record is not valid JSON. Evidence: `error`, and `hint` where it holds NULs.",
    "not_an_object": "The record is JSON, but not an object. Evidence: `found`.",
    "truncated": "The file ends inside the record. Evidence: `error`.",
    "not_utf8": "The record's bytes are not UTF-8. Evidence: `byte`, `encoding`.",
    "record_too_large": "The record is larger than the limit. Evidence: `bytes`, `limit`.",
    "duplicate_key": "The record has a key twice. Evidence: `key`.",
    "bad_csv": "The record does not fit the header. Evidence: `fields`, `header`.",
    "not_text": "A column that must be text holds something else. Evidence: `column`, `found`.",
}


@dataclass(frozen=True)
class Wanted:
    """Which columns of a native record an adapter reads, and in what form.

    A column that a record lacks is null. Whatever is asked for nowhere goes to `REST`.
    """

    #: Must be a string (or null); anything else rejects the record as `not_text`.
    text: tuple[str, ...] = ()
    #: A string, number or boolean (as its JSON text); a list or an object is `not_text`.
    scalar: tuple[str, ...] = ()
    #: Any value, handed over as its JSON text; a string too is JSON text, in quotes.
    json: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are asked for."""
        return (*self.text, *self.scalar, *self.json)


@dataclass(frozen=True)
class Batch:
    """Some consecutive records of one file.

    `records` counts them. `frame` is None where the records lie outside the rows asked for and
    were only counted; else it has `records` rows in file order, the wanted columns (String,
    nullable) and `PLACE`, `REST`, `REASON`, `EVIDENCE`, `RAW`. `notes` counts what was passed
    over or converted (`blank_lines`, `utf16_decoded`, …).
    """

    records: int
    frame: pl.DataFrame | None
    notes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Peek:
    """A look at the beginning of a source."""

    format: str
    #: Column → the JSON kinds seen: string, number, boolean, null, array, object.
    columns: dict[str, frozenset[str]]
    #: The first records, as JSON values.
    examples: list[dict[str, object]]


class Reader(Protocol):
    """Anything that gives records: one local file, or one data set of a hub."""

    def peek(self) -> Peek:
        """Look at the first records without reading the rest."""
        ...

    def batches(self, wanted: Wanted, first: int, stop: int | None) -> Iterator[Batch]:
        """Read the records `first` (0-based) up to `stop` (exclusive; None: all).

        Records before `first` and after `stop` come as batches without a frame, so that the sum
        of `records` is what the file holds.
        """
        ...
