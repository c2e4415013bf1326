"""Loads a recipe: finds it, reads it, changes it as the command line says, checks all of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from cotdata.errors import Location, Problem, RecipeError
from cotdata.recipe.composer import parse
from cotdata.recipe.conflicts import Conflict, conflicts
from cotdata.recipe.document import Document, decode, value_at
from cotdata.recipe.faults import Faults
from cotdata.recipe.files import find_recipe, read_recipe
from cotdata.recipe.model import CONFLICT, Recipe, without_folders
from cotdata.recipe.overrides import names_model, override
from cotdata.recipe.sample import with_sample_model, with_sample_rows, with_sample_setting
from cotdata.render.settings import Render
from cotdata.stages import Stage

Part = TypeVar("Part")

_SAMPLE_SUFFIX: Final = "-sample"


@dataclass(frozen=True)
class LoadedRecipe:
    """A recipe that can be run, and what a build must know besides."""

    recipe: Recipe
    #: The recipe's file.
    path: Path
    #: What relative paths in the recipe are relative to: its folder.
    base: Path
    #: The run's folder, absolute or relative to the working directory.
    output: Path
    #: `--source` and `--set` as given; of an absolute path only the name.
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: True where the package's own rows stand for the sources.
    sample: bool = False
    #: Source → where its `from` is written.
    places: Mapping[str, Location] = field(default_factory=dict)


def load_recipe(
    path: Path | str,
    *,
    sources: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    output: Path | str | None = None,
    sample: bool = False,
) -> LoadedRecipe:
    """Load a recipe, with every problem in it found at once. No data is read.

    Args:
        path: The recipe's file. `recipes/NAME.yaml` is the package's own where there is no such
            file.
        sources: Source → the path, relative to the working directory, that is read in its place.
        settings: Key (`seed`, `stages.length.min_chars`) → its new value, as YAML.
        output: The run's folder, in place of the recipe's `output.dir`.
        sample: Read the package's own rows in place of every source, and render them for the
            package's own tokenizer, unless `settings` name another.

    Raises:
        RecipeError: If the recipe cannot be run; its `problems` have a file, line and column.
    """
    sources, settings = sources or {}, settings or {}
    if sample and sources:
        where = Location(f"--source {next(iter(sources))}")
        raise RecipeError("--sample reads the package's rows alone", where, "give one of the two")
    file = str(path)
    found = find_recipe(Path(path))
    changes = with_sample_setting(settings) if sample else settings
    document = override(parse(decode(read_recipe(found), file), file), sources, changes)
    recipe = check(document)
    faults = Faults(document, {})
    if sample:
        recipe = with_sample_rows(recipe, lambda at: faults.place(("sources", at, "adapter")))
        if not names_model(settings):
            recipe = with_sample_model(recipe)
    return LoadedRecipe(
        recipe=recipe,
        path=found,
        base=found.parent,
        output=_output(recipe, output, sample=sample),
        overrides=_recorded(sources, settings),
        sample=sample,
        places={
            source.name: faults.place(("sources", index, "from"))
            for index, source in enumerate(recipe.sources)
        },
    )


def check(document: Document) -> Recipe:
    """Return the recipe that a document holds.

    Raises:
        RecipeError: With every problem, in the order of their places.
    """
    recipe, errors = _validated(Recipe.model_validate_json, document.value)
    if recipe is not None:
        return recipe
    faults = Faults(document, Recipe.model_json_schema())
    problems = faults.problems(error for error in errors if error["type"] != CONFLICT)
    wrong = {problem.where for problem in problems}
    for path, what, fix in _conflicts(document.value):
        where = faults.place(path, at_key=len(path) == 1)
        if where not in wrong:
            problems.append(Problem(what, where, fix))
    problems.sort(key=_position)
    raise RecipeError(f"the recipe has {len(problems)} problems", problems=problems)


def _validated(
    validate: Callable[..., Part], value: object
) -> tuple[Part | None, list[ErrorDetails]]:
    try:
        # Strict, as JSON: `"100"` is no number, but a list may stand for a tuple.
        return validate(json.dumps(value), strict=True, by_alias=True, by_name=False), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _conflicts(value: object) -> list[Conflict]:
    """Return the conflicts in a recipe some of whose parts are wrong in themselves."""
    sources, entries = (_entries(value, key) for key in ("sources", "stages"))
    stage: TypeAdapter[Stage] = TypeAdapter(Stage)
    stages = {
        index: part
        for index, entry in enumerate(entries)
        if (part := _validated(stage.validate_json, entry)[0]) is not None
    }
    return conflicts(
        [value_at(source, ("name",)) for source in sources],
        [value_at(entry, ("kind",)) for entry in entries],
        stages,
        _validated(TypeAdapter(Render).validate_json, value_at(value, ("render",)))[0],
        [name for name in ("train",) if value_at(value, (name,)) is not None],
    )


def _entries(value: object, key: str) -> list[object]:
    found = value_at(value, (key,))
    return found if isinstance(found, list) else []


def _position(problem: Problem) -> tuple[bool, int, int]:
    where = problem.where or Location("")
    return (where.line is None, where.line or 0, where.column or 0)


def _output(recipe: Recipe, given: Path | str | None, *, sample: bool) -> Path:
    if given is not None:
        return Path(given)
    written = Path(recipe.output.dir or Path("build") / recipe.name)
    return written.with_name(written.name + _SAMPLE_SUFFIX) if sample else written


def _recorded(sources: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, dict[str, str]]:
    given = {"source": sources, "set": settings}
    return {
        option: {key: without_folders(value) for key, value in values.items()}
        for option, values in given.items()
        if values
    }
