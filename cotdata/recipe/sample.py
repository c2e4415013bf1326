"""Puts the package's own rows in the place of a recipe's sources."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, assert_never

import orjson

from cotdata.bundled import bundled
from cotdata.errors import Location, Problem, RecipeError
from cotdata.recipe.model import Recipe
from cotdata.recipe.overrides import names_model
from cotdata.recipe.wording import quote
from cotdata.sources.adapters import ColumnMapping, MedicalO1, NuminaMathCot, wanted
from cotdata.sources.source import Source

#: What depends on the records that are replaced.
_SETTINGS: Final = ("config", "split", "revision", "streaming", "format", "encoding", "rows")
_CHINESE: Final = re.compile(r"(?<![A-Za-z])zh(?![A-Za-z])")


def with_sample_rows(recipe: Recipe, place: Callable[[int], Location]) -> Recipe:
    """Return the recipe with sample rows for each source, in the schema that its adapter reads.

    Args:
        recipe: As it is written.
        place: Where the adapter of a source, by its position, is written.

    Raises:
        RecipeError: If a mapping reads columns that the sample rows don't have.
    """
    problems: list[Problem] = []
    sources = []
    for index, source in enumerate(recipe.sources):
        path = bundled("recipes") / "samples" / _file(source)
        if isinstance(source.adapter, ColumnMapping):
            problems.extend(_misfit(source.adapter, path, place(index)))
        changed = {"from_": str(path)} | dict.fromkeys(_SETTINGS)
        sources.append(source.model_copy(update=changed))
    if problems:
        raise RecipeError("there are no sample rows for this recipe", problems=problems)
    return recipe.model_copy(update={"sources": tuple(sources)})


def with_sample_model(recipe: Recipe) -> Recipe:
    """Return the recipe with the package's own tokenizer in the place of its model's.

    What the recipe says of its own model's tokens, its revision and its stop token, goes with it.
    """
    from cotdata.render import model_files  # with the clients of the hubs

    if recipe.render is None:
        return recipe
    changed = {"model": str(model_files.sample_model()), "revision": None, "stop": None}
    return recipe.model_copy(update={"render": recipe.render.model_copy(update=changed)})


def with_sample_setting(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Return settings of the command line with the package's own model beside others of `render`.

    So that `--sample --set render.max_tokens=512` needs no model in the recipe.
    """
    from cotdata.render import model_files

    if not any(key.startswith("render.") for key in settings) or names_model(settings):
        return settings
    return {**settings, "render.model": str(model_files.sample_model())}


def _file(source: Source) -> str:
    match source.adapter:
        case MedicalO1():
            is_chinese = _CHINESE.search(f"{source.name} {source.config}".lower())
            return f"medical_o1_{'zh' if is_chinese else 'en'}.json"
        case NuminaMathCot():
            return "numina_math_cot.jsonl"
        case ColumnMapping():
            return "custom_notes.jsonl"
        case _:
            assert_never(source.adapter)


def _misfit(mapping: ColumnMapping, path: Path, where: Location) -> Iterator[Problem]:
    lines = path.read_bytes().splitlines()
    there = list(dict.fromkeys(key for line in lines for key in orjson.loads(line)))
    missing = [column for column in wanted(mapping).columns if column not in there]
    if missing:
        what = f"the sample rows for mappings have no {', '.join(map(quote, missing))}"
        fix = "build from rows of yours (--source NAME=PATH), without --sample"
        yield Problem(what, where, f"{fix}; the sample rows have {', '.join(there)}")
