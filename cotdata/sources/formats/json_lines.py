"""Reads JSON Lines: a record on each line."""

from collections.abc import Iterable, Iterator

import numpy as np

from cotdata.sources.formats.chunk import MAX_KEPT_BYTES, Chunk, Positions, batches_of, trimmed
from cotdata.sources.formats.json_records import JsonParser
from cotdata.sources.formats.text_blocks import TextBlocks
from cotdata.sources.records import Batch, Wanted


def read_json_lines(
    blocks: TextBlocks, wanted: Wanted, first: int, stop: int | None
) -> Iterator[Batch]:
    """Read the records of a JSON Lines file; `PLACE` is the 1-based line number.

    Lines end in a line feed, with or without a carriage return before it. Lines of white space
    are passed over and counted as `blank_lines`.

    Raises:
        SourceError: The file is empty, or its compression is broken.
    """
    parser = JsonParser(blocks, wanted)
    yield from batches_of(line_chunks(blocks), parser.parse, first, stop)
    if blocks.notes:
        yield Batch(0, None, dict(blocks.notes))


def line_chunks(blocks: Iterable[bytes]) -> Iterator[Chunk]:
    """Cut text into chunks of whole lines; `places` are line numbers."""
    pending = Pending()
    line = 1
    for block in blocks:
        cut = block.rfind(b"\n") + 1
        if not cut:
            pending.add(block)
            continue
        # A view: the block is large, and is copied once.
        data, lost = pending.take(memoryview(block)[:cut])
        pending.add(block[cut:])
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
        yield _chunk_of_lines(data, ends, line, lost)
        line += len(ends)
    data, lost = pending.take(b"")
    if data:
        yield _chunk_of_lines(data, np.array([len(data)]), line, lost, is_open=True)


class Pending:
    """The beginning of a record that is not complete, up to `MAX_KEPT_BYTES` of it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._lost = 0

    def __len__(self) -> int:
        """Return the bytes that are kept."""
        return self._size

    def add(self, piece: bytes) -> None:
        """Append to the record. The pieces are joined once, so that its length costs no more."""
        kept = piece[: max(MAX_KEPT_BYTES - self._size, 0)]
        self._lost += len(piece) - len(kept)
        if kept:
            self._pieces.append(kept)
            self._size += len(kept)

    def take(self, rest: bytes | memoryview) -> tuple[bytes, int]:
        """Return all that is kept with `rest` behind it, and how many bytes between are lost."""
        data, lost = b"".join([*self._pieces, rest]), self._lost
        self._pieces, self._size, self._lost = [], 0, 0
        return data, lost


def _chunk_of_lines(
    data: bytes, ends: Positions, line: int, lost: int, *, is_open: bool = False
) -> Chunk:
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])
    places: Positions = np.arange(line, line + len(ends))
    inner_starts, inner_ends = trimmed(data, starts, ends)
    filled = inner_starts < inner_ends
    filled[0] |= lost > 0
    blank = len(ends) - int(filled.sum())
    if blank:
        starts, ends, places = starts[filled], ends[filled], places[filled]
    notes = {"blank_lines": blank} if blank else {}
    is_open = is_open and bool(filled[-1])
    return Chunk(data, starts, ends, places, is_open=is_open, lost=lost, notes=notes)
