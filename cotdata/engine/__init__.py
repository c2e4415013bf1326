"""Where kernels run: engines move shards and keys, and know no meanings.

A shard is a file or a folder on a file system that every worker sees; what is in it is the
kernels' business. Whatever an engine makes appears whole (written beside, then renamed) and is not
made again where it stands, so that a killed build goes on where it was.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import polars as pl

#: Makes the third path from the first; the second is a read-only file for all shards, or None.
ShardKernel = Callable[[Path, Path | None, Path], None]
#: Decides over keys that are whole in one value.
KeyKernel = Callable[[pl.DataFrame], pl.DataFrame]


class Engine(Protocol):
    """Two methods are the whole protocol."""

    def map_shards(
        self, kernel: ShardKernel, shards: Sequence[Path], into: Path, shared: Path | None = None
    ) -> Iterator[Path]:
        """Run a kernel over every shard, in any order and any place.

        Yields one path in `into` for each shard, in the order of `shards`, named as the shard is,
        without its suffix.
        """
        ...

    def exchange(self, keys: Sequence[Path], by: str | None, kernel: KeyKernel, into: Path) -> Path:
        """Regroup key tables by value and run a kernel over whole partitions.

        `keys` are Arrow files of one schema. All keys with one value of the UInt64 column `by` are
        in one partition, in the order of the files; with `by` None all keys are. Returns an Arrow
        file with all results; its rows' order depends on neither workers nor partitions, because
        it is sorted by its first column.
        """
        ...
