"""One place turns errors into lines on stderr and exit codes."""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Final

import typer

from cotdata.cli.terminal import discard, write_error
from cotdata.errors import CotdataError, Problem, ProblemsError, WriteError

DONE: Final = 0
UNEXPECTED: Final = 1
USER_MUST_CHANGE: Final = 2
INTERRUPTED: Final = 130

#: Set to 1 to see where an unexpected error came from.
DEBUG_VARIABLE: Final = "COTDATA_DEBUG"
#: Variables whose values are nobody's business; the shortest value that is hidden.
_SECRET_WORDS: Final = ("TOKEN", "SECRET", "PASSWORD", "KEY", "CREDENTIAL")
_SHORTEST_SECRET: Final = 8
#: What a system refuses through no fault of ours, and what helps.
_REFUSALS: Final[Mapping[int, str]] = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room, or write elsewhere"),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS),
        "see to the permissions of the file and of its folder, or choose another one",
    ),
    **dict.fromkeys(
        (errno.EBADF, errno.EIO), "see what stdout and the folders lead to, or write elsewhere"
    ),
}


def guarded(command: Callable[[], object], *, goes_on: bool, name: str = "cotdata") -> int:
    """Run a command and return its exit code; say on stderr what went wrong.

    Args:
        command: What to run; an integer that it returns is the exit code.
        goes_on: Whether the same command, when it was interrupted, goes on where it was.
        name: The command as it is called, whose `--help` is pointed to.
    """
    if sys.stdout is None:  # else the first file that is opened would be taken for stdout
        show(WriteError("stdout is closed", fix="send it somewhere, if only to /dev/null"))
        return USER_MUST_CHANGE
    try:
        code = command()
        sys.stdout.flush()
    except CotdataError as error:
        show(error, name)
        return USER_MUST_CHANGE
    except typer.TyperException as error:  # the command line itself is wrong
        _show_misuse(error, name)
        return USER_MUST_CHANGE
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:  # the reader has all that it wants
        discard(sys.stdout)
        return DONE
    except Exception as error:
        return _failed(error)
    if code == INTERRUPTED:  # also what typer makes of Ctrl-C
        if sys.stderr.isatty():
            write_error("")  # the terminal has written ^C on the line
        kept = ": finished parts are kept in the cache, and the same command goes on from there"
        write_error(f"interrupted{kept if goes_on else ''}")
    return code if isinstance(code, int) else DONE


def show(error: CotdataError, name: str = "cotdata") -> None:
    """Say what is wrong, where, and how to fix it; every problem of several.

    For an option whose problem has no fix of its own, the help of the command `name` is it.
    """
    problems = [Problem(error.what, error.where, error.fix)]
    if isinstance(error, ProblemsError):
        problems = list(error.problems)
    for problem in problems:
        is_option = problem.where is not None and problem.where.file.startswith("--")
        if is_option and not (problem.fix or error.fix):
            problem = problem._replace(fix=f"see `{name} --help`")  # noqa: PLW2901
        show_problem(problem)
    if error.fix and not any(problem.fix for problem in problems):
        write_error(f"  fix: {error.fix}")


def show_problem(problem: Problem) -> None:
    """Say one problem: a line, and one with the fix."""
    place = f"{problem.where}: " if problem.where else ""
    write_error(f"error: {place}{problem.what}")
    if problem.fix:
        write_error(f"  fix: {problem.fix}")


def _show_misuse(error: typer.TyperException, name: str) -> None:
    # Pydantic's words, by which typer checks the arguments.
    said = error.format_message().replace(": Value error, ", ": ").replace("Input should", "should")
    write_error(f"error: {said}")
    write_error(f"  fix: see `{name} --help`")


def _failed(error: Exception) -> int:
    """Say what no part of the library has put into words; return the exit code."""
    fix = _REFUSALS.get(error.errno or 0) if isinstance(error, OSError) else None
    if not isinstance(error, OSError) or fix is None:
        _show_unexpected(error)
        return UNEXPECTED
    place = f": {error.filename}" if isinstance(error.filename, str) else ""
    show(WriteError(f"{error.strerror}{place}", fix=fix))
    try:
        sys.stdout.flush()
    except OSError:
        discard(sys.stdout)
    return USER_MUST_CHANGE


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
