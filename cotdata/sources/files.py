"""Which files a recipe's `from` names, in an order that is the same everywhere."""

import errno
import glob
import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Final

from cotdata.errors import Location, SourceError
from cotdata.sources.remote_files import find_remote_files
from cotdata.sources.source_file import (
    COMPRESSED_EXTENSIONS,
    EXTENSIONS,
    SourceFile,
    format_of,
    is_url,
    readable,
)

__all__ = ["SourceFile", "find_files"]

_MAGIC: Final = frozenset("*?[")
_ESCAPED: Final = re.compile(r"\[([*?[])\]")  # as `glob.escape` writes it
_LOOP_FIX: Final = "the link leads back to itself: remove it, or let it point to a file"
# `Dataset.save_to_disk` writes them beside its Arrow files; they hold no records.
_ARROW_COMPANIONS: Final = frozenset({"dataset_info.json", "dataset_dict.json", "state.json"})


def find_files(pattern: str, base: Path, format: str | None = None) -> list[SourceFile]:  # noqa: A002
    """Return the files that a path, a glob (`**` too), a folder or an fsspec URL names.

    Files come in byte order of their names below the part of `pattern` that has no wildcard. A
    folder gives all files beneath it whose extension is known (all files, where the recipe sets a
    `format`); hidden files are passed over. A linked folder is read once, under its own name.

    Args:
        pattern: What the recipe says; relative to `base`.
        base: The recipe's folder.
        format: The recipe's `format:` setting, which makes extensions irrelevant.

    Raises:
        SourceError: Nothing is there, or it cannot be read.
    """
    if "\0" in pattern or not pattern:
        raise SourceError("the path is empty or holds a NUL character", Location(readable(pattern)))
    if pattern.lower().startswith("file://"):
        pattern = pattern[len("file://") :]
    elif is_url(pattern):
        return find_remote_files(pattern, any_extension=format is not None)
    root, parts = _split(pattern, base)
    try:
        return _find_local(pattern, root, parts, any_extension=format is not None)
    except PermissionError as error:
        place = Location(readable(pattern))
        fix = "give your user the right to read it: chmod -R u+rX PATH"
        raise SourceError("may not be read (permission denied)", place, fix) from error
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        is_loop = error.errno == errno.ELOOP
        fix = _LOOP_FIX if is_loop else "check the path, or copy the file to a place that is read"
        raise SourceError(what, Location(readable(pattern)), fix) from error


def _split(pattern: str, base: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the folder that a pattern starts from, whose name is no pattern, and its parts."""
    parts = Path(pattern).parts
    if not pattern.startswith("~"):
        return (Path(parts[0]), parts[1:]) if pattern.startswith("/") else (base, parts)
    try:
        return Path(parts[0]).expanduser(), parts[1:]
    except RuntimeError as error:
        what = f"`{readable(parts[0])}` is the home of no user of this machine"
        fix = f"write the whole path; for a name that begins with ~, ./{readable(pattern)}"
        raise SourceError(what, Location(readable(pattern)), fix) from error


def _find_local(
    pattern: str, root: Path, parts: tuple[str, ...], *, any_extension: bool
) -> list[SourceFile]:
    path = root.joinpath(*parts)
    if not _is_there(path) and _MAGIC.intersection(pattern):
        names = [_literal(part) for part in parts]
        if None in names:
            return _files_of_glob(pattern, root, parts)
        path = root.joinpath(*filter(None, names))
        pattern = _unescaped(pattern)
    if _is_there(path):
        if not path.is_dir():
            return [_single(pattern, path)]
        if format_of(path.name) is not None and not pattern.endswith("/"):
            raise SourceError(
                "is a folder, although its name looks like a file's",
                Location(readable(pattern)),
                f"write {readable(pattern)}/ to read the files in it",
            )
        return _files_of_folder(pattern, path, any_extension=any_extension)
    raise _missing(pattern, path)


def _unescaped(pattern: str) -> str:
    return _ESCAPED.sub(r"\1", pattern)


def _literal(part: str) -> str | None:
    """Return the only name that a part of a glob matches, None where there may be more."""
    name = _unescaped(part)
    return name if glob.escape(name) == part else None


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _single(pattern: str, path: Path) -> SourceFile:
    _check_regular(path, readable(pattern))
    shown = path.name if _is_absolute(pattern) else str(PurePosixPath(pattern))
    return SourceFile(str(path), readable(shown), path.stat().st_size)


def _check_regular(path: Path, label: str) -> None:
    if not path.is_file():
        if path.is_symlink() and not path.exists():
            what = "is a link that leads to no file"
            raise SourceError(what, Location(label), "remove it, or let it point to a file")
        raise SourceError(
            "is not a regular file (a pipe, a socket or a device)",
            Location(label),
            "write its content to a file first: a build reads its input more than once",
        )


def _is_absolute(pattern: str) -> bool:
    return pattern.startswith(("/", "~"))


def _files_of_folder(pattern: str, folder: Path, *, any_extension: bool) -> list[SourceFile]:
    found = [
        name
        for name in _beneath(folder)
        if any_extension or format_of(PurePosixPath(name).name) is not None
    ]
    if any(format_of(name) == "arrow" for name in found):
        found = [name for name in found if PurePosixPath(name).name not in _ARROW_COMPANIONS]
    if not found:
        known = ", ".join(sorted([*EXTENSIONS, *(f".…{end}" for end in COMPRESSED_EXTENSIONS)]))
        raise SourceError(
            "the folder holds no data file",
            Location(readable(pattern)),
            f"files with these extensions are read: {known}; for others, set `format:`",
        )
    return _in_order(pattern, folder, found)


def _files_of_glob(pattern: str, root: Path, parts: tuple[str, ...]) -> list[SourceFile]:
    above = [
        name for name in takewhile(lambda name: name is not None, map(_literal, parts)) if name
    ]
    magic = len(above)
    folder = root.joinpath(*above)
    found = {name for name in _matching(folder, parts[magic:]) if (folder / name).is_file()}
    if not found:
        nothing = "no file matches" if _is_there(folder) else "no file matches: no such folder"
        raise SourceError(
            nothing,
            Location(readable(pattern)),
            "check the pattern: `*` stands for any name, `**` for any folders; hidden files "
            "must be named with their dot",
        )
    prefix = "/" if _is_absolute(pattern) else str(Path(*above))
    return _in_order(prefix, folder, sorted(found))


def _in_order(prefix: str, folder: Path, names: list[str]) -> list[SourceFile]:
    """Describe the files `names` below `folder`, which the recipe calls `prefix`."""
    above = PurePosixPath("" if _is_absolute(prefix) else prefix)
    files = []
    for name in sorted(names, key=os.fsencode):
        label = readable(str(above / name))
        _check_regular(folder / name, label)
        files.append(SourceFile(str(folder / name), label, (folder / name).stat().st_size))
    return files


def _beneath(folder: Path) -> Iterator[str]:
    """Give all files that are not hidden, as names below `folder`; every folder is read once."""
    seen: set[tuple[int, int]] = set()
    # Real folders go before linked ones, so that a folder is found under its own name.
    real, linked = [(folder, "")], list[tuple[Path, str]]()
    while real or linked:
        place, name = real.pop() if real else linked.pop()
        stat = place.stat()
        if (stat.st_dev, stat.st_ino) in seen:
            continue
        seen.add((stat.st_dev, stat.st_ino))
        for child in sorted(os.scandir(place), key=_bytes_of_name, reverse=True):
            if child.name.startswith("."):
                continue
            if not _is_folder(child):
                yield name + child.name
            elif child.is_symlink():
                linked.append((Path(child.path), f"{name}{child.name}/"))
            else:
                real.append((Path(child.path), f"{name}{child.name}/"))


def _bytes_of_name(child: os.DirEntry[str]) -> bytes:
    return os.fsencode(child.name)


def _is_folder(child: os.DirEntry[str]) -> bool:
    try:
        return child.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _matching(folder: Path, parts: tuple[str, ...]) -> Iterator[str]:
    """Give the names below `folder` that match the parts of a glob."""
    if not folder.is_dir():
        return
    if parts[0] == "**":
        below = parts[1:] or ("*",)
        yield from (name for name in _beneath(folder) if _fits(PurePosixPath(name).parts, below))
        return
    for child in os.scandir(folder):
        hidden = child.name.startswith(".") and not parts[0].startswith(".")
        if hidden or not fnmatchcase(child.name, parts[0]):
            continue
        if len(parts) == 1:
            yield child.name
        elif _is_folder(child):
            below_child = _matching(Path(child.path), parts[1:])
            yield from (f"{child.name}/{name}" for name in below_child)


def _fits(name: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    """Tell whether a name ends as the parts say, with any folders before."""
    if "**" not in parts:
        tail = name[len(name) - len(parts) :]
        return len(tail) == len(parts) and all(map(fnmatchcase, tail, parts))
    cut = parts.index("**")
    head, below = parts[:cut], parts[cut + 1 :] or ("*",)
    return any(
        all(map(fnmatchcase, name[at : at + cut], head)) and _fits(name[at + cut :], below)
        for at in range(len(name) - cut)
    )


def _missing(pattern: str, path: Path) -> SourceError:
    folder = path.parent
    while not _is_there(folder):
        path, folder = folder, folder.parent
    there = folder.iterdir() if folder.is_dir() else ()
    names = sorted(readable(child.name) for child in there if not child.name.startswith("."))
    # What the command line names is absolute by now, and was relative to the working directory.
    relative = "" if _is_absolute(pattern) else "paths are relative to the recipe; "
    near = get_close_matches(readable(path.name), names, n=3)
    if near:
        fix = "did you mean " + " or ".join(f"`{name}`" for name in near) + "?"
    elif names:
        shown = ", ".join(f"`{name}`" for name in names[:8]) + (", …" if len(names) > 8 else "")
        fix = f"{relative}there: {shown}"
    else:
        fix = f"{relative}nothing is there"
    what = f"there is no `{readable(path.name)}`"
    return SourceError(what, Location(readable(pattern)), fix)
