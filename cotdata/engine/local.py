"""Runs kernels on this machine, in threads: polars and pyarrow leave the interpreter free."""

import os
import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import polars as pl

from cotdata.engine import KeyKernel, ShardKernel
from cotdata.engine.arrow_files import read_arrow, write_arrow

# Keys of one partition are decided in memory: 64 million rows of 16 to 40 bytes are a few GB.
KEYS_PER_PARTITION: Final = 64_000_000


class LocalEngine:
    """Threads over shards; as many shards in memory as there are workers."""

    def __init__(self, workers: int | None = None, keys_per_partition: int | None = None) -> None:
        self._workers = workers or os.cpu_count() or 1
        self._keys_per_partition = keys_per_partition or KEYS_PER_PARTITION

    def map_shards(
        self, kernel: ShardKernel, shards: Sequence[Path], into: Path, shared: Path | None = None
    ) -> Iterator[Path]:
        """Run a kernel over every shard; see `Engine.map_shards`."""
        into.mkdir(parents=True, exist_ok=True)
        waiting: deque[Future[Path]] = deque()
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="cotdata")
        try:
            for shard in shards:
                waiting.append(pool.submit(_make, kernel, shard, shared, into / shard.stem))
                if len(waiting) >= 2 * self._workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def exchange(self, keys: Sequence[Path], by: str | None, kernel: KeyKernel, into: Path) -> Path:
        """Regroup key tables by value; see `Engine.exchange`."""
        target = into / "table.arrow"
        if target.exists():
            return target
        into.mkdir(parents=True, exist_ok=True)
        frames = [read_arrow(path) for path in keys]
        total = sum(frame.height for frame in frames)
        count = 1 if by is None else 1 + total // self._keys_per_partition
        parts = [kernel(_partition(frames, by, part, count)) for part in range(count)]
        table = pl.concat(parts)
        scratch = Path(mkdtemp(prefix=".making-", dir=into))
        try:
            write_arrow(table.sort(table.columns[0]), scratch / target.name)
            (scratch / target.name).replace(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return target


def _partition(
    frames: Sequence[pl.DataFrame], by: str | None, part: int, count: int
) -> pl.DataFrame:
    if by is None or count == 1:
        return pl.concat(frames)
    return pl.concat(frame.filter(pl.col(by) % count == part) for frame in frames)


def _make(kernel: ShardKernel, shard: Path, shared: Path | None, target: Path) -> Path:
    """Make one shard whole, or not at all."""
    if target.exists():
        return target
    scratch = Path(mkdtemp(prefix=".making-", dir=target.parent))
    try:
        kernel(shard, shared, scratch / target.name)
        _put(scratch / target.name, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _put(made: Path, target: Path) -> None:
    try:
        made.rename(target)
    except OSError:
        # Another engine was first: a folder can't be renamed onto one, and theirs has the same.
        if not target.exists():
            raise
