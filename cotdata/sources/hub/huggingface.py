"""Reads a data set of the Hugging Face Hub, at one commit, through the `datasets` package.

The access token is the one that `huggingface_hub` finds (`HF_TOKEN`, or a login); the caches are
its own and those of `datasets`; `HF_HUB_OFFLINE` and `HF_ENDPOINT` mean what they mean there.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cotdata.errors import SourceError
from cotdata.sources.hub.address import (
    COMMIT,
    ResolvedDataset,
    check_choice,
    check_dataset_id,
)
from cotdata.sources.hub.cache import cached_builder, is_cached
from cotdata.sources.hub.quiet import hub_edge
from cotdata.sources.hub.split import DEFAULT_SPLIT, STREAM_ABOVE_BYTES, HubSplit, splits_of
from cotdata.sources.records import Batch, Peek, Wanted

# With more files than this a config is streamed without asking for their sizes.
_MAX_SIZED_FILES: Final = 1000
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
        return self._hub_split.peek("hf")

    def batches(self, wanted: Wanted, first: int, stop: int | None) -> Iterator[Batch]:
        """Read the records `first` (0-based) up to `stop` (exclusive; None: all).

        Records behind `stop` are counted without reading them where their number is known: from
        the copy on the disk, or, if the data set is streamed, from its card.

        Raises:
            SourceError: As `peek`; or if the connection breaks, after some minutes in which
                `datasets` tries again.
        """
        yield from self._hub_split.batches(wanted, first, stop)

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
        if known := splits_of(builder):
            check_choice("split", self._split, known, self.dataset_id)
        return builder

    def _cached_builder(self) -> Any:  # noqa: ANN401
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
    def _hub_split(self) -> HubSplit:
        return HubSplit(
            self._builder, self._split, is_streamed=self._is_streamed(), edge=self._edge
        )

    def _is_streamed(self) -> bool:
        if is_cached(self._builder):
            return False
        return self._has_large_files() if self.streaming is None else self.streaming

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

    def _edge(self) -> AbstractContextManager[None]:
        from cotdata.sources.hub.errors import explain_hub_error

        return hub_edge(lambda error: explain_hub_error(error, self.dataset_id, self.revision))


def _is_offline() -> bool:
    from datasets import config

    return bool(config.HF_HUB_OFFLINE)
