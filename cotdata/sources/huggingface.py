"""Reads a data set of the Hugging Face Hub, at one commit, through the `datasets` package.

The access token is the one that `huggingface_hub` finds (`HF_TOKEN`, or a login); the caches are
its own and those of `datasets`; `HF_HUB_OFFLINE` and `HF_ENDPOINT` mean what they mean there.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from cotdata.errors import CotdataError, SourceError
from cotdata.sources.hub_address import (
    COMMIT,
    ResolvedDataset,
    check_choice,
    check_dataset_id,
)
from cotdata.sources.hub_quiet import quiet_hub
from cotdata.sources.records import Batch, Peek, Wanted

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_SPLIT: Final = "train"
#: With `streaming` left out, a config whose files are larger than this together is streamed. Up
#: to here the two copies that `datasets` keeps on the disk (the files and their Arrow form) are a
#: good price for a second build that needs no download; beyond, they may fill it.
STREAM_ABOVE_BYTES: Final = 2 << 30
# With more files than this a config is streamed without asking for their sizes.
_MAX_SIZED_FILES: Final = 1000
# Rows that `datasets` is asked for at a time; what is too large is cut further by its bytes.
_ITER_ROWS: Final = 4096
_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True)
class HubReader:
    """One split of a data set `owner/name`.

    The records are what `datasets` makes of the files, in the order of the files. A label of a
    `ClassLabel` is its number. Where the data set's card names no types, those of JSON and CSV
    files are inferred: a column in which every value looks like a point in time is one, not text;
    in a column of mixed types the text `5` is no longer told from the number 5 (noted as
    `mixed_types`). A local copy of such files is read record by record, as it is.

    `config` left out is the data set's default, or its only one; `split` left out is `train`;
    `revision` left out is the newest commit; `streaming` left out goes by the size of the files
    (`STREAM_ABOVE_BYTES`). The records are the same either way.
    """

    dataset_id: str
    config: str | None = None
    split: str | None = None
    revision: str | None = None
    streaming: bool | None = None

    def resolve(self) -> ResolvedDataset:
        """Return what exactly is read.

        Makes no request if both a full commit and a config are given; whether the config and the
        split exist is then found out by `peek`.

        Raises:
            SourceError: If the data set, its revision, config or split does not exist or cannot be
                accessed, or if the Hub cannot be reached.
        """
        if self.config is not None and self._is_pinned:
            config = self.config
        else:
            config = str(self._builder.config.name)
        return ResolvedDataset(self.dataset_id, self._commit, config, self._split)

    def peek(self) -> Peek:
        """Look at the first 200 records.

        Raises:
            SourceError: As `resolve`; or if `datasets` cannot read the data set.
        """
        from cotdata.sources.hub_tables import PEEKED_RECORDS, peek_tables

        return peek_tables(self._tables(PEEKED_RECORDS), "hf")

    def batches(self, wanted: Wanted, first: int, stop: int | None) -> Iterator[Batch]:
        """Read the records `first` (0-based) up to `stop` (exclusive; None: all).

        Records behind `stop` are counted without reading them where their number is known: from
        the copy on the disk, or, if the data set is streamed, from its card.

        Raises:
            SourceError: As `peek`; or if the connection breaks, after some minutes in which
                `datasets` tries again.
        """
        from cotdata.sources.hub_tables import read_tables

        # No more at a time than is asked for, so that a short slice does not open the next file.
        rows = _ITER_ROWS if stop is None else max(min(_ITER_ROWS, stop), 1)
        yield from read_tables(self._tables(rows), wanted, first, stop, self._known_rows())

    @property
    def _split(self) -> str:
        return self.split or DEFAULT_SPLIT

    @property
    def _is_pinned(self) -> bool:
        return COMMIT.fullmatch(self.revision or "") is not None

    @cached_property
    def _commit(self) -> str:
        check_dataset_id(self.dataset_id)
        if self.revision is not None and self._is_pinned:
            return self.revision
        if _is_offline():
            raise SourceError(
                f"`{self.dataset_id}`: offline, the newest commit cannot be asked for",
                fix="set `revision` to a full commit that is in the cache, or use a local copy "
                "(`--source NAME=PATH`)",
            )
        return self._asked_commit()

    def _asked_commit(self) -> str:
        from huggingface_hub import HfApi

        with self._edge():
            info = HfApi().dataset_info(self.dataset_id, revision=self.revision, timeout=_TIMEOUT_S)
        if info.sha is None:
            raise SourceError(f"`{self.dataset_id}`: the Hub names no commit")
        return str(info.sha)

    @cached_property
    def _builder(self) -> Any:  # noqa: ANN401
        builder = self._cached_builder() if _is_offline() else self._online_builder()
        # When something fails, `datasets` takes the newest copy in its cache, of any revision.
        if builder.hash != self._commit:
            builder = self._cached_builder()
        known = builder.config.data_files or builder.info.splits
        if known:
            check_choice("split", self._split, [str(name) for name in known], self.dataset_id)
        return builder

    def _cached_builder(self) -> Any:  # noqa: ANN401
        from cotdata.sources.hub_cache import cached_builder

        with self._edge():
            return cached_builder(self.dataset_id, self.config, self._commit)

    def _online_builder(self) -> Any:  # noqa: ANN401
        from datasets import get_dataset_config_names, load_dataset_builder

        commit = self._commit
        if self._is_pinned:
            try:
                # `datasets` would try for half a minute, and then not say what stands in the way.
                self._asked_commit()
            except SourceError:
                with suppress(SourceError):
                    return self._cached_builder()
                raise
        # The prefix keeps `datasets` from reading a local folder that has the data set's name.
        path = f"hf://datasets/{self.dataset_id}"
        with self._edge():
            try:
                return load_dataset_builder(path, self.config, revision=commit)
            except ValueError:
                names = get_dataset_config_names(path, revision=commit)
                check_choice("config", self.config, names, self.dataset_id)
                raise

    @cached_property
    def _is_streamed(self) -> bool:
        from datasets.packaged_modules.cache.cache import Cache

        if isinstance(self._builder, Cache):
            return False
        if self.streaming is not None:
            return self.streaming
        return self._has_large_files()

    def _has_large_files(self) -> bool:
        from huggingface_hub import HfApi
        from huggingface_hub.hf_api import RepoFile

        files = {file for files in self._builder.config.data_files.values() for file in files}
        if len(files) > _MAX_SIZED_FILES:
            return True
        prefix = f"hf://datasets/{self.dataset_id}@{self._commit}/"
        with self._edge():
            found = HfApi().get_paths_info(
                self.dataset_id,
                sorted(str(file).removeprefix(prefix) for file in files),
                repo_type="dataset",
                revision=self._commit,
            )
        sizes = (file.size for file in found if isinstance(file, RepoFile))
        return sum(sizes) > STREAM_ABOVE_BYTES

    @cached_property
    def _dataset(self) -> Any:  # noqa: ANN401
        builder = self._builder
        is_streamed = self._is_streamed
        with self._edge():
            if is_streamed:
                return _with_types(builder.as_streaming_dataset(self._split)).with_format("arrow")
            # The counts on a card may be out of date; those of the files are what counts.
            builder.download_and_prepare(verification_mode="no_checks")
            return builder.as_dataset(self._split).with_format("arrow")

    def _known_rows(self) -> int | None:
        if not self._is_streamed:
            return len(self._dataset)
        splits = self._builder.info.splits or {}
        return splits[self._split].num_examples or None if self._split in splits else None

    def _tables(self, rows: int) -> Iterator["pa.Table"]:
        tables = self._dataset.iter(batch_size=rows)
        for _ in count():
            with self._edge():
                table = next(tables, None)
            if table is None:
                return
            yield table

    @contextmanager
    def _edge(self) -> Iterator[None]:
        from cotdata.sources.hub_errors import explain_hub_error

        try:
            with quiet_hub():
                yield
        except CotdataError:
            raise
        except Exception as error:
            raise explain_hub_error(error, self.dataset_id, self.revision) from error


def _with_types(dataset: Any) -> Any:  # noqa: ANN401
    """Give a streamed data set the types of its first record, as the copy on the disk has them."""
    if dataset.features is not None:
        return dataset
    from datasets import Features

    first = next(dataset.with_format("arrow").iter(batch_size=1), None)
    return dataset if first is None else dataset.cast(Features.from_arrow_schema(first.schema))


def _is_offline() -> bool:
    from datasets import config

    return bool(config.HF_HUB_OFFLINE)
