"""Packs a run's rows into sequences of `max_tokens` and writes them to `packed/`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from cotdata.engine.progress import Progress
from cotdata.manifest import OutputFile, PackingRecord
from cotdata.render.packing import PACKED_SCHEMA, pack_frames
from cotdata.run.record import output_file
from cotdata.stages.split import SPLITS
from cotdata.writers.parquet import write_parquet
from cotdata.writers.recut import recut

PACKED_FOLDER: Final = "packed"
#: Rows that are read from a file of the run at a time.
_BATCH_ROWS: Final = 4_096
_COLUMNS: Final = ("row_id", "input_ids", "labels")
#: Packed sequences of one file hold about this many bytes of ids, labels and positions.
FILE_BYTES: Final = 256 << 20


def pack_run(
    run: Path, outputs: Sequence[OutputFile], max_tokens: int, progress: Progress
) -> tuple[PackingRecord, list[OutputFile]]:
    """Pack each split of a run whose `data/` is written.

    Returns:
        What was packed, and the files that hold it.
    """
    files: list[OutputFile] = []
    rows, sequences, tokens = {}, {}, {}
    for split in SPLITS:
        data = [item for item in outputs if item.path.startswith(f"data/{split}-") and item.rows]
        if not data:
            continue
        rows[split] = sum(item.rows or 0 for item in data)
        progress.start(f"pack {split}", rows[split], "rows")
        written = _write(run, split, [run / item.path for item in data], max_tokens, progress)
        sequences[split] = sum(item.rows or 0 for item in written)
        tokens[split] = sum(_tokens(run / item.path) for item in written)
        files += written
    room = sum(sequences.values()) * max_tokens
    record = PackingRecord(
        max_tokens=max_tokens,
        rows=rows,
        sequences=sequences,
        tokens=tokens,
        utilisation=round(sum(tokens.values()) / room, 6) if room else 0.0,
    )
    return record, files


def packed_frames(
    files: Sequence[Path], max_tokens: int, progress: Progress
) -> Iterator[pl.DataFrame]:
    """Pack the rows of parquet files, in their order; the same files give the same frames."""
    return pack_frames(_rows(files, progress), max_tokens)


def _rows(files: Sequence[Path], progress: Progress) -> Iterator[pl.DataFrame]:
    for file in files:
        with pq.ParquetFile(file) as opened:
            for batch in opened.iter_batches(_BATCH_ROWS, columns=list(_COLUMNS)):
                frame = pl.DataFrame(batch)
                progress.advance(frame.height)
                yield frame


def _write(
    run: Path, split: str, files: Sequence[Path], max_tokens: int, progress: Progress
) -> list[OutputFile]:
    """Write a split's sequences to as many files as they need, named with their number."""
    (run / PACKED_FOLDER).mkdir(exist_ok=True)
    file_rows = max(1, FILE_BYTES // (12 * max_tokens))
    made: list[tuple[Path, int]] = []
    for part in recut(packed_frames(files, max_tokens, progress), file_rows, 2 * FILE_BYTES):
        path = run / PACKED_FOLDER / f"{split}-{len(made):05}"
        made.append((path, write_parquet([part], PACKED_SCHEMA, path)))
    outputs = []
    for path, rows in made:
        named = path.with_name(f"{path.name}-of-{len(made):05}.parquet")
        path.rename(named)
        outputs.append(output_file(run, named).model_copy(update={"rows": rows}))
    return outputs


def _tokens(file: Path) -> int:
    return int(pl.scan_parquet(file).select(pl.col("n_tokens").sum()).collect().item())
