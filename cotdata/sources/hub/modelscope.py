"""Reads a data set of ModelScope: its own package fetches the files, `datasets` reads them.

`MsDataset.load`, ModelScope's own way, is not used. It changes `datasets` for the whole process
(for good, if it streams), takes a branch's old copy for the branch, goes on with a part of the
files where listing them fails, and does not run with `datasets` 4.8.5 and newer (seen in
modelscope 1.40.2: `msdatasets/utils/hf_datasets_util.py`).

The access token is the one that the package finds (`MODELSCOPE_API_TOKEN`, or a login).
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from cotdata.errors import SourceError
from cotdata.sources.hub.address import ResolvedDataset, check_choice, check_dataset_id
from cotdata.sources.hub.modelscope_files import HubFile, fetch_files, list_files, snapshot_folder
from cotdata.sources.hub.quiet import hub_edge
from cotdata.sources.hub.split import DEFAULT_SPLIT, STREAM_ABOVE_BYTES, HubSplit, splits_of
from cotdata.sources.records import Batch, Peek, Wanted

DEFAULT_BRANCH: Final = "master"
#: `<branch>+<digest>`: what `revision` is resolved to. ModelScope names no commits of data sets,
#: so the digest of all files' names and hashes stands in their place.
_PINNED: Final = re.compile(r"(.+)\+([0-9a-f]{40})")


@dataclass(frozen=True)
class ModelScopeReader:
    """One split of a data set `owner/name`.

    The files are fetched once for each state of the data set, and read by `datasets`: see
    `HubReader` for what that does to the types, and for what `config` and `split` left out mean.
    `revision` is a branch or a tag, `master` if left out, or a resolved one, `<branch>+<digest>`:
    then the files must still be those, and once they are fetched no request is made. `streaming`
    means that `datasets` keeps no second copy of them; left out, it goes by their size. All is
    kept below `MODELSCOPE_CACHE`, in `cotdata`.
    """

    dataset_id: str
    config: str | None = None
    split: str | None = None
    revision: str | None = None
    streaming: bool | None = None

    def resolve(self) -> ResolvedDataset:
        """Return what exactly is read.

        Whether a config that is given and the split exist is found out by `peek`.

        Raises:
            SourceError: If the package `modelscope` is missing; if the data set, its revision,
                config or split does not exist, cannot be accessed or has changed since; or if
                ModelScope cannot be reached.
        """
        revision = f"{self._branch}+{self._digest}"
        config = self.config or str(self._builder.config.name)
        return ResolvedDataset(self.dataset_id, revision, config, self._split)

    def peek(self) -> Peek:
        """Look at the first 200 records.

        Raises:
            SourceError: As `resolve`; or if `datasets` cannot read the files.
        """
        return self._hub_split.peek("modelscope")

    def batches(self, wanted: Wanted, first: int, stop: int | None) -> Iterator[Batch]:
        """Read the records `first` (0-based) up to `stop` (exclusive; None: all).

        Raises:
            SourceError: As `peek`.
        """
        yield from self._hub_split.batches(wanted, first, stop)

    @property
    def _split(self) -> str:
        return self.split or DEFAULT_SPLIT

    @property
    def _branch(self) -> str:
        revision = self.revision or DEFAULT_BRANCH
        pinned = _PINNED.fullmatch(revision)
        return pinned[1] if pinned else revision

    @cached_property
    def _digest(self) -> str:
        check_dataset_id(self.dataset_id)
        pinned = _PINNED.fullmatch(self.revision or "")
        if pinned and snapshot_folder(self.dataset_id, pinned[2]).is_dir():
            return pinned[2]
        found = digest_of(self._files)
        if pinned and found != pinned[2]:
            raise SourceError(
                f"`{self.dataset_id}` has changed: `{self._branch}` is no longer `{self.revision}`",
                fix=f"set `revision: {self._branch}` to read what is there now",
            )
        return found

    @cached_property
    def _files(self) -> list[HubFile]:
        with self._edge():
            return list_files(self.dataset_id, self._branch)

    @cached_property
    def _folder(self) -> Path:
        folder = snapshot_folder(self.dataset_id, self._digest)
        if not folder.is_dir():
            with self._edge():
                fetch_files(self.dataset_id, self._branch, self._files, folder)
        return folder

    @cached_property
    def _builder(self) -> Any:  # noqa: ANN401
        from datasets import get_dataset_config_names, load_dataset_builder

        folder = str(self._folder)
        # Its own cache: `datasets` would take another state's copy, going by the files' names.
        cache = str(self._folder.parent / "arrow")
        with self._edge():
            try:
                builder = load_dataset_builder(folder, self.config, cache_dir=cache)
            except ValueError:
                check_choice(
                    "config", self.config, get_dataset_config_names(folder), self.dataset_id
                )
                raise
        if known := splits_of(builder):
            check_choice("split", self._split, known, self.dataset_id)
        return builder

    @cached_property
    def _hub_split(self) -> HubSplit:
        builder = self._builder
        is_streamed = self.streaming
        if is_streamed is None:
            sizes = (path.stat().st_size for path in self._folder.rglob("*") if path.is_file())
            is_streamed = sum(sizes) > STREAM_ABOVE_BYTES
        return HubSplit(builder, self._split, is_streamed=is_streamed, edge=self._edge)

    def _edge(self) -> AbstractContextManager[None]:
        from cotdata.sources.hub.modelscope_errors import explain_modelscope_error

        return hub_edge(
            lambda error: explain_modelscope_error(error, self.dataset_id, self._branch)
        )


def digest_of(files: list[HubFile]) -> str:
    """Return what identifies a state of a data set: the first 40 hex digits of a SHA-256.

    It is that of a line `<sha256>  <path>` for each file (its size where there is no hash), as
    `sha256sum` writes them, in byte order of the paths.
    """
    lines = [
        f"{file.sha256 or file.bytes}  {file.path}\n"
        for file in sorted(files, key=lambda file: file.path.encode())
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:40]
