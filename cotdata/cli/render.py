"""`cotdata render`."""

from pathlib import Path
from typing import Annotated

import typer

from cotdata.cli.options import Json, Quiet


def render(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of the run whose rows are rendered.")
    ],
    model: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="Tokenizer and template: a folder (relative to here), a Hub id, or "
            "modelscope://owner/name.",
        ),
    ],
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="The new run's folder, relative to here.")
    ],
    revision: Annotated[
        str | None, typer.Option(metavar="COMMIT", help="Commit, tag or branch of a hub's model.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting of a recipe's section `render`: frame=auto, max_tokens=2048.",
        ),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Ignore the cache and render anew; replaces the same run."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a run in the output folder, whichever it is.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Threads; one for each processor.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Render the rows of RUN for another model, as a run of its own.

    Splits and rejected rows are those of RUN. What a recipe says of another model's tokens does
    not carry over: give `max_tokens` and the like with --set.
    """
    from cotdata.cli.progress import bars
    from cotdata.cli.summary import print_run
    from cotdata.recipe import pairs, render_settings
    from cotdata.recipe.model import without_folders
    from cotdata.run import render_run

    settings = pairs("--set", setting or [])
    section = render_settings(model, settings, revision)
    given = {"model": without_folders(model), **settings}
    with bars(quiet=quiet) as progress:
        made = render_run(
            run,
            section,
            output,
            given=given | ({"revision": revision} if revision else {}),
            workers=workers,
            fresh=fresh,
            force=force,
            progress=progress,
        )
    print_run(made, as_json=as_json, quiet=quiet)
