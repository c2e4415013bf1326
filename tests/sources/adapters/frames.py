"""Frames as a reader hands them over, from records written in a test."""

from collections.abc import Iterable, Mapping

import orjson
import polars as pl

from cotdata.sources.records import EVIDENCE, PLACE, RAW, REASON, REST, Wanted


def read(records: Iterable[Mapping[str, object]], wanted: Wanted) -> pl.DataFrame:
    """Return what a reader gives for good records, by the contract in `records.py`."""
    every = list(records)
    columns = {
        **{name: [_text(record.get(name)) for record in every] for name in wanted.text},
        **{name: [_text(record.get(name)) for record in every] for name in wanted.scalar},
        **{name: [_json(record, name) for record in every] for name in wanted.json},
    }
    rest = [
        {key: value for key, value in record.items() if key not in wanted.columns}
        for record in every
    ]
    return pl.DataFrame(
        [
            *(pl.Series(name, values, dtype=pl.String) for name, values in columns.items()),
            pl.Series(PLACE, range(1, len(every) + 1), dtype=pl.UInt64),
            pl.Series(REST, [_dump(left) if left else None for left in rest], dtype=pl.String),
            pl.Series(REASON, [None] * len(every), dtype=pl.String),
            pl.Series(EVIDENCE, [None] * len(every), dtype=pl.String),
            pl.Series(RAW, [None] * len(every), dtype=pl.Binary),
        ]
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) or value is None else _dump(value)


def _json(record: Mapping[str, object], name: str) -> str | None:
    return _dump(record[name]) if name in record else None


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()
