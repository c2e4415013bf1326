"""Turns typed Arrow columns into the columns of text that an adapter reads."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson
import polars as pl
import pyarrow as pa

from cotdata.sources.arrow_json import Json, is_plain, json_texts, json_value, kind_of
from cotdata.sources.records import EVIDENCE, PLACE, RAW, REASON, REST, Batch, Peek, Wanted

PEEK_RECORDS: Final = 200
#: Rows that are converted at a time: enough to be vectorised, few enough to stay small in memory
#: where a row is a megabyte of reasoning.
BATCH_ROWS: Final = 4096


def batches_of_tables(
    tables: Iterator[pa.Table], wanted: Wanted, first: int, stop: int | None, total: int | None
) -> Iterator[Batch]:
    """Convert the records from `first` up to `stop`; count the others.

    Args:
        tables: Consecutive records, from the data set's first on.
        wanted: What the adapter reads.
        first: 0-based.
        stop: Exclusive; None reads all.
        total: Records in the data set where that is known: nothing is read after `stop` then.
    """
    seen = 0
    for table in tables:
        records = table.num_rows
        begin = min(max(first - seen, 0), records)
        end = records if stop is None else min(max(stop - seen, begin), records)
        if begin:
            yield Batch(begin, None)
        for at in range(begin, end, BATCH_ROWS):
            part = table.slice(at, min(BATCH_ROWS, end - at))
            yield Batch(part.num_rows, to_frame(part, wanted, seen + at))
        if records > end:
            yield Batch(records - end, None)
        seen += records
        if stop is not None and seen >= stop and total is not None and total >= seen:
            if total > seen:
                yield Batch(total - seen, None)
            return


def peek_tables(tables: Iterator[pa.Table], name: str) -> Peek:
    """Look at the first records."""
    columns: dict[str, set[str]] = {}
    examples: list[dict[str, object]] = []
    for table in tables:
        part = table.slice(0, PEEK_RECORDS - len(examples))
        found = [_loads(text) for text in to_frame(part, Wanted(), len(examples))[REST].drop_nulls()]
        for column in part.column_names:
            kinds = {_kind(record[column]) for record in found}
            columns.setdefault(column, set()).update(kinds)
        examples += found
        if len(examples) >= PEEK_RECORDS:
            break
    return Peek(name, {column: frozenset(kinds) for column, kinds in columns.items()}, examples)


def to_frame(table: pa.Table, wanted: Wanted, first: int) -> pl.DataFrame:
    """Return the frame that `Batch.frame` describes.

    A column's value is text where its type is; a date, a time or a decimal number is a scalar
    written as text, but is not text. In JSON, bytes are base64, dates and times are ISO 8601,
    durations are seconds, NaN and the infinities are null. `RAW` of a record that is rejected
    (`not_text`) is the whole record as JSON.

    Args:
        table: Records, one column for each of their keys.
        wanted: What the adapter reads.
        first: 0-based index of the first record.
    """
    rows = table.num_rows
    columns = [
        *(_read(table, name, _as_text) for name in wanted.text),
        *(_read(table, name, _as_scalar) for name in wanted.scalar),
        *(_read(table, name, _as_json) for name in wanted.json),
    ]
    found = _first_misfit([(column.name, misfit) for column, misfit in columns], rows)
    frame = pl.DataFrame(
        [
            *(column for column, _ in columns),
            pl.int_range(first + 1, first + rows + 1, dtype=pl.UInt64, eager=True).alias(PLACE),
            _rest(table, [name for name in table.column_names if name not in wanted.columns]),
            pl.Series(REASON, [None if at is None else "not_text" for at in found], pl.String),
            pl.Series(EVIDENCE, found, pl.String),
        ]
    )
    raw = pl.Series(RAW, [None] * rows, pl.Binary)
    if not any(found):
        return frame.with_columns(raw)
    whole = _rest(table, table.column_names).cast(pl.Binary).alias(RAW)
    taken = pl.col(REASON).is_null()
    values = [*wanted.columns, REST]
    return frame.with_columns(
        *(pl.when(taken).then(pl.col(name)).alias(name) for name in values),
        pl.when(~taken).then(pl.lit(whole)).alias(RAW),
    )
