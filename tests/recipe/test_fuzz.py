"""Whatever a recipe holds, loading it gives a recipe or problems with their places."""

import json
from copy import deepcopy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cotdata.bundled import bundled
from cotdata.errors import Problem, RecipeError
from cotdata.recipe.composer import parse
from cotdata.recipe.document import decode
from cotdata.recipe.loading import check
from cotdata.recipe.overrides import override
from tests.recipe.recipes import SHIPPED

TEXTS = [(bundled("recipes") / f"{name}.yaml").read_text(encoding="utf-8") for name in SHIPPED]
VALUES = [parse(text, "r.yaml").value for text in TEXTS]
#: What YAML and recipes are made of, so that chance finds their corners.
TOKENS = st.sampled_from(
    [
        *("&*!|>%@`'\"{}[],:#?-\n\t~ \r"),
        *("\n  ", "- ", ": ", "<<", "---\n", "&a ", "*a", "!!int ", "...", "null", "0x", "1e999"),
        *("kind", "name", "from", "adapter", "stages", "sources", "rows", "split", "exact_dedup"),
        *("plugin", "{title}", "\\u", "\u2028", "\ufeff", "\x00", "é", "\x85"),
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["length", "split", "medical_o1", "mapping", "best", "0:5", "5:0", "{a}", "{"]
    )
)
KEYS = st.text(max_size=4) | st.sampled_from(
    [
        *("kind", "name", "from", "adapter", "rows", "by", "keep", "on", "config", "validation"),
        *("render", "train", "stages", "sources", "seed", "schema", "Question", "min_chars"),
        *("columns", "first"),
    ]
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


def problems(data: bytes, settings: dict[str, str]) -> tuple[Problem, ...]:
    try:
        check(override(parse(decode(data, "r.yaml"), "r.yaml"), {}, settings))
    except RecipeError as error:
        return error.problems
    return ()


def hold(data: bytes, settings: dict[str, str] | None = None) -> None:
    lines = 1 + data.count(b"\n") + data.count(b"\r")
    for what, where, _ in problems(data, settings or {}):
        assert what
        assert where is not None
        if not where.file.startswith("--set"):
            assert 1 <= (where.line or 0) <= lines
            assert 1 <= (where.column or 0) <= len(data) + 1


@given(st.binary(max_size=60))
def test_arbitrary_bytes(data: bytes) -> None:
    hold(data)


@given(st.lists(TOKENS | st.text(max_size=3), max_size=30).map("".join))
@settings(max_examples=500)
def test_arbitrary_text(text: str) -> None:
    hold(text.encode("utf-8", "surrogatepass"))


@given(
    st.sampled_from(TEXTS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), TOKENS), min_size=1, max_size=4),
)
@settings(max_examples=200, deadline=None)
def test_shipped_recipes_with_text_cut_out_and_put_in(
    text: str, cuts: list[tuple[float, int, str]]
) -> None:
    for share, length, token in cuts:
        at = int(share * len(text))
        text = text[:at] + token + text[at + length :]
    hold(text.encode())


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    below = list(value.items()) if isinstance(value, dict) else []
    below += enumerate(value) if isinstance(value, list) else []
    return [path, *(p for key, part in below for p in _paths(part, (*path, key)))]


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_shipped_recipes_with_other_values(data: st.DataObject) -> None:
    value = deepcopy(data.draw(st.sampled_from(VALUES)))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_paths(value)[1:]))
        parent = value
        for step in path[:-1]:
            parent = parent[step]  # type: ignore[index]
        parent[path[-1]] = data.draw(ANYTHING)  # type: ignore[index]
    hold(json.dumps(value).encode("utf-8"))


@given(ANYTHING)
@settings(max_examples=200, deadline=None)
def test_arbitrary_values(value: object) -> None:
    hold(json.dumps(value).encode("utf-8"))


@given(
    st.lists(
        st.tuples(
            st.lists(KEYS | st.sampled_from(["0", "9", "length", "[1]", ""]), max_size=4).map(
                ".".join
            ),
            st.lists(TOKENS, max_size=4).map("".join),
        ),
        max_size=3,
    )
)
@settings(max_examples=200, deadline=None)
def test_arbitrary_settings(changes: list[tuple[str, str]]) -> None:
    hold(TEXTS[0].encode(), dict(changes))
