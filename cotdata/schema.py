"""JSON Schemas of the row, the recipe and the manifest, generated from their models."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from cotdata.errors import CotdataError, Location, WriteError
from cotdata.manifest import Manifest
from cotdata.recipe import Recipe
from cotdata.row import Row

#: A change that makes valid files invalid opens the next one.
VERSION: Final = "v1"
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_MODELS: Final[dict[str, tuple[type[BaseModel], JsonSchemaMode, str]]] = {
    "row": (Row, "validation", "A row of cotdata"),
    "recipe": (Recipe, "validation", "A cotdata recipe"),
    "manifest": (Manifest, "serialization", "The manifest of a cotdata run"),
}

#: What there are schemas of.
KINDS: Final = tuple(_MODELS)


class _Generator(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes of keys: they say nothing that the key doesn't."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002
        return False


def schemas() -> dict[str, bytes]:
    """Return each schema's file: draft 2020-12, the same bytes on every machine."""
    return {kind: _schema(kind) for kind in KINDS}


def write_schemas(folder: Path) -> list[Path]:
    """Write every schema as `KIND.json` and return the paths.

    Raises:
        WriteError: If the folder cannot be written.
    """
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, content in schemas().items():
            paths.append(folder / f"{kind}.json")
            paths[-1].write_bytes(content)
    except OSError as error:
        raise WriteError(f"cannot be written: {error.strerror}", Location(str(folder))) from error
    return paths


def check_schemas(folder: Path) -> None:
    """Compare a folder's schemas with the models.

    Raises:
        CotdataError: If one is missing or differs.
    """
    stale = [kind for kind, content in schemas().items() if content != _read(folder, kind)]
    if stale:
        names = ", ".join(f"{kind}.json" for kind in stale)
        what = f"{names}: not what the models say"
        raise CotdataError(what, Location(str(folder)), f"cotdata schema --write {folder}")


def _schema(kind: str) -> bytes:
    model, mode, title = _MODELS[kind]
    body = model.model_json_schema(schema_generator=_Generator, mode=mode)
    for reference in _tagged(body):
        # Pydantic decides by the tag and so asks for it, though each member has it as a default.
        member = body["$defs"][reference.rpartition("/")[2]]
        member["required"] = sorted({*member.get("required", ()), "kind"})
    head = {"$schema": _DRAFT, "$id": f"urn:cotdata:schemas:{VERSION}:{kind}"}
    return orjson.dumps(
        {**head, **body, "title": title}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )


def _tagged(schema: object) -> Iterator[str]:
    """Yield the references to all members of discriminated unions."""
    if isinstance(schema, dict):
        yield from schema.get("discriminator", {}).get("mapping", {}).values()
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _tagged(part)


def _read(folder: Path, kind: str) -> bytes | None:
    try:
        return (folder / f"{kind}.json").read_bytes()
    except OSError:
        return None
