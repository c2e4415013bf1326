"""`cotdata cache list` and `cotdata cache clear`."""

from typing import Annotated, Literal

import typer

from cotdata.cli.options import Json

cache = typer.Typer(invoke_without_command=True)


@cache.callback()
def show_help(context: typer.Context) -> None:
    """Look at the work in progress that builds keep, or remove it."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@cache.command("list")
def list_entries(as_json: Json = False) -> None:
    """List what the cache holds, the entry used last first."""
    from cotdata.cli.cache_table import print_cache
    from cotdata.run import cache_entries

    print_cache(cache_entries(), as_json=as_json)


@cache.command()
def clear(
    kind: Annotated[
        Literal["sources", "decisions", "renders"] | None,
        typer.Option(help="Only this kind of entries."),
    ] = None,
) -> None:
    """Remove what the cache holds. Runs are not touched; the next build takes longer."""
    from cotdata.cli.tables import size
    from cotdata.cli.terminal import write_line
    from cotdata.run import clear_cache

    write_line(f"{size(clear_cache(kind))} freed")
