"""`cotdata check`."""

from typing import Annotated

import typer

from cotdata.cli.options import Recipe, Sample, Settings, Sources


def check(
    recipe: Recipe,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the recipe with every default.")
    ] = False,
    source: Sources = None,
    setting: Settings = None,
    sample: Sample = False,
) -> None:
    """Validate RECIPE without reading any data."""
    from cotdata.cli.terminal import counted, write_line, write_text
    from cotdata.errors import RecipeError
    from cotdata.recipe import load_recipe, missing_inputs, pairs, spelled_out

    loaded = load_recipe(
        recipe,
        sources=pairs("--source", source or []),
        settings=pairs("--set", setting or []),
        sample=sample,
    )
    if missing := missing_inputs(loaded):
        raise RecipeError("inputs are missing", problems=missing)
    if explain:
        write_text(spelled_out(loaded.recipe))
    else:
        sources = counted(len(loaded.recipe.sources), "source")
        stages = counted(len(loaded.recipe.stages), "stage")
        write_line(f"{recipe}: ok, {sources}, {stages}, builds {loaded.output}")
