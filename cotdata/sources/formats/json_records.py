"""Parses a chunk of JSON records: by Arrow where that is proven right, else one by one."""

from typing import Any, Final, NoReturn, cast

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.json as pa_json

from cotdata.sources.formats.chunk import (
    MAX_RECORD_BYTES,
    Chunk,
    Columns,
    Positions,
    Rejection,
    trimmed,
)
from cotdata.sources.formats.json_spans import ends_inside
from cotdata.sources.formats.json_values import (
    DoubtfulNumberError,
    RecordValues,
    kind_of,
    load_exactly,
    load_vast,
    most_keys,
)
from cotdata.sources.formats.text_blocks import TextBlocks
from cotdata.sources.records import EVIDENCE, PLACE, RAW, REASON, REST, Wanted

#: The name under which the key of `{key: {record}, …}` goes into the record.
KEY_COLUMN: Final = "_key"
# Chunks that Arrow may refuse before it is asked no more: where records have columns that are
# not wanted it refuses them all, and asking costs time.
_REFUSALS: Final = 3
# Records that are not worth cutting again to find the odd ones among them.
_PROBE: Final = 64
_NUL_HINT: Final = "holds NUL bytes; if it is UTF-16, set the source's `encoding:` to utf-16-le"


class JsonParser:
    """Parses the chunks of one file.

    Args:
        blocks: The file, for its encoding.
        wanted: The columns that are asked for.
        is_keyed: True where a record is a member of an object, `"key": {record}`.
    """

    def __init__(self, blocks: TextBlocks, wanted: Wanted, *, is_keyed: bool = False) -> None:
        self._blocks = blocks
        self._wanted = wanted
        self._values = RecordValues(wanted)
        self._is_keyed = is_keyed
        self._refusals = 0
        self._can_be_plain = bool(wanted.text) and not (wanted.scalar or wanted.json or is_keyed)

    def parse(self, chunk: Chunk) -> pl.DataFrame:
        """Return the chunk's frame; both ways of parsing give the same."""
        if self._can_be_plain and self._refusals < _REFUSALS:
            frame = parse_plain(chunk, self._wanted)
            if frame is not None:
                return frame
            # Where the first records are refused too, it is not for some odd ones among them.
            if parse_plain(chunk.cut(0, _PROBE), self._wanted) is not None:
                return pl.concat(self._parse_halves(chunk))
            self._refusals += 1
        return self.parse_exactly(chunk)

    def _parse_halves(self, chunk: Chunk) -> list[pl.DataFrame]:
        """Parse a chunk in which some records are odd: only their neighbours pay for it."""
        if len(chunk) <= _PROBE:
            return [self.parse_exactly(chunk)]
        middle = len(chunk) // 2
        frames = []
        for half in (chunk.cut(0, middle), chunk.cut(middle, len(chunk))):
            frame = parse_plain(half, self._wanted)
            frames += [frame] if frame is not None else self._parse_halves(half)
        return frames

    def parse_exactly(self, chunk: Chunk) -> pl.DataFrame:
        """Return the chunk's frame, each record parsed for itself."""
        columns = Columns(self._wanted, len(chunk))
        least = [0] * len(chunk)
        spans = zip(chunk.starts.tolist(), chunk.ends.tolist(), strict=True)
        for index, (start, end) in enumerate(spans):
            raw = chunk.data[start:end]
            try:
                if len(raw) > MAX_RECORD_BYTES:
                    refuse_large(len(raw), 0 if index else chunk.lost)
                row, least[index] = self._row(raw)
            except Rejection as rejection:
                is_open = chunk.is_open and index == len(chunk) - 1
                found = self._explained(rejection, raw, is_open=is_open)
                columns.reject(index, found, self._blocks.original(raw))
            else:
                columns.put(index, row)
        if len(chunk):
            self._reject_doubles(chunk, columns, least)
        return columns.frame(chunk.places)

    def _row(self, raw: bytes) -> tuple[list[str | None], int]:
        text = b"{%b}" % raw if self._is_keyed else raw
        try:
            record = orjson.loads(text)
            is_exact = False
        except orjson.JSONDecodeError as error:
            if "infinity" not in error.msg:
                raise Rejection("bad_json", {"error": str(error)}) from error
            record, is_exact = load_vast(text), True
        try:
            return self._values.take(self._object(record), is_exact=is_exact)
        except DoubtfulNumberError:
            return self._values.take(self._object(load_exactly(text)), is_exact=True)

    def _object(self, value: object) -> dict[str, Any]:
        key = None
        if self._is_keyed and isinstance(value, dict):
            if len(value) != 1:
                raise Rejection("bad_json", {"error": "is not one `key: record`"})
            ((key, value),) = value.items()
        if not isinstance(value, dict):
            raise Rejection("not_an_object", {"found": kind_of(value)})
        if key is None:
            return value
        if KEY_COLUMN in value:
            raise Rejection("duplicate_key", {"key": KEY_COLUMN})
        return {KEY_COLUMN: key, **value}

    def _explained(self, rejection: Rejection, raw: bytes, *, is_open: bool) -> Rejection:
        """Return the deeper reason for a record that is not JSON."""
        if rejection.reason != "bad_json":
            return rejection
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            if not (is_open and error.end == len(raw) and "end of data" in error.reason):
                return self._blocks.not_utf8(raw)
            return Rejection("truncated", {"error": "the file ends inside a character"})
        if is_open and ends_inside(raw):
            return Rejection("truncated", rejection.evidence)
        if b"\0" in raw:  # JSON has none, and UTF-16 one beside each letter
            return Rejection("bad_json", {**rejection.evidence, "hint": _NUL_HINT})
        return rejection

    def _reject_doubles(self, chunk: Chunk, columns: Columns, least: list[int]) -> None:
        """Reject records that have a key twice, of which orjson keeps only the last."""
        starts, ends = chunk.starts.tolist(), chunk.ends.tolist()
        if most_keys(chunk.data, starts[0], ends[-1]) <= sum(least):
            return
        for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
            known = least[index]
            if index in columns.rejected or most_keys(chunk.data, start, end) <= known:
                continue
            raw = chunk.data[start:end]
            try:
                load_exactly(b"{%b}" % raw if self._is_keyed else raw)
            except Rejection as rejection:
                columns.reject(index, rejection, self._blocks.original(raw))


def refuse_large(size: int, lost: int) -> NoReturn:
    """Reject a record for its size; `lost` bytes of it are not in `RAW`."""
    evidence: dict[str, object] = {"bytes": size + lost, "limit": MAX_RECORD_BYTES}
    raise Rejection("record_too_large", evidence | ({"bytes_lost": lost} if lost else {}))


def parse_plain(chunk: Chunk, wanted: Wanted) -> pl.DataFrame | None:
    """Return the frame of records that are nothing but the wanted text; None if that is unproven.

    Arrow's parser is strict about syntax, strings, unexpected fields and keys that stand twice,
    but reads its input as a stream of objects, whatever lies between them, and checks no UTF-8.
    So the result is taken only where each record begins with `{` and ends with `}` (an object
    broken over records would leave one that does not), there are as many objects as records (no
    record holds two) and the strings are UTF-8.
    """
    starts, ends = trimmed(chunk.data, chunk.starts, chunk.ends)
    if not _are_braced(chunk.data, starts, ends):
        return None
    begin, end = int(starts[0]), int(ends[-1])
    table = _read_objects(memoryview(chunk.data)[begin:end], wanted)
    if table is None or table.num_rows != len(chunk):
        return None
    if table.num_columns != len(wanted.text):
        return None
    nothing = pl.lit(None, pl.String)
    return cast("pl.DataFrame", pl.from_arrow(table.select(wanted.text))).with_columns(
        pl.Series(PLACE, chunk.places.astype(np.uint64), dtype=pl.UInt64),
        nothing.alias(REST),
        nothing.alias(REASON),
        nothing.alias(EVIDENCE),
        pl.lit(None, pl.Binary).alias(RAW),
    )


def _are_braced(data: bytes, starts: Positions, ends: Positions) -> bool:
    """Tell whether the records begin with `{`, end with `}` and are not too large."""
    if not len(starts) or (starts >= ends).any() or (ends - starts).max() > MAX_RECORD_BYTES:
        return False
    letters = np.frombuffer(data, np.uint8)
    opened, closed = letters[starts] == ord("{"), letters[ends - 1] == ord("}")
    return bool((opened & closed).all())


def _read_objects(text: memoryview, wanted: Wanted) -> pa.Table | None:
    schema = pa.schema([(name, pa.large_string()) for name in wanted.text])
    try:
        table = pa_json.read_json(
            pa.BufferReader(text),
            # One block: its limits need not fall on line ends.
            pa_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
        )
        table.validate(full=True)
    except pa.ArrowInvalid:
        return None
    return table
