"""What one input file is: where it is opened, how people see it, and what its name says of it."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Literal, cast, get_args

import fsspec

from cotdata.errors import Location, SourceError
from cotdata.sources.urls import without_secrets

Format = Literal["jsonl", "json", "csv", "tsv", "parquet", "arrow"]

FORMATS: Final[tuple[Format, ...]] = get_args(Format)
EXTENSIONS: Final[dict[str, Format]] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
COMPRESSED_EXTENSIONS: Final = {".gz": "gzip", ".zst": "zstd"}

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?:::[A-Za-z][A-Za-z0-9+.-]*)*://")


@dataclass(frozen=True)
class SourceFile:
    """One input file.

    `path` is a local path or an fsspec URL, and never shown; `label` is how `origin` and errors
    name the file; `size` is in bytes, None where a remote file system does not say.
    """

    path: str
    label: str
    size: int | None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self.path).name

    def open(self) -> BinaryIO:
        """Open the stored bytes for reading, seekable.

        Raises:
            SourceError: The file cannot be opened.
        """
        try:
            if is_url(self.path):
                return cast("BinaryIO", fsspec.open(self.path, "rb").open())
            return Path(self.path).open("rb")
        except PermissionError as error:
            raise SourceError(
                "the file may not be read (permission denied)",
                Location(self.label),
                "give your user the right to read it: chmod u+r FILE",
            ) from error
        # A remote file system raises whatever its own client library raises.
        except Exception as error:
            raise SourceError(
                f"the file cannot be opened: {reason_of(error)}", Location(self.label)
            ) from error


def is_url(pattern: str) -> bool:
    """Tell whether a path is an fsspec URL (`s3://…`, `memory://…`)."""
    return _URL.match(pattern) is not None


def format_of(name: str) -> Format | None:
    """Return the format that a file's name says, a compression's extension passed over."""
    path = PurePosixPath(name.lower())
    if path.suffix in COMPRESSED_EXTENSIONS:
        path = path.with_suffix("")
    return EXTENSIONS.get(path.suffix)


def readable(name: str) -> str:
    r"""Return a file name with everything that would break a line or a terminal escaped.

    Control and other unprintable characters become `\n`, `\x1b`, `\u202e`; bytes that are not
    UTF-8 become `\xff`; a backslash is doubled, so that no two names look the same.
    """
    return "".join(_escaped(character) for character in name)


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # how Python carries a byte that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    if character == "\\" or not character.isprintable():
        return character.encode("unicode_escape").decode("ascii")
    return character


def reason_of(error: BaseException) -> str:
    """Return what another library's error says, on one line, without this machine's paths."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(readable(without_secrets(text)).split()) or type(error).__name__
