"""What pydantic finds wrong with a recipe, in the recipe's own words and with its place in it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from pydantic_core import ErrorDetails

from cotdata.errors import Location, Problem
from cotdata.recipe.document import Document, ValuePath, has, value_at
from cotdata.recipe.scalars import NumberTooLargeError, scalar_value
from cotdata.recipe.shape import Schema, choices_at, described_at, examples_at, keys_at
from cotdata.recipe.wording import dotted, quote, suggest

#: What each of pydantic's errors asks for; a bound stands in its context.
_WORDS: Final[Mapping[str, str]] = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "string_too_short": "text that is not empty",
    "too_short": "a list with at least one entry",
    "greater_than_equal": "{:g} or more",
    "greater_than": "more than {:g}",
    "less_than_equal": "{:g} or less",
    "less_than": "a number less than {:g}",
}
#: Kinds of stages that are no part of this version, where it does not know them.
_LATER_KINDS: Final = ("language", "cot_quality", "near_dedup", "decontaminate", "synthesize")
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%")
#: What YAML 1.1 took for booleans.
_OLD_BOOLEANS: Final = frozenset({"yes", "no", "on", "off", "y", "n"})


class _Fault(NamedTuple):
    """A problem before it has its place; `at_key` where the key is wrong, not its value."""

    path: ValuePath
    what: str
    fix: str | None = None
    at_key: bool = False


class Faults:
    """Turns pydantic's errors about one document into problems."""

    def __init__(self, document: Document, schema: Schema) -> None:
        self._document, self._schema = document, schema

    def problems(self, errors: Iterable[ErrorDetails]) -> list[Problem]:
        """Return the problems, one for each place and missing key."""
        grouped: defaultdict[tuple[ValuePath, object], list[ErrorDetails]] = defaultdict(list)
        for error in errors:
            path = self._path(error["loc"])
            # Entries that are wrong in themselves are not counted by pydantic, but they are there.
            if error["type"] == "too_short" and value_at(self._document.value, path):
                continue
            # Several errors for one value come from a union: to mend one of them is enough.
            key = error["loc"][-1] if error["type"] == "missing" else None
            grouped[path, key].append(error)
        return [self._problem(path, found) for (path, _), found in grouped.items()]

    def place(self, path: ValuePath, *, at_key: bool = False) -> Location:
        """Return where a value, or its key, was written."""
        spot = self._document.spot(path)
        where = (spot.key if at_key else None) or spot.value
        return where._replace(field=dotted(path) or None)

    def _path(self, loc: tuple[str | int, ...]) -> ValuePath:
        """Return the document's path for pydantic's, as far as the document goes."""
        steps = list(loc)
        # Pydantic names the member of a union, which nobody wrote.
        if steps[:1] == ["stages"]:
            del steps[2:3]
        elif steps[2:3] == ["adapter"]:
            del steps[3:4]
        path: ValuePath = ()
        for step in steps:
            if not has(value_at(self._document.value, path), step):
                break
            path = (*path, step)
        return path

    def _problem(self, path: ValuePath, errors: list[ErrorDetails]) -> Problem:
        fault = self._fault(path, errors[0]) or self._misfit(path, errors)
        return Problem(fault.what, self.place(fault.path, at_key=fault.at_key), fault.fix)

    def _fault(self, path: ValuePath, error: ErrorDetails) -> _Fault | None:
        """Return what is wrong where it isn't one value that doesn't fit."""
        context = error.get("ctx", {})
        match error["type"]:
            case "missing":
                key = str(error["loc"][-1])
                said = described_at(self._schema, self._document.value, (*path, key))
                fix = f"add `{key}: …`" + (f" ({said.rstrip('.')})" if said else "")
                return _Fault(path, f"lacks the key '{key}'", fix, at_key=True)
            case "extra_forbidden":
                keys = keys_at(self._schema, self._document.value, path[:-1])
                what = f"unknown key {quote(str(path[-1]))}"
                return _Fault(path, what, suggest(str(path[-1]), keys), at_key=True)
            case "union_tag_not_found":
                kinds = suggest("", choices_at(self._schema, {}, (*path, "kind")))
                return _Fault(path, "lacks the key 'kind'", kinds)
            case "union_tag_invalid":
                known = [tag.strip("'") for tag in context["expected_tags"].split(", ")]
                return _Fault((*path, "kind"), *_unknown_kind(str(context["tag"]), known))
            case "value_error":
                return _Fault(path, error["msg"].removeprefix("Value error, "))
            case _:
                return None

    def _misfit(self, path: ValuePath, errors: list[ErrorDetails]) -> _Fault:
        """Return what is wrong with one value."""
        value = value_at(self._document.value, path)
        if not path and value is None:
            return _Fault(path, "the recipe is empty", "`cotdata init FILE` proposes one")
        written = self._document.spot(path).written
        shown = _shown(value, written)
        kinds = {error["type"] for error in errors}
        if "literal_error" in kinds:
            choices = choices_at(self._schema, self._document.value, path)
            return _Fault(path, f"{shown} cannot stand here", suggest(written or "", choices))
        if "string_pattern_mismatch" in kinds:
            said = described_at(self._schema, self._document.value, path)
            return _Fault(path, f"{shown} cannot stand here", said)
        wanted = list(dict.fromkeys(self._wanted(path, error) for error in errors))
        if "a number" in wanted and "a whole number" in wanted:
            wanted.remove("a whole number")
        what = f"must be {' or '.join(wanted)}, not {shown}"
        if errors[0]["type"] not in _WORDS:
            what = errors[0]["msg"].replace("Input should be", "must be")
        fix = _hint(value, written, wanted) or self._described(path)
        return _Fault(path, what, fix)

    def _described(self, path: ValuePath) -> str | None:
        """Return what a key is for, where nothing better can be said."""
        said = described_at(self._schema, self._document.value, path)
        return f"`{path[-1]}`: {said.rstrip('.')}" if said and path else None

    def _wanted(self, path: ValuePath, error: ErrorDetails) -> str:
        if examples := examples_at(self._schema, self._document.value, path):
            return f"like {examples[0]}"
        return _WORDS.get(error["type"], "{}").format(*error.get("ctx", {}).values())


def _unknown_kind(kind: str, known: list[str]) -> tuple[str, str]:
    """Return what is wrong with a stage's kind, and what to do about it."""
    if kind == "mix":  # a stage that the manifest and the report show
        fix = "remove it: mixing follows from the sources' `weight`, `max_rows` and `repeat`"
        return "'mix' is not written as a stage", fix
    later = [name for name in _LATER_KINDS if name not in known]
    if kind in later:
        fix = f"remove the stage; this version has {', '.join(known)}"
        return f"the stage '{kind}' is not in this version of cotdata", fix
    near = get_close_matches(kind.lower(), [*known, *later], n=1)
    if near and near[0] in later:
        fix = f"'{near[0]}' is not in this version of cotdata; it has {', '.join(known)}"
        return f"{quote(kind)} is no stage", fix
    return f"{quote(kind)} is no stage", suggest(kind, known)


def _shown(value: object, written: str | None) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None:
        return written or "empty"
    return quote(str(value)) if isinstance(value, str) else str(written)


def _hint(value: object, written: str | None, wanted: list[str]) -> str | None:
    """Return what turns a value of the wrong type into the right one, where that can be told."""
    if value is None:
        return "give a value, or remove the line"
    if not isinstance(value, str):
        return f'write it in quotes: "{written}"' if written and "text" in wanted else None
    if (percent := _PERCENT.fullmatch(value)) and "a number" in wanted:
        return f"write {float(percent[1]) / 100:g}"
    if value.lower() in _OLD_BOOLEANS and "true or false" in wanted:
        return "write true or false"
    try:
        meant = scalar_value(value.replace("_", ""))
    except NumberTooLargeError:
        return None
    is_number = isinstance(meant, int | float)
    return f"write {meant}, without quotes or underscores" if is_number else None
