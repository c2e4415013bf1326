"""Turns a batch of Arrow data into the frame that all formats share."""

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl
import pyarrow as pa

from cotdata.sources.formats.chunk import MAX_RECORD_BYTES, Positions, Rejection
from cotdata.sources.formats.typed_values import (
    holds_bytes,
    is_scalar,
    is_text,
    json_form,
    json_kind,
    stored_form,
    text_form,
)
from cotdata.sources.records import EVIDENCE, PLACE, RAW, REASON, REST, Batch, Wanted


def typed_batch(table: pa.RecordBatch, wanted: Wanted, first_place: int) -> Batch:
    """Return some records of a typed file; `PLACE` counts from `first_place`.

    `text` takes text columns alone; `scalar` numbers, truth values, decimals and points in time
    too. A null is kept as null in `REST`, where every column stands. Notes: `bytes_as_base64`
    counts the records of which `REST` or a `json` column has bytes.

    Raises:
        pa.ArrowException: The batch is corrupt.
    """
    places = np.arange(first_place, first_place + len(table))
    is_bad = _not_utf8(table)
    good = table.filter(pa.array(~is_bad)) if is_bad.any() else table
    frame = _frame(good, wanted, places[~is_bad])
    if is_bad.any():
        # The rows come back in the order of their places, which is the file's.
        refused = _refused(table.filter(pa.array(is_bad)), frame, places[is_bad])
        frame = pl.concat([frame, refused]).sort(PLACE)
    taken = {*wanted.text, *wanted.scalar}
    with_bytes = any(holds_bytes(f.type) for f in table.schema if f.name not in taken)
    return Batch(len(table), frame, {"bytes_as_base64": len(table)} if with_bytes else {})


def _frame(table: pa.RecordBatch, wanted: Wanted, places: Positions) -> pl.DataFrame:
    columns = {name: stored_form(table.column(name)) for name in table.schema.names}
    empty = pl.Series([None] * len(table), dtype=pl.String)
    rejected: dict[int, Rejection] = {}
    found: list[pl.Series] = []
    for name in wanted.columns:
        column = columns.get(name)
        if column is None:
            found.append(empty)
        elif name in wanted.json:
            found.append(json_form(column))
        elif _fits(column.type, name, wanted):
            found.append(text_form(column))
        else:
            found.append(empty)
            _reject_values(name, column, rejected)
    rest = {name: column for name, column in columns.items() if name not in wanted.columns}
    found.append(_objects(rest) if rest else empty)
    frame = pl.DataFrame(dict(zip((*wanted.columns, REST), found, strict=True)))
    _reject_large(frame, rejected)
    return _judged(frame, places, rejected, columns)


def _fits(kind: pa.DataType, name: str, wanted: Wanted) -> bool:
    if name in wanted.scalar:
        return is_scalar(kind)
    return is_text(kind) or pa.types.is_null(kind)


def _reject_values(name: str, column: pa.Array, rejected: dict[int, Rejection]) -> None:
    evidence: dict[str, object] = {"column": name, "found": json_kind(column.type)}
    for index in np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False)).tolist():
        rejected.setdefault(index, Rejection("not_text", evidence))


def _reject_large(frame: pl.DataFrame, rejected: dict[int, Rejection]) -> None:
    sizes = frame.select(pl.sum_horizontal(pl.all().str.len_bytes().cast(pl.Int64))).to_series()
    for index in (sizes > MAX_RECORD_BYTES).arg_true().to_list():
        evidence = {"bytes": sizes[index], "limit": MAX_RECORD_BYTES}
        rejected.setdefault(index, Rejection("record_too_large", evidence))


def _judged(
    frame: pl.DataFrame,
    places: Positions,
    rejected: dict[int, Rejection],
    columns: dict[str, pa.Array],
) -> pl.DataFrame:
    """Add the place and what is wrong; a rejected record has its JSON form as `RAW`."""
    reasons: list[str | None] = [None] * len(frame)
    evidence: list[str | None] = [None] * len(frame)
    raws: list[bytes | None] = [None] * len(frame)
    for index, rejection in rejected.items():
        reasons[index] = rejection.reason
        evidence[index] = orjson.dumps(rejection.evidence).decode()
        record = _objects({name: column.slice(index, 1) for name, column in columns.items()})
        raws[index] = str(record[0]).encode()
    is_kept = pl.Series(reasons, dtype=pl.String).is_null()
    *names, rest = [pl.when(is_kept).then(pl.col(name)).alias(name) for name in frame.columns]
    return frame.select(
        *names,
        pl.Series(PLACE, places.astype(np.uint64), dtype=pl.UInt64),
        rest,
        pl.Series(REASON, reasons, dtype=pl.String),
        pl.Series(EVIDENCE, evidence, dtype=pl.String),
        pl.Series(RAW, raws, dtype=pl.Binary),
    )


def _objects(columns: dict[str, pa.Array]) -> pl.Series:
    """Return the rows of some columns, at least one, as JSON objects."""
    parts: list[pl.Expr] = []
    texts: list[pl.Series] = []
    for index, (name, column) in enumerate(columns.items()):
        parts.append(pl.lit(("," if index else "{") + orjson.dumps(name).decode() + ":"))
        parts.append(pl.col(str(index)).fill_null("null"))
        texts.append(json_form(column).alias(str(index)))
    return pl.DataFrame(texts).select(pl.concat_str(*parts, pl.lit("}"))).to_series()


def _not_utf8(table: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    """Tell which rows have text that is not UTF-8; formats promise that none has.

    Nothing may look at a batch before it went through here: Arrow takes offsets on trust.
    """
    is_bad = np.zeros(len(table), bool)
    for column in table.columns:
        if not _is_utf8(column):
            slices = (column.slice(index, 1) for index in range(len(table)))
            is_bad |= np.array([not _is_utf8(value) for value in slices], bool)
    return is_bad


def _is_utf8(column: pa.Array) -> bool:
    """Tell whether text is UTF-8; other damage, or such text inside of a list, is an error."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        if is_text(column.type) and "UTF8" in str(error):
            return False
        raise
    return True


def _refused(table: pa.RecordBatch, like: pl.DataFrame, places: Positions) -> pl.DataFrame:
    """Return rows with text that is not UTF-8; their `RAW` is their JSON with the bytes as is."""
    evidence: list[str] = []
    raws: list[bytes] = []
    for index in range(len(table)):
        members: list[bytes] = []
        byte: tuple[str, int] | None = None
        for name in table.schema.names:
            value, bad = _bytes_of(stored_form(table.column(name).slice(index, 1)))
            byte = byte or (None if bad is None else (name, bad))
            members.append(orjson.dumps(name) + b":" + value)
        column, at = byte or ("", 0)
        evidence.append(orjson.dumps({"byte": at, "encoding": "utf-8", "column": column}).decode())
        raws.append(b"{" + b",".join(members) + b"}")
    given: dict[str, Sequence[object] | npt.NDArray[np.uint64]] = {
        PLACE: places.astype(np.uint64),
        REASON: ["not_utf8"] * len(table),
        EVIDENCE: evidence,
        RAW: raws,
    }
    return pl.DataFrame(
        [pl.Series(n, given.get(n, [None] * len(table)), dtype=t) for n, t in like.schema.items()]
    )


def _bytes_of(value: pa.Array) -> tuple[bytes, int | None]:
    """Return one value as JSON, and where its text is not UTF-8."""
    if not is_text(value.type) or value.null_count:
        return (json_form(value)[0] or "null").encode(), None
    stored = value.cast(pa.large_binary())[0].as_py()
    text = json.dumps(stored.decode(errors="surrogateescape"), ensure_ascii=False)
    try:
        stored.decode()
    except UnicodeDecodeError as error:
        return text.encode(errors="surrogateescape"), error.start
    return text.encode(), None
