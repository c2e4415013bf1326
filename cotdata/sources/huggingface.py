"""Reads a data set of the Hugging Face Hub, at one commit, through the `datasets` package.

The token is the one that `huggingface_hub` finds (`HF_TOKEN`, or a login); the caches are its own
and those of `datasets`; `HF_HUB_OFFLINE` and `HF_ENDPOINT` mean what they mean there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from cotdata.errors import SourceError
from cotdata.sources.hub_address import COMMIT, ResolvedDataset, is_dataset_id, near_miss
from cotdata.sources.hub_quiet import quiet_hub
from cotdata.sources.records import Batch, Peek, Wanted

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_SPLIT: Final = "train"
#: With `streaming` left out, a data set whose files are larger than this together is streamed. Up
#: to here a second build, which then reads from the disk, is worth the two copies that `datasets`
#: keeps (the files and their Arrow form); from here on the disk is worth more.
STREAM_ABOVE_BYTES: Final = 2 << 30
#: With more files than this the data set is streamed without asking for their sizes.
_MAX_SIZED_FILES: Final = 1000
#: Rows that are asked for at a time; larger batches are cut by their bytes.
_ITER_ROWS: Final = 4096
_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True)
class HubReader:
    """One split of a data set `owner/name`.

    Its records are what `datasets` makes of the files, in the order of the files; a label of a
    `ClassLabel` is its number. A data set made of JSON files has the types that `datasets` infers:
    where every value of a column looks like a point in time, that is what it is, and not text.

    `config` left out is the data set's default or only one; `split` left out is `train`;
    `revision` left out is the newest commit; `streaming` left out goes by the size of the files
    (`STREAM_ABOVE_BYTES`) and gives the same records either way.
    """

    dataset_id: str
    config: str | None = None
    split: str | None = None
    revision: str | None = None
    streaming: bool | None = None

    def resolve(self) -> ResolvedDataset:
        """Return what exactly is read.

        Makes no request if the recipe gives both a full commit and a config; a wrong config or
        split is then found by `peek`.

        Raises:
            SourceError: If the data set, its revision, config or split does not exist or cannot be
                accessed, or if the Hub cannot be reached.
        """
        pinned = self.revision is not None and COMMIT.fullmatch(self.revision) is not None
        config = self.config if pinned and self.config is not None else self._builder.config.name
        return ResolvedDataset(self.dataset_id, self._commit, config, self._split)

    def peek(self) -> Peek:
        """Look at the first records.

        Raises:
            SourceError: As `resolve`; or if the data set is none that `datasets` can read.
        """
        from cotdata.sources.arrow_records import peek_tables

        return peek_tables(self._tables(), "hf")

    def batches(self, wanted: Wanted, first: int, stop: int | None) -> Iterator[Batch]:
        """Read the records `first` (0-based) up to `stop` (exclusive; None: all).

        What lies after `stop` is not read where the count is known: from the prepared data set,
        or, if it is streamed, from its card.

        Raises:
            SourceError: As `peek`; or if the connection breaks.
        """
        from cotdata.sources.arrow_records import batches_of_tables

        total = self._dataset_rows
        yield from batches_of_tables(self._tables(), wanted, first, stop, total)

    @property
    def _split(self) -> str:
        return self.split or DEFAULT_SPLIT

    @cached_property
    def _commit(self) -> str:
        if not is_dataset_id(self.dataset_id):
            raise SourceError(
                f"`{self.dataset_id}` does not name a data set", fix="write it as OWNER/NAME"
            )
        if self.revision is not None and COMMIT.fullmatch(self.revision):
            return self.revision
        from huggingface_hub import HfApi

        with self._edge():
            info = HfApi().dataset_info(
                self.dataset_id, revision=self.revision, timeout=_TIMEOUT_S
            )
        if info.sha is None:
            raise SourceError(f"the Hub gives no commit for `{self.dataset_id}`")
        return info.sha
