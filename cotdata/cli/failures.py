"""One place turns errors into lines on stderr and exit codes."""

import os
import sys
import traceback
from collections.abc import Callable
from typing import Final

import typer

from cotdata.cli.terminal import write_error
from cotdata.errors import CotdataError, Problem, ProblemsError

DONE: Final = 0
UNEXPECTED: Final = 1
USER_MUST_CHANGE: Final = 2
INTERRUPTED: Final = 130

#: Set to 1 to see where an unexpected error came from.
DEBUG_VARIABLE: Final = "COTDATA_DEBUG"
#: Variables whose values are nobody's business; the shortest value that is hidden.
_SECRET_WORDS: Final = ("TOKEN", "SECRET", "PASSWORD", "KEY", "CREDENTIAL")
_SHORTEST_SECRET: Final = 8


def guarded(command: Callable[[], object], *, goes_on: bool) -> int:
    """Run a command and return its exit code; say on stderr what went wrong.

    Args:
        command: What to run; an integer that it returns is the exit code.
        goes_on: Whether the same command, when it was interrupted, goes on where it was.
    """
    try:
        code = command()
        sys.stdout.flush()
    except CotdataError as error:
        show(error)
        return USER_MUST_CHANGE
    except typer.TyperException as error:  # the command line itself is wrong
        write_error(f"error: {error.format_message()}")
        write_error("  fix: see `cotdata --help` or `cotdata COMMAND --help`")
        return USER_MUST_CHANGE
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        return _reader_left()
    except Exception as error:
        _show_unexpected(error)
        return UNEXPECTED
    if code == INTERRUPTED:  # also what typer makes of Ctrl-C
        if sys.stderr.isatty():
            write_error("")  # the terminal has written ^C on the line
        kept = ": finished parts are kept in the cache, and the same command goes on from there"
        write_error(f"interrupted{kept if goes_on else ''}")
    return code if isinstance(code, int) else DONE


def show(error: CotdataError) -> None:
    """Say what is wrong, where, and how to fix it; every problem of several."""
    problems = [Problem(error.what, error.where, error.fix)]
    if isinstance(error, ProblemsError):
        problems = list(error.problems)
    for problem in problems:
        show_problem(problem)
    if error.fix and not any(problem.fix for problem in problems):
        write_error(f"  fix: {error.fix}")


def show_problem(problem: Problem) -> None:
    """Say one problem: a line, and one with the fix."""
    place = f"{problem.where}: " if problem.where else ""
    write_error(f"error: {place}{problem.what}")
    if problem.fix:
        write_error(f"  fix: {problem.fix}")


def _show_unexpected(error: Exception) -> None:
    if os.environ.get(DEBUG_VARIABLE) == "1":
        for line in "".join(traceback.format_exception(error)).splitlines():
            write_error(_without_secrets(line))
    said = _without_secrets(f"{type(error).__name__}: {error}")
    write_error(f"error: unexpected error: {said}")
    write_error(f"  fix: please report it; {DEBUG_VARIABLE}=1 shows where it happened")


def _without_secrets(text: str) -> str:
    for name, value in os.environ.items():
        is_secret = any(word in name.upper() for word in _SECRET_WORDS)
        if is_secret and len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, f"${name}")
    return text


def _reader_left() -> int:
    # Python flushes stdout once more at exit; into the closed pipe that would be a message.
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    return DONE
