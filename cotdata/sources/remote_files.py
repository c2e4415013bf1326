"""Which files an fsspec URL names."""

import os
from pathlib import PurePosixPath
from typing import Any, Final

import fsspec
from fsspec.core import url_to_fs

from cotdata.errors import Location, SourceError
from cotdata.sources.source_file import SourceFile, format_of, readable, reason_of
from cotdata.sources.urls import without_secrets

_MAGIC: Final = frozenset("*?[")
_EXTRAS: Final = {"s3": "cotdata[s3]", "s3a": "cotdata[s3]", "gs": "cotdata[gcs]"} | {
    "gcs": "cotdata[gcs]"
}


def find_remote_files(url: str, *, any_extension: bool) -> list[SourceFile]:
    """Return the files that an fsspec URL names: one file, a glob, or all data files of a folder.

    Labels are the paths below the part of the URL that has no wildcard; for one file, its name.

    Raises:
        SourceError: The scheme is unknown, its package is missing, or nothing is there.
    """
    system, path = _file_system(url)
    try:
        prefix, found = _listing(system, path, any_extension=any_extension)
        sizes = {name: system.info(name).get("size") for name in found}
    # A remote file system raises whatever its own client library raises.
    except Exception as error:
        raise SourceError(f"cannot be listed: {reason_of(error)}", _place(url)) from error
    if not found:
        raise SourceError(
            "no data file is there",
            _place(url),
            "check the address; for files without a known extension, set `format:`",
        )
    # Over HTTP a file's full name is its URL, with what the URL holds.
    above = without_secrets(prefix)
    labels = {name: without_secrets(name).removeprefix(above).lstrip("/") for name in found}
    return [
        SourceFile(system.unstrip_protocol(name), readable(labels[name]), sizes[name])
        for name in sorted(found, key=lambda name: os.fsencode(labels[name]))
    ]


def _place(url: str) -> Location:
    return Location(readable(without_secrets(url)))


def _file_system(url: str) -> tuple[Any, str]:
    scheme = url.split("://", 1)[0].rsplit("::", maxsplit=1)[-1].lower()
    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        package = _EXTRAS.get(scheme)
        fix = f"pip install '{package}'" if package else reason_of(error)
        what = f"reading `{scheme}://` needs a package that is not installed"
        raise SourceError(what, _place(url), fix) from error
    except ValueError as error:
        known = ", ".join(sorted(fsspec.available_protocols()))
        what = f"`{scheme}://` is no known kind of address"
        raise SourceError(what, _place(url), f"known are {known}") from error
    except Exception as error:
        what = f"cannot be reached: {reason_of(error)}"
        raise SourceError(what, _place(url)) from error
    return system, str(path)


def _listing(system: Any, path: str, *, any_extension: bool) -> tuple[str, list[str]]:  # noqa: ANN401
    """Return the part of the path that labels leave out, and the files' full names."""
    if system.isfile(path):
        return without_secrets(path).rpartition("/")[0], [path]
    if _MAGIC.intersection(path):
        parts = PurePosixPath(path).parts
        magic = next(i for i, part in enumerate(parts) if _MAGIC.intersection(part))
        found = [name for name in system.glob(path) if system.isfile(name)]
        return str(PurePosixPath(*parts[:magic])) if magic else "", found
    found = [name for name in system.find(path) if not _is_hidden(name.removeprefix(path))]
    known = [name for name in found if any_extension or format_of(PurePosixPath(name).name)]
    return path, known


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(name).parts)
