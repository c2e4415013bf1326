"""Opens a recipe's source: the readers of its inputs, and what identifies their content."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cotdata.errors import Location, SourceError
from cotdata.manifest import InputFile
from cotdata.sources.files import find_files
from cotdata.sources.hub.address import parse_hub_address
from cotdata.sources.hub.huggingface import HubReader
from cotdata.sources.hub.modelscope import ModelScopeReader
from cotdata.sources.local import LocalReader
from cotdata.sources.records import Reader
from cotdata.sources.source import Source
from cotdata.sources.source_file import is_url


@dataclass(frozen=True)
class Input:
    """One file, or one data set of a hub."""

    reader: Reader
    #: How `origin` names it: a file's path as the recipe has it, a hub's id with its revision.
    label: str
    #: Identifies the bytes: a file's SHA-256, a hub's revision, config and split.
    content: str
    bytes: int | None = None
    sha256: str | None = None
    #: Where a local file lies on this machine; never goes into a run's hashed files.
    place: Path | None = None
    #: Its inode, size and time of change when it was hashed.
    stamp: tuple[int, int, int] | None = None

    def check_unchanged(self) -> None:
        """Compare a local file with what it was when it was hashed.

        Raises:
            SourceError: If it was written in the meantime.
        """
        if self.place is not None and _stamp(self.place) != self.stamp:
            raise SourceError(
                "the file was changed while it was read",
                Location(self.label),
                "run the same command again when nothing writes to it",
            )

    def record(self, records: int) -> InputFile:
        """Return the manifest's entry for this input."""
        return InputFile(path=self.label, bytes=self.bytes, sha256=self.sha256, records=records)


@dataclass(frozen=True)
class OpenedSource:
    """A source whose inputs are found and identified, but not read."""

    source: Source
    inputs: Sequence[Input]
    revision: str | None


def open_source(source: Source, base: Path) -> OpenedSource:
    """Find a source's inputs and identify their content.

    Args:
        source: As the recipe has it.
        base: What relative paths are relative to: the recipe's folder.

    Raises:
        SourceError: If an input is missing, cannot be read, or is of no known format.
    """
    return _open_hub(source) if source.is_hub else _open_files(source, base)


def _open_files(source: Source, base: Path) -> OpenedSource:
    inputs = []
    for file in find_files(source.from_, base, source.format):
        place = None if is_url(file.path) else Path(file.path)
        stamp = _stamp(place) if place else None
        reader = LocalReader(file, source.format, source.encoding)
        sha256 = reader.sha256()
        inputs.append(
            Input(
                reader=reader,
                label=file.label,
                content=f"sha256:{sha256}",
                bytes=file.size,
                sha256=sha256,
                place=place,
                stamp=stamp,
            )
        )
    return OpenedSource(source, inputs, revision=None)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _open_hub(source: Source) -> OpenedSource:
    address = parse_hub_address(source.from_, source.revision)
    if source.from_.startswith("hf://"):
        reader: HubReader | ModelScopeReader = HubReader(
            address.dataset_id, source.config, source.split, address.revision, source.streaming
        )
    else:
        reader = ModelScopeReader(
            address.dataset_id, source.config, source.split, address.revision, source.streaming
        )
    resolved = reader.resolve()
    item = Input(reader=reader, label=resolved.label, content=resolved.content)
    return OpenedSource(source, [item], revision=resolved.revision)
