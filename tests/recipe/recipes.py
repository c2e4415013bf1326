"""Recipes that tests write, and what loading them says."""

from pathlib import Path

import pytest

from cotdata.errors import Problem, RecipeError
from cotdata.recipe import LoadedRecipe, load_recipe

SHORTEST = """\
schema: 1
name: tiny
sources:
  - name: notes
    from: notes.jsonl
    adapter: medical_o1
"""

SHIPPED = ("medical", "numina_math", "medical_math_mix", "custom")


def load(folder: Path, text: str, **changes: object) -> LoadedRecipe:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return load_recipe(path, **changes)  # type: ignore[arg-type]


def problems(folder: Path, text: str, **changes: object) -> list[Problem]:
    with pytest.raises(RecipeError) as caught:
        load(folder, text, **changes)
    return list(caught.value.problems)


def places(found: list[Problem]) -> list[tuple[int | None, int | None, str | None]]:
    return [
        (problem.where.line, problem.where.column, problem.where.field)
        for problem in found
        if problem.where is not None
    ]
