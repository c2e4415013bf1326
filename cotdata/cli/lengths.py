"""`cotdata lengths`."""

from pathlib import Path
from typing import Annotated

import typer

from cotdata.cli.options import Json, Quiet


def lengths(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Count in this model's tokens; those that RUN is rendered for if left out.",
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A setting of a recipe's section `render`."
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say how many rows of RUN each `max_tokens` would keep.

    Counts are exact; a row whose bytes alone show that it fits is not tokenized.
    """
    from cotdata.cli.lengths_table import print_lengths
    from cotdata.cli.progress import bars
    from cotdata.recipe import pairs, render_settings
    from cotdata.run import run_lengths

    section = None
    if model is not None:
        section = render_settings(model, pairs("--set", setting or []))
    with bars(quiet=quiet) as progress:
        found = run_lengths(run, section, progress)
    print_lengths(found, as_json=as_json)
