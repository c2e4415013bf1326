"""What the command line changes in a recipe: `--source NAME=PATH` and `--set KEY=VALUE`."""

import glob
import os
import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Final

from cotdata.errors import Location, Problem, RecipeError
from cotdata.recipe.composer import parse
from cotdata.recipe.document import SAVE_AS_UTF8, Document, Spot, ValuePath, decode, value_at
from cotdata.recipe.wording import dotted, quote, suggest
from cotdata.sources.source import HUB_SCHEMES
from cotdata.sources.source_file import readable
from cotdata.sources.urls import without_secrets

#: What a source says about a hub's data set, and what about files.
HUB_SETTINGS: Final = ("config", "split", "revision", "streaming")
FILE_SETTINGS: Final = ("format", "encoding")
_MODEL: Final = ("render", "model")
_INDEX: Final = re.compile(r"\[(\d+)\]")


def pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """Return `KEY=VALUE` texts as a mapping.

    Raises:
        RecipeError: If one lacks its `=` or its key, or a key is given twice.
    """
    found: dict[str, str] = {}
    problems = []
    for text in given:
        key, equals, value = text.partition("=")
        where = Location(f"{option} {without_secrets(text)}")
        if not (key and equals):
            problems.append(Problem("must be KEY=VALUE", where, f"for example {option} name=value"))
        elif key in found:
            problems.append(Problem(f"{quote(key)} is given twice", where, "give it once"))
        found[key] = value
    if problems:
        raise RecipeError("the command line is wrong", problems=problems)
    return found


def override(
    document: Document, sources: Mapping[str, str], settings: Mapping[str, str]
) -> Document:
    """Return the document with the command line's changes, the sources' first.

    Raises:
        RecipeError: With every key that fits nothing, and every value that cannot be read.
    """
    edited = _Edited(document)
    problems: list[Problem] = []
    for change, given in ((edited.set_source, sources), (edited.set_value, settings)):
        for key, text in given.items():
            try:
                change(key, text)
            except RecipeError as error:
                problems.extend(error.problems)
    if problems:
        raise RecipeError("the command line does not fit the recipe", problems=problems)
    return Document(document.file, edited.value, edited.spots)


class _Edited:
    """A copy of a document's value and spots, to be changed."""

    def __init__(self, document: Document) -> None:
        self.value = deepcopy(document.value)
        self.spots = dict(document.spots)

    def set_source(self, name: str, path: str) -> None:
        where = Location(f"--source {name}={without_secrets(path)}")
        if not path:
            raise RecipeError("names no file", where, f"--source {name}=PATH")
        entry = ("sources", _entry(self.value, ("sources",), name, where))
        source = value_at(self.value, entry)
        if isinstance(source, dict):
            is_hub = path.startswith(HUB_SCHEMES)
            for setting in FILE_SETTINGS if is_hub else HUB_SETTINGS:
                source.pop(setting, None)
        place = path if "://" in path else _absolute(path)
        check_is_text(place, where)
        self._put((*entry, "from"), place, {(): Spot(None, where, path)})

    def set_value(self, key: str, text: str) -> None:
        where = Location(f"--set {key}={without_secrets(text)}")
        path = self._path(key, where)
        try:
            given = parse(decode(text.encode(errors="surrogateescape"), where.file), where.file)
        except RecipeError as error:
            # A line and a column mean nothing on the command line.
            problems = [
                Problem(what, where, fix if fix != SAVE_AS_UTF8 else "write the value in UTF-8")
                for what, _, fix in error.problems
            ]
            raise RecipeError("the value cannot be read", problems=problems) from error
        spots = {below: Spot(None, where, spot.written) for below, spot in given.spots.items()}
        self._put(path, _with_model_from_here(path, given.value), spots)

    def _path(self, key: str, where: Location) -> ValuePath:
        """Return the path that a key such as `stages.length.min_chars` names."""
        steps = _INDEX.sub(r".\1", key).split(".")
        if not all(steps):
            raise RecipeError("a part of the key is empty", where, "for example --set seed=1")
        path: ValuePath = ()
        while steps:
            value = value_at(self.value, path)
            if isinstance(value, list):
                # Names may have dots in them: the longest that fits is meant.
                joined = [".".join(steps[:end]) for end in range(len(steps), 0, -1)]
                known = [name for name in joined if _matches(value, name)] or steps[:1]
                path = (*path, _entry(self.value, path, known[0], where))
                del steps[: known[0].count(".") + 1]
            elif isinstance(value, dict) or value is None:
                path = (*path, steps.pop(0))
            else:
                what = f"`{dotted(path)}` is a single value"
                raise RecipeError(what, where, f"--set {dotted(path)}=VALUE")
        return path

    def _put(self, path: ValuePath, value: object, spots: Mapping[ValuePath, Spot]) -> None:
        for end in range(1, len(path)):
            if value_at(self.value, path[:end]) is None:
                self._assign(path[:end], {})
                self.spots[path[:end]] = spots[()]
        self._assign(path, value)
        self.spots = {at: spot for at, spot in self.spots.items() if at[: len(path)] != path}
        self.spots |= {(*path, *below): spot for below, spot in spots.items()}

    def _assign(self, path: ValuePath, value: object) -> None:
        parent = value_at(self.value, path[:-1])
        if isinstance(parent, dict | list):
            parent[path[-1]] = value  # type: ignore[index]


def check_is_text(path: str, where: Location) -> None:
    """Refuse a path of the command line that a recipe, and so a manifest, could not name.

    Raises:
        RecipeError: If it holds bytes that are not UTF-8.
    """
    try:
        path.encode()
    except UnicodeEncodeError as error:
        what = f"the path {readable(path)} holds bytes that are not UTF-8"
        fix = "rename that file or folder; or name the folder above, whose files are read then"
        raise RecipeError(what, where, fix) from error


def _matches(entries: list[object], name: str) -> list[int]:
    """Return the entries that a name or a number means."""
    if name.isascii() and name.isdigit():
        return [int(name)] if len(name) < 10 and int(name) < len(entries) else []
    return [index for index, entry in enumerate(entries) if name in _names(entry)]


def _names(entry: object) -> list[str]:
    values = [value_at(entry, (key,)) for key in ("name", "kind")]
    return [value for value in values if isinstance(value, str)]


def _entry(document: object, path: ValuePath, name: str, where: Location) -> int:
    """Return the index of the source or stage that is meant.

    Raises:
        RecipeError: If none is, or more than one.
    """
    entries = value_at(document, path)
    if not isinstance(entries, list):
        raise RecipeError(f"the recipe has no list of {dotted(path)}", where, "correct the recipe")
    found = _matches(entries, name)
    if len(found) == 1:
        return found[0]
    if found:
        meant = " or ".join(f"{dotted((*path, index))}" for index in found)
        raise RecipeError(
            f"{quote(name)} is more than one of {dotted(path)}", where, f"say {meant}"
        )
    names = [known for entry in entries for known in _names(entry)[:1]]
    what = f"{quote(name)} is none of the recipe's {dotted(path)}"
    raise RecipeError(what, where, suggest(name, dict.fromkeys(names)))


def names_model(settings: Mapping[str, str]) -> bool:
    """Say whether the command line chooses the model that rows are rendered for."""
    return not {"render", ".".join(_MODEL)}.isdisjoint(settings)


def model_from_here(model: str) -> str:
    """Return a model as the command line names it, for a recipe's folder.

    What is a path, or a folder that is there, is relative to the working directory; all else is a
    hub's id.
    """
    # Of `os.path`, whose answer to a text that can be no path is no.
    is_path = model.startswith((".", "~", "/")) or os.path.exists(model)  # noqa: PTH110
    return os.path.abspath(os.path.expanduser(model)) if is_path else model  # noqa: PTH100, PTH111


def _with_model_from_here(path: ValuePath, value: object) -> object:
    """Return a value for a recipe's path, with the model in it as `model_from_here` says."""
    below = _MODEL[len(path) :] if _MODEL[: len(path)] == path else None
    match value:
        case str() if below == ():
            return model_from_here(value)
        case {"model": str(model), **others} if below == _MODEL[1:]:
            return {"model": model_from_here(model), **others}
        case _:
            return value


def _absolute(path: str) -> str:
    """Return a path of the command line, relative to the working directory, for a recipe's."""
    slash = "/" if path.endswith("/") else ""  # says that the folder's files are meant
    head, *below = path.split("/", 1)
    home = os.path.expanduser(head)  # noqa: PTH111 - leaves the name of no user as it is
    # Only what was typed can be a pattern: the folders that it lies in are meant as they are.
    if home != head:
        path = "/".join([glob.escape(home), *below])
    elif not path.startswith("/"):
        path = f"{glob.escape(str(Path.cwd()))}/{path}"
    return os.path.normpath(path) + slash
