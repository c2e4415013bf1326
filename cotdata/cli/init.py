"""`cotdata init`."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A data file, a glob or a folder.")],
    output: Annotated[
        Path | None, typer.Option(metavar="RECIPE", help="Write the recipe there, not to stdout.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The recipe's name; by the file's if left out.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite RECIPE.")] = False,
) -> None:
    """Look at the beginning of FILE and propose a recipe for it."""
    from cotdata.cli.terminal import write_path, write_text
    from cotdata.recipe import proposed_recipe, write_recipe

    text = proposed_recipe(file, name, output)
    if output is None:
        write_text(text)
    else:
        write_recipe(text, output, force=force)
        write_path(output)
