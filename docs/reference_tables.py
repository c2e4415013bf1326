"""Turns models, schemas and docstrings into the tables and paragraphs of the reference."""

import inspect
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

_NUMBERS: Final = {"integer": "whole number", "number": "number"}
_WORDS: Final = {"string": "text", "boolean": "true or false", "null": "null", "object": "mapping"}
_BOUNDS: Final = {
    "minimum": "{:g} or more",
    "exclusiveMinimum": "more than {:g}",
    "maximum": "{:g} or less",
    "exclusiveMaximum": "less than {:g}",
}
#: A bound that says no more than "the largest whole number that JSON keeps exactly".
_HUGE: Final = 2**53


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |\n"
        for line in lines
    )


def settings_table(
    model: type[BaseModel],
    *,
    skip: Sequence[str] = (),
    types: Mapping[str, str] | None = None,
    meanings: Mapping[str, str] | None = None,
) -> str:
    """Return a table of a model's keys: type, default and meaning.

    Args:
        model: The settings.
        skip: Keys that are left out.
        types: What to write instead of what the schema says.
        meanings: For keys that the model itself does not describe.
    """
    schema = model.model_json_schema()
    rows = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in skip:
            continue
        default = "**required**" if field.is_required() else f"`{_plain(field.get_default())}`"
        kind = (types or {}).get(key) or type_of(schema["properties"][key])
        rows.append([f"`{key}`", kind, default, field.description or (meanings or {})[key]])
    return table(["key", "type", "default", "meaning"], rows)


def fields_table(model: type[BaseModel], meanings: Mapping[str, str]) -> str:
    """Return a table of a record's fields: type and meaning.

    Args:
        model: The record.
        meanings: For fields that the model itself does not describe.
    """
    properties = model.model_json_schema(mode="serialization")["properties"]
    rows = [
        [f"`{key}`", type_of(schema), schema.get("description") or meanings[key]]
        for key, schema in properties.items()
    ]
    return table(["field", "type", "meaning"], rows)


def reasons_table(reasons: Mapping[str, str]) -> str:
    """Return a table of reasons, what each means and what its evidence holds."""
    rows = []
    for reason, text in reasons.items():
        meaning, _, evidence = text.partition(" Evidence: ")
        rows.append([f"`{reason}`", meaning, evidence or "none"])
    return table(["reason", "meaning", "evidence"], rows)


def type_of(schema: Mapping[str, Any]) -> str:
    """Say in words what a JSON Schema takes."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for options in (schema.get("anyOf"), schema.get("oneOf")):
        if options:
            return " or ".join(dict.fromkeys(type_of(option) for option in options))
    if "const" in schema:
        return f"`{_plain(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    return _plain_type(schema)


def _plain_type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "any")
    if kind == "array":
        least = " (at least one)" if schema.get("minItems") else ""
        return f"list{least} of {type_of(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"mapping of names to {type_of(schema['additionalProperties'])}"
    if kind in _NUMBERS:
        bounds = [
            words.format(schema[bound])
            for bound, words in _BOUNDS.items()
            if bound in schema and schema[bound] != _HUGE
        ]
        return f"{_NUMBERS[kind]} ({', '.join(bounds)})" if bounds else _NUMBERS[kind]
    if examples := schema.get("examples"):
        return f"text such as `{examples[0]}`"
    return str(_WORDS.get(kind, kind))


def paragraphs(documented: object) -> str:
    """Return a docstring as paragraphs, without its sections (`Args:`, `Raises:`, …)."""
    text = inspect.getdoc(documented) or ""
    return re.split(r"\n(?:Args|Returns|Raises|Yields):\n", text)[0].strip() + "\n"


def beyond_first_line(documented: object) -> str:
    """Return a docstring's paragraphs but for the first line."""
    return paragraphs(documented).partition("\n")[2].strip()


def raised_by(documented: object) -> dict[str, str]:
    """Return the errors of a docstring's `Raises:` section, and when each is raised."""
    text = inspect.getdoc(documented) or ""
    section = re.search(r"\nRaises:\n((?: {4}.*(?:\n|\Z))+)", text)
    if not section:
        return {}
    entries = re.split(r"\n {4}(?=\w)", "\n" + section[1].rstrip())
    pairs = (entry.partition(":") for entry in entries if entry)
    return {name.strip(): " ".join(when.split()) for name, _, when in pairs}


def member_comments(documented: type) -> dict[str, str]:
    """Return what the `#:` comments of a class say of its members."""
    found: dict[str, str] = {}
    comment: list[str] = []
    for line in inspect.getsource(documented).splitlines():
        stripped = line.strip()
        if stripped.startswith("#:"):
            comment.append(stripped.removeprefix("#:").strip())
        else:
            member = re.match(r"(\w+)\s*[:=]", stripped)
            if member and comment:
                found[member[1]] = " ".join(comment)
            comment = []
    return found


def _plain(value: object) -> str:
    """Write a value as a recipe has it."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, str):
        return value
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
