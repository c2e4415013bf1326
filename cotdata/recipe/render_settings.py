"""A section `render` as the command line describes it, without a recipe around it."""

from collections.abc import Mapping

from cotdata.errors import Location, Problem, RecipeError
from cotdata.recipe.document import Document, Spot, ValuePath
from cotdata.recipe.loading import check
from cotdata.recipe.overrides import model_from_here, override
from cotdata.render.settings import Render

_SECTION = "render"
_PREFIX = f"{_SECTION}."


def render_settings(model: str, settings: Mapping[str, str], revision: str | None = None) -> Render:
    """Return the section that a model and `--set KEY=VALUE` describe.

    Args:
        model: A folder, relative to the working directory, or a hub's id.
        settings: Key of the section (`frame`, `max_tokens`) → its value, as YAML.
        revision: Of a hub's model.

    Raises:
        RecipeError: With everything that is wrong about them.
    """
    nowhere = Spot(None, Location("the command line"), None)
    spots: dict[ValuePath, Spot] = {(): nowhere}
    section: dict[str, object] = {"model": model_from_here(model)}
    given = {"model": model} | ({"revision": revision} if revision is not None else {})
    for key, text in given.items():
        section.setdefault(key, text)
        spots[_SECTION, key] = Spot(None, Location(f"--{key} {text}"), text)
    source = {"name": "rows", "from": "rows", "adapter": "medical_o1"}
    value = {"schema": 1, "name": _SECTION, "sources": [source], _SECTION: section}
    keys = {_PREFIX + key.removeprefix(_PREFIX): text for key, text in settings.items()}
    try:
        found = check(override(Document("the command line", value, spots), {}, keys)).render
    except RecipeError as error:
        problems = [_as_given(problem) for problem in error.problems]
        raise RecipeError("the command line is wrong", problems=problems) from error
    if found is None:  # `--set render=null`, which leaves nothing to render with
        raise RecipeError("nothing says how to render", Location("--set render"), "leave it out")
    return found


def _as_given(problem: Problem) -> Problem:
    """Name an option as it was given: the section's name is nothing that the user wrote."""
    where = problem.where
    if where is None:
        return problem
    file = where.file.replace(f"--set {_PREFIX}", "--set ", 1)
    field = where.field.removeprefix(_PREFIX) if where.field else None
    return problem._replace(where=where._replace(file=file, field=field))
