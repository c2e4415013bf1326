"""`cotdata render`: a run for another model, and a look at what rendering does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cotdata.cli.options import Force, Json, Quiet, Workers

if TYPE_CHECKING:
    from cotdata.render.settings import Render

_MODEL_HELP = (
    "Tokenizer and template: a folder (relative to here), a Hub id, or modelscope://owner/name."
)


def render(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN", help="The folder of the run whose rows are rendered or looked at."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="MODEL", help=_MODEL_HELP)] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The new run's folder, relative to here.")
    ] = None,
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
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Print what MODEL's template does with reasoning, and what shows it. A bare "
            "FILE.jinja will do.",
        ),
    ] = None,
    row: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Print this row of RUN, what is trained marked."),
    ] = None,
    serve: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Compare RUN's prompts with those of a running server; exits 2 where one differs.",
        ),
    ] = None,
    rows: Annotated[
        int, typer.Option(min=1, metavar="N", help="With --serve: how many prompts.")
    ] = 20,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Ignore the cache and render anew; replaces the same run."),
    ] = False,
    force: Force = False,
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Render the rows of RUN for another model, as a run of its own.

    Splits and rejected rows are those of RUN. What a recipe says of another model's tokens does
    not carry over: give `max_tokens` and the like with --set.

    With --explain, --row or --serve nothing is rendered: a model's template is explained, a row is
    shown, a running server is asked.
    """
    if explain is not None:
        _explain(explain, setting, revision, as_json=as_json)
    elif run is None:
        raise _lacking("RUN", "the folder of a run, or --explain MODEL")
    elif row is not None:
        _show(run, row, as_json=as_json)
    elif serve is not None:
        _ask(run, serve, model, rows, as_json=as_json, quiet=quiet)
    elif model is None:
        raise _lacking("--model", "a model's folder or id; --row ID and --serve URL need none")
    elif output is None:
        raise _lacking("--output", "the new run's folder")
    else:
        section, given = _section(model, setting, revision)
        _make(
            run,
            section,
            output,
            given,
            workers=workers,
            fresh=fresh,
            force=force,
            as_json=as_json,
            quiet=quiet,
        )


def _make(
    run: Path,
    section: "Render",
    output: Path,
    given: dict[str, str],
    *,
    workers: int | None,
    fresh: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    from cotdata.cli.progress import bars
    from cotdata.cli.summary import print_run
    from cotdata.run import render_run

    with bars(quiet=quiet) as progress:
        made = render_run(
            run,
            section,
            output,
            given=given,
            workers=workers,
            fresh=fresh,
            force=force,
            progress=progress,
        )
    print_run(made, as_json=as_json, quiet=quiet)


def _section(
    model: str, setting: list[str] | None, revision: str | None
) -> tuple["Render", dict[str, str]]:
    """Return the section that the options describe, and what of them is recorded."""
    from cotdata.recipe import pairs, render_settings
    from cotdata.recipe.model import without_folders

    settings = pairs("--set", setting or [])
    given = {"model": without_folders(model), **settings}
    section = render_settings(model, settings, revision)
    return section, given | ({"revision": revision} if revision else {})


def _explain(model: str, setting: list[str] | None, revision: str | None, *, as_json: bool) -> None:
    from cotdata.cli.verdict_table import print_verdict
    from cotdata.render.opening import open_template

    section, _ = _section(model, setting, revision)
    opened = open_template(section, Path.cwd())
    print_verdict(opened, as_json=as_json)
    opened.process.close()


def _show(run: Path, row: str, *, as_json: bool) -> None:
    from cotdata.cli.row_view import print_row
    from cotdata.run import view_rendered_row

    print_row(view_rendered_row(run, row), as_json=as_json)


def _ask(run: Path, url: str, model: str | None, rows: int, *, as_json: bool, quiet: bool) -> None:
    from cotdata.cli.failures import USER_MUST_CHANGE
    from cotdata.cli.progress import bars
    from cotdata.cli.server_table import print_answers
    from cotdata.render.server import find_server
    from cotdata.run import ask_server

    server = find_server(url, model)
    with bars(quiet=quiet) as progress:
        answers = ask_server(run, server, rows, progress)
    print_answers(server, answers, as_json=as_json)
    if any(answer.difference for answer in answers):
        raise typer.Exit(USER_MUST_CHANGE)


def _lacking(name: str, what: str) -> Exception:
    from cotdata.errors import Location, RecipeError

    return RecipeError("is missing", Location(name), f"give {what}; see `cotdata render --help`")
