"""`cotdata build`."""

from typing import Annotated

import typer

from cotdata.cli.options import (
    Force,
    Json,
    Output,
    Quiet,
    Recipe,
    Sample,
    Settings,
    Sources,
    Workers,
)


def build(
    recipe: Recipe,
    source: Sources = None,
    setting: Settings = None,
    output: Output = None,
    sample: Sample = False,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Ignore the cache and build anew; replaces the same run."),
    ] = False,
    force: Force = False,
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build RECIPE and print the run's folder.

    A build that was stopped goes on where it was; a run that stands already is verified.
    """
    from cotdata.cli.progress import bars
    from cotdata.cli.summary import print_run
    from cotdata.recipe import load_recipe, pairs
    from cotdata.run import build as build_run

    loaded = load_recipe(
        recipe,
        sources=pairs("--source", source or []),
        settings=pairs("--set", setting or []),
        output=output,
        sample=sample,
    )
    with bars(quiet=quiet) as progress:
        run = build_run(loaded, workers=workers, fresh=fresh, force=force, progress=progress)
    print_run(run, as_json=as_json, quiet=quiet)
