"""A look at the first records of a file or of a list, as readers give it."""

import csv
import gzip
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson
import polars as pl

from cotdata.sources.records import Peek

FIRST = 200
KINDS = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
    list: "array",
    dict: "object",
}


def peek_at(records: Iterable[Mapping[str, object]]) -> Peek:
    examples = [dict(record) for record in records][:FIRST]
    kinds: dict[str, set[str]] = {}
    for example in examples:
        for column, value in example.items():
            kinds.setdefault(column, set()).add(KINDS[type(value)])
    return Peek("json", {name: frozenset(found) for name, found in kinds.items()}, examples)


def peek_file(path: Path) -> Peek:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        return peek_at(pl.read_parquet(path).head(FIRST).to_dicts())
    if name.endswith(".csv"):
        return peek_at(csv.DictReader(io.StringIO(data.decode())))
    if name.endswith(".jsonl") or not data.lstrip().startswith((b"[", b'{\n  "', b'{"')):
        return peek_at(_lines(data))
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return peek_at(_lines(data))
    if isinstance(document, dict):
        return peek_at({**record, "_key": key} for key, record in document.items())
    return peek_at(document)


def _lines(data: bytes) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in data.split(b"\n") if line.strip()][:FIRST]
