"""What makes a recipe impossible though each of its parts is right."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import polars as pl
from pydantic import ValidationError

from cotdata.errors import StageError
from cotdata.recipe.document import ValuePath
from cotdata.recipe.wording import quote
from cotdata.render.columns import render_schema
from cotdata.render.settings import Render
from cotdata.row import ROW_SCHEMA
from cotdata.stages import Stage, nature
from cotdata.stages.exact_dedup import ExactDedup
from cotdata.stages.plugin import Plugin, load_plugin
from cotdata.stages.split import Split

_NOT_YET: Final = {"train": "training"}


class Conflict(NamedTuple):
    """A value that cannot stand with the others, and what to do about it."""

    path: ValuePath
    what: str
    fix: str


def conflicts(
    names: Sequence[object],
    kinds: Sequence[object],
    stages: Mapping[int, Stage],
    render: Render | None,
    later: Iterable[str],
) -> list[Conflict]:
    """Return what is wrong between the parts of a recipe.

    Args:
        names: Of the sources.
        kinds: Of the stages.
        stages: By their position; those that are wrong in themselves are left out.
        render: The section, unless it is wrong in itself.
        later: Sections that the recipe has and that this version cannot carry out.
    """
    return [
        *_equal_names(names),
        *_second_splits(kinds),
        *_columns(stages, render),
        *_rendering(render),
        *_plugin_settings(stages),
        *(
            Conflict(
                (name,),
                f"{_NOT_YET[name]} is not part of this version of cotdata",
                "remove the section",
            )
            for name in later
        ),
    ]


def _equal_names(names: Sequence[object]) -> Iterable[Conflict]:
    for index, name in enumerate(names):
        earlier = names.index(name)
        if earlier != index and isinstance(name, str):
            what = f"sources[{earlier}] has the name {quote(name)} too"
            yield Conflict(("sources", index, "name"), what, "rename one of them")


def _second_splits(kinds: Sequence[object]) -> Iterable[Conflict]:
    splits = [index for index, kind in enumerate(kinds) if kind == "split"]
    for index in splits[1:]:
        what = f"a second `split`; the first is stages[{splits[0]}]"
        yield Conflict(("stages", index, "kind"), what, "keep one: rows are dealt once")


def _rendering(render: Render | None) -> Iterable[Conflict]:
    """Say which settings of `render:` need one another."""
    if render is None:
        return
    if render.packing and render.max_tokens is None:
        what = "rows are packed to `max_tokens`, which is not set"
        yield Conflict(("render", "packing"), what, "add `max_tokens: …`, such as 4096")
    if not render.tokens:
        needing = {"packing": render.packing, "max_tokens": render.max_tokens is not None}
        for name in (name for name, is_set in needing.items() if is_set):
            what = f"`{name}` needs token ids, and `tokens: false` leaves them out"
            yield Conflict(("render", name), what, f"remove `tokens: false`, or `{name}`")


def _columns(stages: Mapping[int, Stage], render: Render | None) -> Iterable[Conflict]:
    """Follow the columns through the stages: each is added once, and read only after that."""
    known: dict[str, pl.DataType] = dict(ROW_SCHEMA)
    for index, stage in sorted(stages.items()):
        if isinstance(stage, ExactDedup) and stage.by is not None:
            yield from _ranking(index, stage.by, known)
        try:
            added = nature(stage).adds
        except StageError as error:
            yield Conflict(("stages", index, "name"), error.what, error.fix or "")
            continue
        if not isinstance(stage, Split):  # two of them are told once, as a second split
            for name in added.keys() & known.keys():
                what = f"adds the column '{name}', which is there already"
                yield Conflict(("stages", index), what, "remove one of the stages that add it")
        made = render_schema(tokens=render.tokens) if render is not None else {}
        for name in added.keys() & made.keys():
            what = f"adds the column '{name}', which rendering adds"
            yield Conflict(("stages", index), what, "remove the stage, or the section `render`")
        known |= added


def _ranking(index: int, by: str, known: Mapping[str, pl.DataType]) -> Iterable[Conflict]:
    numbers = [name for name, dtype in known.items() if dtype.is_numeric()]
    if by not in numbers:
        what = f"no earlier stage adds a numeric column {quote(by)}"
        offered = f"use one of {', '.join(numbers)}" if numbers else "add a stage that does"
        fix = f"{offered}, or `keep: first` or `keep: longest_cot`"
        yield Conflict(("stages", index, "by"), what, fix)


def _plugin_settings(stages: Mapping[int, Stage]) -> Iterable[Conflict]:
    for index, stage in stages.items():
        if not isinstance(stage, Plugin):
            continue
        try:
            load_plugin(stage.name).config_model.model_validate(stage.config)
        except StageError:
            continue  # told with the columns
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_context=False):
                path = ("stages", index, "config", *problem["loc"])
                yield Conflict(path, problem["msg"], f"see the settings of plugin '{stage.name}'")
