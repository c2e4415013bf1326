"""Writes the typed values of Arrow data as the text that adapters read.

The JSON form of a type: numbers and booleans as such; NaN and the infinities as the strings "NaN",
"Infinity" and "-Infinity"; decimals as strings; dates, times and timestamps as ISO 8601 strings,
those with a time zone in UTC; durations as `PT…S`; bytes as base64; a map as a list of
`[key, value]`; lists and structs as arrays and objects.
"""

import base64
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, cast

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

#: The name under which a column is encoded, and what polars then writes around its JSON.
_NAME: Final = "v"
_BEFORE: Final = '{"v":'
_AFTER: Final = "}"


def stored_form(column: pa.Array) -> pa.Array:
    """Return a column without the wrappings that mean nothing in JSON."""
    if isinstance(column, pa.ExtensionArray):
        return stored_form(column.storage)
    if types.is_dictionary(column.type):
        return stored_form(column.dictionary_decode())
    if types.is_run_end_encoded(column.type):
        return stored_form(pc.run_end_decode(column))
    if is_text(column.type):
        return column.cast(pa.large_string())
    if types.is_float16(column.type):
        return column.cast(pa.float32())
    return column


def is_text(kind: pa.DataType) -> bool:
    """Tell whether values of a type are text."""
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def is_scalar(kind: pa.DataType) -> bool:
    """Tell whether values of a type are text, a number, a truth value or a point in time."""
    return bool(is_text(kind) or _is_plain_scalar(kind) or _has_text_form(kind))


def json_kind(kind: pa.DataType) -> str:
    """Return what values of a type are in JSON, or the type's own name where JSON has none."""
    if is_text(kind):
        return "string"
    if types.is_boolean(kind):
        return "boolean"
    if types.is_integer(kind) or types.is_floating(kind):
        return "number"
    if types.is_struct(kind):
        return "object"
    return "array" if types.is_nested(kind) else str(kind)


def text_form(column: pa.Array) -> pl.Series:
    """Return a column of scalars as text (String, nullable): a number or truth value as its JSON.

    Args:
        column: In its stored form, of a type for which `is_scalar` holds.
    """
    if types.is_null(column.type):
        return pl.Series([None] * len(column), dtype=pl.String)
    if is_text(column.type):
        return _series(column)
    if _has_text_form(column.type):
        return _series(_iso(column))
    texts = json_form(column)
    return texts.str.strip_chars('"') if types.is_floating(column.type) else texts


def json_form(column: pa.Array) -> pl.Series:
    """Return a column as JSON text (String; null where the value is null).

    Args:
        column: In its stored form.
    """
    if types.is_null(column.type):
        return pl.Series([None] * len(column), dtype=pl.String)
    if _has_text_form(column.type):
        column = _iso(column)
    if not _is_plain(column.type) or _has_special_floats(column):
        values = [None if value is None else _dumped(value) for value in _python_values(column)]
        return pl.Series(values, dtype=pl.String)
    text = pl.struct(_NAME).struct.json_encode().str.strip_prefix(_BEFORE).str.strip_suffix(_AFTER)
    frame = _series(column).alias(_NAME).to_frame()
    return frame.select(pl.when(pl.col(_NAME).is_not_null()).then(text).alias(_NAME)).to_series()


def holds_bytes(kind: pa.DataType) -> bool:
    """Tell whether a type has bytes in it, which JSON holds only as base64."""
    if types.is_nested(kind):
        fields = (kind.field(index) for index in range(kind.num_fields))
        return any(holds_bytes(field.type) for field in fields)
    return _is_binary(kind)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    )


def _is_plain_scalar(kind: pa.DataType) -> bool:
    is_float = types.is_float32(kind) or types.is_float64(kind)
    return bool(types.is_boolean(kind) or types.is_integer(kind) or is_float or types.is_null(kind))


def _is_plain(kind: pa.DataType) -> bool:
    """Tell whether polars writes a type's JSON as we do."""
    if types.is_list(kind) or types.is_large_list(kind):
        return _is_plain(kind.value_type)
    if types.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        names = {field.name for field in fields}
        return bool(fields) and len(names) == len(fields) and all(_is_plain(f.type) for f in fields)
    return is_text(kind) or _is_plain_scalar(kind)


def _has_text_form(kind: pa.DataType) -> bool:
    return bool(types.is_temporal(kind) and not types.is_interval(kind)) or types.is_decimal(kind)


def _iso(column: pa.Array) -> pa.Array:
    """Return decimals, dates, times and durations as text."""
    kind = column.type
    if types.is_duration(kind):
        seconds = {"s": 0, "ms": 3, "us": 6, "ns": 9}[kind.unit]
        counts = column.cast(pa.int64()).to_pylist()
        texts = [None if n is None else f"PT{Decimal(n).scaleb(-seconds):f}S" for n in counts]
        return pa.array(texts, pa.large_string())
    if types.is_timestamp(kind):
        if kind.tz is not None:
            column = column.cast(pa.timestamp(kind.unit, "UTC"))
        return pc.replace_substring(column.cast(pa.large_string()), " ", "T", max_replacements=1)
    return column.cast(pa.large_string())


def _has_special_floats(column: pa.Array) -> bool:
    """Tell whether there is a NaN or an infinity, for which JSON has no number."""
    if types.is_floating(column.type):
        return pc.all(pc.is_finite(column)).as_py() is False
    if types.is_list(column.type) or types.is_large_list(column.type):
        return _has_special_floats(column.flatten())
    if types.is_struct(column.type):
        return any(_has_special_floats(field) for field in column.flatten())
    return False


def _python_values(column: pa.Array) -> list[Any]:
    try:
        return cast("list[Any]", column.to_pylist())
    except (ValueError, OverflowError, ImportError):  # a point in time beyond Python's
        return cast("list[Any]", column.cast(_with_text_times(column.type)).to_pylist())


def _with_text_times(kind: pa.DataType) -> pa.DataType:
    if types.is_struct(kind):
        fields = (kind.field(index) for index in range(kind.num_fields))
        return pa.struct([pa.field(f.name, _with_text_times(f.type)) for f in fields])
    if types.is_list(kind) or types.is_large_list(kind):
        return pa.large_list(_with_text_times(kind.value_type))
    return pa.large_string() if types.is_temporal(kind) else kind


def _dumped(value: object) -> str:
    return orjson.dumps(_finite(value), default=_json_value).decode()


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)) and type(value) in {list, tuple}:
        return [_finite(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return "NaN"
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _json_value(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, timedelta):
        return f"PT{Decimal(value // timedelta(microseconds=1)).scaleb(-6):f}S"
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    return str(value)


def _series(column: pa.Array) -> pl.Series:
    return cast("pl.Series", pl.from_arrow(column))
