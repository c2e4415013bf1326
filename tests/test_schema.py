"""The JSON Schemas say what the models say."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import ValidationError

from cotdata.bundled import bundled
from cotdata.errors import CotdataError, WriteError
from cotdata.manifest import Manifest, Profile
from cotdata.recipe import Recipe
from cotdata.recipe.composer import parse
from cotdata.recipe.model import CONFLICT
from cotdata.row import Row
from cotdata.schema import KINDS, check_schemas, schemas, write_schemas
from tests.recipe.recipes import SHIPPED

COMMITTED = Path(__file__).resolve().parents[1] / "schemas" / "v1"
SCHEMAS: dict[str, Any] = {kind: orjson.loads(content) for kind, content in schemas().items()}
TEXTS = {
    name: (bundled("recipes") / f"{name}.yaml").read_text(encoding="utf-8") for name in SHIPPED
}
VALUES: list[Any] = [parse(text, "r.yaml").value for text in TEXTS.values()]

#: Values that are right at some place of a recipe and wrong at others. Integral floats are left
#: out: to JSON Schema 1.0 is an integer, to a recipe it isn't.
STRANGE = st.sampled_from(
    [
        *(
            0,
            1,
            -1,
            7,
            0.5,
            1.5,
            True,
            "",
            "x",
            "a b",
            "0:5",
            "medical_o1",
            "numina_math_cot",
            "first",
        ),
        *([], {}, ["Question"], ["x"], {"kind": "medical_o1"}, {"kind": "split"}, {"kind": "x"}),
        *({"Question": "q"}, {"Question": "q", "Reply": "r"}, {"kind": "mapping", "Question": "q"}),
        *([{"kind": "length", "min_chars": 1}], [{"min_chars": 1}], [{}], {"dir": "x"}, {"dir": 1}),
    ]
)
KEYS = st.sampled_from(
    ["kind", "seed", "weight", "min_chars", "columns", "on", "validation", "rows", "dir", "extra"]
)


#: Pydantic's errors for what stands between two values, or in the text of one.
BEYOND_A_SCHEMA = {"value_error", "template", "history", CONFLICT}


def accepts(value: object) -> bool:
    return bool(Draft202012Validator(SCHEMAS["recipe"]).is_valid(value))


def complaints(value: object) -> list[str]:
    try:
        Recipe.model_validate_json(orjson.dumps(value), strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        return [str(e) for e in error.errors() if e["type"] not in BEYOND_A_SCHEMA]
    return []


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_schemas(kind: str) -> None:
    schema = SCHEMAS[kind]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f":{kind}")
    assert schema["title"]
    assert schema["description"]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipes_are_valid(name: str) -> None:
    assert (
        list(Draft202012Validator(SCHEMAS["recipe"]).iter_errors(VALUES[SHIPPED.index(name)])) == []
    )
    assert TEXTS[name].startswith("# yaml-language-server: $schema=../schemas/v1/recipe.json\n")


def _places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    below = list(value.items()) if isinstance(value, dict) else []
    below += enumerate(value) if isinstance(value, list) else []
    return [path, *(place for key, part in below for place in _places(part, (*path, key)))]


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_schema_and_model_agree_on_changed_recipes(data: st.DataObject) -> None:
    value = deepcopy(data.draw(st.sampled_from(VALUES)))
    for _ in range(data.draw(st.integers(1, 2))):
        *above, last = data.draw(st.sampled_from(_places(value)[1:]))
        parent = value
        for step in above:
            parent = parent[step]
        match data.draw(st.sampled_from(["change", "remove", "add"])):
            case "change":
                parent[last] = deepcopy(data.draw(STRANGE))
            case "remove":
                del parent[last]
            case _:
                target = parent if isinstance(parent, dict) else value
                target[data.draw(KEYS)] = deepcopy(data.draw(STRANGE))
    found = complaints(value)
    assert accepts(value) == (not found), found


def test_rows_are_valid() -> None:
    row = Row(row_id="a:0", origin="a.jsonl:1", source="a", Question="Why?", meta="{}")
    validator = Draft202012Validator(SCHEMAS["row"])
    assert validator.is_valid(row.model_dump())
    assert not validator.is_valid(row.model_dump() | {"Reply": "x"})
    assert not validator.is_valid(row.model_dump() | {"language": "english"})


def test_manifests_are_valid() -> None:
    profile = Profile(rows=0, lengths={}, nulls={}, sources={}, languages={})
    manifest = Manifest(
        name="a", fingerprint="f", seed=1, sample=False, overrides={}, recipe={}, sources=[],
        stages=[], splits={}, rejected=0, columns=[], before=profile, after=profile, versions={},
        outputs=[],
    )  # fmt: skip
    content = orjson.loads(manifest.to_json())
    validator = Draft202012Validator(SCHEMAS["manifest"])
    assert list(validator.iter_errors(content)) == []
    assert not validator.is_valid({**content, "host": "x"})


def test_writing_and_checking_agree(tmp_path: Path) -> None:
    paths = write_schemas(tmp_path / "v1")
    assert [path.name for path in paths] == ["row.json", "recipe.json", "manifest.json"]
    check_schemas(tmp_path / "v1")


def test_a_stale_schema_is_named_with_the_command_that_mends_it(tmp_path: Path) -> None:
    write_schemas(tmp_path)
    (tmp_path / "row.json").write_bytes(b"{}")
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(CotdataError, match=r"row.json, manifest.json") as caught:
        check_schemas(tmp_path)
    assert caught.value.fix == f"cotdata schema --write {tmp_path}"


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="cannot be written"):
        write_schemas(tmp_path / "file" / "v1")


def test_the_committed_schemas_are_the_models() -> None:
    check_schemas(COMMITTED)


def test_rows_may_be_null_as_in_the_model() -> None:
    value = deepcopy(VALUES[0])
    value["sources"][0]["rows"] = None
    assert complaints(value) == []
    assert accepts(value)
    value["sources"][0]["rows"] = "first"
    assert not accepts(value)
