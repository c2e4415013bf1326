"""Turns the tables that `datasets` gives into batches, a slice of them or all."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
from pyarrow import types

from cotdata.sources.formats.chunk import CHUNK_BYTES, Columns, Rejection
from cotdata.sources.formats.json_values import (
    DoubtfulNumberError,
    RecordValues,
    kind_of,
    load_exactly,
    load_vast,
)
from cotdata.sources.formats.typed_records import typed_batch
from cotdata.sources.formats.typed_values import json_form, stored_form
from cotdata.sources.records import REST, Batch, Peek, Wanted

PEEKED_RECORDS: Final = 200


def read_tables(
    tables: Iterator[pa.Table], wanted: Wanted, first: int, stop: int | None, total: int | None
) -> Iterator[Batch]:
    """Convert the records from `first` up to `stop`; count the others.

    `PLACE` is the 1-based number of the record. Notes: those of `typed_batch`; `mixed_types` counts
    records with a value that `datasets` keeps as JSON text, having met several types.

    Args:
        tables: Consecutive records, from the data set's first on.
        wanted: What the adapter reads.
        first: 0-based.
        stop: Exclusive; None reads all.
        total: Records in the data set, where that is known: nothing is read after `stop` then.
    """
    seen = 0
    for table in tables:
        records = table.num_rows
        begin = min(max(first - seen, 0), records)
        end = records if stop is None else min(max(stop - seen, begin), records)
        if begin:
            yield Batch(begin, None)
        for at, part in _parts(table, begin, end):
            yield _batch(part, wanted, seen + at + 1)
        if records > end:
            yield Batch(records - end, None)
        seen += records
        # A card may be out of date: a count that has been passed already is not believed.
        if stop is not None and total is not None and stop <= seen <= total:
            if total > seen:
                yield Batch(total - seen, None)
            return


def peek_tables(tables: Iterator[pa.Table], name: str) -> Peek:
    """Look at the first 200 records; those that cannot be parsed are left out.

    Args:
        tables: Consecutive records, from the data set's first on.
        name: What to call the format.
    """
    columns: dict[str, set[str]] = {}
    examples: list[dict[str, object]] = []
    for table in tables:
        part = table.slice(0, PEEKED_RECORDS - len(examples))
        for column in part.column_names:
            columns.setdefault(column, set())
        for batch in read_tables(iter([part]), Wanted(), 0, None, None):
            if batch.frame is not None:
                for text in batch.frame[REST].drop_nulls():
                    with suppress(orjson.JSONDecodeError):  # a number beyond a double
                        examples.append(orjson.loads(text))
        if len(examples) >= PEEKED_RECORDS:
            break
    for record in examples:
        for column, value in record.items():
            columns[column].add(kind_of(value))
    return Peek(name, {column: frozenset(kinds) for column, kinds in columns.items()}, examples)


def _parts(table: pa.Table, begin: int, end: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    at = begin
    for batch in table.slice(begin, end - begin).to_batches():
        rows = max(CHUNK_BYTES * len(batch) // max(batch.nbytes, 1), 1)
        for start in range(0, len(batch), rows):
            part = batch.slice(start, rows)
            yield at, part
            at += len(part)


def _batch(table: pa.RecordBatch, wanted: Wanted, first_place: int) -> Batch:
    if not any(_holds_json(kind) for kind in table.schema.types):
        return typed_batch(table, wanted, first_place)
    if _is_utf8(table):
        return _mixed_batch(table, wanted, first_place)
    rows = [table.slice(index, 1) for index in range(len(table))]
    batches = [
        (_mixed_batch if _is_utf8(row) else typed_batch)(row, wanted, place)
        for place, row in enumerate(rows, start=first_place)
    ]
    frame = pl.concat(batch.frame for batch in batches if batch.frame is not None)
    return Batch(len(table), frame, {"mixed_types": len(table)})


def _mixed_batch(table: pa.RecordBatch, wanted: Wanted, first_place: int) -> Batch:
    columns = Columns(wanted, len(table))
    values = RecordValues(wanted)
    for index, record in enumerate(_json_records(table)):
        try:
            columns.put(index, _taken(record, values))
        except Rejection as rejection:
            columns.reject(index, rejection, record)
    places = np.arange(first_place, first_place + len(table), dtype=np.int64)
    return Batch(len(table), columns.frame(places), {"mixed_types": len(table)})


def _is_utf8(table: pa.RecordBatch) -> bool:
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _taken(record: bytes, values: RecordValues) -> list[str | None]:
    try:
        return values.take(orjson.loads(record), is_exact=False)[0]
    except DoubtfulNumberError:
        return values.take(load_exactly(record), is_exact=True)[0]
    except orjson.JSONDecodeError:
        return values.take(load_vast(record), is_exact=True)[0]


def _holds_json(kind: pa.DataType) -> bool:
    """Tell whether a type has `datasets.Json` in it: JSON text, for values of mixed types."""
    if isinstance(kind, pa.JsonType):
        return True
    if not types.is_nested(kind):
        return False
    return any(_holds_json(kind.field(index).type) for index in range(kind.num_fields))


def _json_records(table: pa.RecordBatch) -> Iterator[bytes]:
    """Return each record as one JSON object, what is JSON text within it as what it says."""
    columns = [
        _decoded(column) if _holds_json(column.type) else json_form(stored_form(column)).to_list()
        for column in table.columns
    ]
    for row in zip(*columns, strict=True):
        named = zip(table.schema.names, row, strict=True)
        yield orjson.dumps(
            {name: None if text is None else orjson.Fragment(text) for name, text in named}
        )


def _decoded(column: pa.Array) -> list[str | None]:
    convert = _converter(column.type)
    values = (convert(value) for value in column.to_pylist())
    return [None if value is None else orjson.dumps(value).decode() for value in values]


def _converter(kind: pa.DataType) -> Callable[[Any], Any]:
    """Return what makes of a Python value one that orjson writes as the JSON form of its type."""
    if isinstance(kind, pa.JsonType):
        return lambda value: None if value is None else orjson.Fragment(_json_text(value))
    if not _holds_json(kind):
        return lambda value: _fragment(value, kind)
    if types.is_struct(kind):
        members = {field.name: _converter(field.type) for field in kind}
        return lambda value: value and {key: to(value[key]) for key, to in members.items()}
    item = _converter(kind.value_type)
    return lambda value: value and [item(one) for one in value]


def _fragment(value: object, kind: pa.DataType) -> orjson.Fragment:
    text = json_form(stored_form(pa.array([value], kind)))[0]
    return orjson.Fragment("null" if text is None else text)


def _json_text(value: str) -> str:
    # `datasets` takes a column of text for JSON by a look at its first five values, and both reads
    # and writes NaN.
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        try:
            load_exactly(value.encode())
        except Rejection:
            return orjson.dumps(value).decode()
    return value
