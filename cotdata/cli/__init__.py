"""The command line: reads arguments, calls the library, prints what it returns.

Exit codes: 0 done, 1 unexpected, 2 the user must change something, 130 interrupted. Results go to
stdout, progress and errors to stderr. Every command imports the library when it runs, so that
`cotdata --help` needs neither polars nor pydantic. Pipes and files get UTF-8 whatever the locale;
on a terminal, characters that its encoding lacks are escaped.
"""

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from cotdata.cli.build import build
from cotdata.cli.cache import cache
from cotdata.cli.check import check
from cotdata.cli.failures import INTERRUPTED, guarded
from cotdata.cli.init import init
from cotdata.cli.lengths import lengths
from cotdata.cli.render import render
from cotdata.cli.schema import schema
from cotdata.cli.terminal import prepare_streams
from cotdata.cli.validate import validate
from cotdata.cli.verify import verify

app = typer.Typer(
    name="cotdata",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for command in (build, check, init, lengths, render, validate, verify, schema):
    app.command()(command)
app.add_typer(cache, name="cache")


def _show_version(asked: bool) -> None:
    if asked:
        from cotdata import __version__

        typer.echo(f"cotdata {__version__}")
        raise typer.Exit


@app.callback()
def cotdata(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Turn chain-of-thought sources into training data that carries its own proof."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    command = typer.main.get_command(app)
    return guarded(
        lambda: command.main(list(arguments), prog_name="cotdata", standalone_mode=False),
        goes_on=list(arguments[:1]) in (["build"], ["render"]),
        name=_called(command, arguments),
    )


def _called(command: object, arguments: Sequence[str]) -> str:
    """Return the command that the arguments begin with: `cotdata`, `cotdata cache clear`."""
    called = "cotdata"
    for word in arguments:
        inner = getattr(command, "commands", {})
        if word not in inner:
            break
        command, called = inner[word], f"{called} {word}"
    return called


def _interrupt(_signal: int, _frame: object) -> None:
    """Let the first Ctrl-C end the command in order, and the second one end the process."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line of this process and end it."""
    prepare_streams()
    # What imports make is not garbage: looking for some among it is a tenth of the start.
    gc.set_threshold(50_000)
    # A shell's job in the background has Ctrl-C ignored, and keeps it so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    code = run(sys.argv[1:])
    # What there is to say is said: a late Ctrl-C must not turn a finished run into a failure.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if code == INTERRUPTED:
        # Not sys.exit: it waits for threads, and an interpreter that was interrupted while it
        # executed a string (as dataclasses and namedtuple do at import) dies of the signal.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)
