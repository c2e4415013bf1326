"""How the tests of the readers write a small file and read it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from cotdata.sources.files import find_files
from cotdata.sources.local import LocalReader
from cotdata.sources.records import EVIDENCE, RAW, REASON, REST, Batch, Wanted

A = Wanted(text=("a",))


@dataclass(frozen=True)
class Read:
    """All that a reader gave."""

    records: int
    frame: pl.DataFrame
    notes: dict[str, int]
    batches: list[Batch]

    def column(self, name: str) -> list[Any]:
        return self.frame[name].to_list()

    @property
    def reasons(self) -> list[str | None]:
        return self.column(REASON)

    @property
    def raw(self) -> list[bytes | None]:
        return self.column(RAW)

    @property
    def rest(self) -> list[str | None]:
        return self.column(REST)

    @property
    def evidence(self) -> list[Any]:
        return [None if text is None else orjson.loads(text) for text in self.column(EVIDENCE)]


def read_path(
    path: Path,
    wanted: Wanted = A,
    *,
    format: str | None = None,  # noqa: A002
    encoding: str | None = None,
    chunk_bytes: int = 1 << 20,
    first: int = 0,
    stop: int | None = None,
) -> Read:
    (file,) = find_files(path.name, path.parent)
    reader = LocalReader(file, format, encoding, chunk_bytes)
    batches = list(reader.batches(wanted, first, stop))
    frames = [batch.frame for batch in batches if batch.frame is not None]
    notes: Counter[str] = Counter()
    for batch in batches:
        assert batch.frame is None or batch.frame.height == batch.records
        notes.update(batch.notes)
    frame = pl.concat(frames) if frames else pl.DataFrame()
    return Read(sum(batch.records for batch in batches), frame, dict(notes), batches)


def read_bytes(folder: Path, name: str, data: bytes, wanted: Wanted = A, **settings: Any) -> Read:
    path = folder / name
    path.write_bytes(data)
    return read_path(path, wanted, **settings)
