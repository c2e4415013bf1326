"""What may stand at a place of a recipe: its JSON Schema, followed along a path."""

from collections.abc import Iterator, Mapping
from typing import Any

from cotdata.recipe.document import ValuePath, has, value_at

Schema = Mapping[str, Any]


def keys_at(root: Schema, value: object, path: ValuePath) -> list[str]:
    """Return the keys that a mapping at this place may have."""
    keys = [key for shape in _at(root, value, path) for key in shape.get("properties", ())]
    return list(dict.fromkeys(keys))


def choices_at(root: Schema, value: object, path: ValuePath) -> list[str]:
    """Return the words that may stand at this place, where it takes only certain words."""
    shapes = list(_at(root, value, path))
    words = [word for shape in shapes for word in shape.get("enum", ())]
    words += [shape["const"] for shape in shapes if "const" in shape]
    return [str(word) for word in dict.fromkeys(words)]


def examples_at(root: Schema, value: object, path: ValuePath) -> list[str]:
    """Return what the schema gives as examples for this place."""
    return [str(text) for shape in _at(root, value, path) for text in shape.get("examples", ())]


def described_at(root: Schema, value: object, path: ValuePath) -> str | None:
    """Return what the schema says of this place."""
    return next(
        (shape["description"] for shape in _at(root, value, path) if "description" in shape), None
    )


def _at(root: Schema, value: object, path: ValuePath) -> Iterator[Schema]:
    """Yield every shape that a value at this place may have; the value's `kind` decides."""
    shapes = list(_options(root, root, value))
    for step in path:
        below = value_at(value, (step,)) if has(value, step) else None
        found = [part for shape in shapes for part in _parts(shape, step)]
        shapes = [option for part in found for option in _options(root, part, below)]
        value = below
    yield from shapes


def _parts(shape: Schema, step: str | int) -> Iterator[Schema]:
    if isinstance(step, int):
        if "items" in shape:
            yield shape["items"]
    elif step in shape.get("properties", {}):
        yield shape["properties"][step]


def _options(root: Schema, shape: Schema, value: object) -> Iterator[Schema]:
    if "$ref" in shape:
        shape = {**root["$defs"][shape["$ref"].rpartition("/")[2]], **shape}
    options = shape.get("oneOf") or shape.get("anyOf")
    if options is None:
        kind = shape.get("properties", {}).get("kind", {}).get("const")
        said = value.get("kind", kind) if isinstance(value, dict) else kind
        if said == kind:
            yield shape
        return
    said = {key: shape[key] for key in ("description",) if key in shape}
    for option in options:
        yield from _options(root, {**said, **option}, value)
