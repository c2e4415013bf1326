"""What the command line changes in a recipe: `--source NAME=PATH` and `--set KEY=VALUE`."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cotdata.errors import Location, Problem, RecipeError
from cotdata.recipe.composer import parse
from cotdata.recipe.document import Document, Spot, ValuePath, has, value_at
from cotdata.recipe.wording import dotted, quote, suggest
from cotdata.sources.source import HUB_SCHEMES

#: What a source says about a hub's data set, and what about files.
HUB_SETTINGS = ("config", "split", "revision", "streaming")
FILE_SETTINGS = ("format", "encoding")


def pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """Return `KEY=VALUE` texts as a mapping.

    Raises:
        RecipeError: If one lacks its `=` or its key, or a key is given twice.
    """
    found: dict[str, str] = {}
    problems = []
    for text in given:
        key, equals, value = text.partition("=")
        where = Location(f"{option} {text}")
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
    problems: list[Problem] = []
    for name, path in sources.items():
        try:
            document = _with_source(document, name, path)
        except RecipeError as error:
            problems.extend(error.problems)
    for key, text in settings.items():
        try:
            document = _with_setting(document, key, text)
        except RecipeError as error:
            problems.extend(error.problems)
    if problems:
        raise RecipeError("the command line does not fit the recipe", problems=problems)
    return document


def _with_source(document: Document, name: str, path: str) -> Document:
    where = Location(f"--source {name}={path}")
    index = _entry(document.value, "sources", name, where)
    if not path:
        raise RecipeError("names no file", where, f"--source {name}=PATH")
    source = dict(_mapping(value_at(document.value, ("sources", index))))
    for setting in FILE_SETTINGS if path.startswith(HUB_SCHEMES) else HUB_SETTINGS:
        source.pop(setting, None)
    document = document.replaced(("sources", index), source, document.spots)
    place = path if "://" in path else _absolute(path)
    return _replace(document, ("sources", index, "from"), place, where)
