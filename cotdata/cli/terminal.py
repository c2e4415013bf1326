"""What reaches a terminal: nothing that data, file names or errors hold can steer it."""

import contextlib
import io
import os
import re
import sys
import unicodedata
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap
from typing import Final, TextIO

# CSI and OSC sequences whole, and two-character escapes; what is left of a broken one goes with
# the other control characters.
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[@-Z\\^_]"
)
#: Joiners, without which Persian, Indic scripts and emoji are wrong.
_JOINERS: Final = frozenset("\u200c\u200d")


def printable(text: str) -> str:
    """Return text on one line without escape codes, control and invisible characters."""
    return "".join(map(_shown, _ESCAPES.sub("", text)))


def _shown(character: str) -> str:
    if character in "\n\r\t":
        return " "
    if character.isprintable() or character in _JOINERS:
        return character
    # Surrogates stand for bytes of a file's name that are no text.
    return "\ufffd" if unicodedata.category(character) == "Cs" else ""


def write_line(text: str) -> None:
    """Print one line of a result; on a terminal it is wrapped between words."""
    sys.stdout.write(_wrapped(printable(text), sys.stdout, indent="") + "\n")


def write_text(text: str | bytes) -> None:
    """Print text that is a result as it is: JSON, YAML."""
    if isinstance(text, bytes):
        text = text.decode()
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def write_path(path: Path) -> None:
    """Print a path: to a terminal what can be shown of it, to a program its very bytes."""
    if sys.stdout.isatty():
        write_line(str(path))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(os.fsencode(path) + b"\n")


def path_text(path: Path) -> str:
    r"""Return a path as JSON can hold it: bytes that are not UTF-8 become `\xff`."""
    return os.fsencode(path).decode("utf-8", errors="backslashreplace")


def write_error(text: str) -> None:
    """Print one line about the work, not of its result; wrapped as `write_line` does."""
    try:
        sys.stderr.write(_wrapped(printable(text), sys.stderr, indent="    ") + "\n")
        sys.stderr.flush()
    except OSError:  # nowhere is left to say it; the exit code does
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Let a stream that cannot be written lead nowhere.

    Python flushes it once more at exit, and what it still holds would change the exit code.
    """
    with contextlib.suppress(OSError, ValueError):  # no file stands behind it
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def prepare_streams() -> None:
    """Make stdout and stderr take every character, whatever the locale.

    A pipe or a file gets UTF-8, which is what JSON and YAML are written in: an escape would be
    another text to whoever reads it. A terminal keeps its encoding, and what that lacks is escaped.
    A stderr that is closed leads nowhere.
    """
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _wrapped(text: str, stream: TextIO, indent: str) -> str:
    if not stream.isatty():
        return text
    # Names and paths stay whole, so that they can be copied.
    lines = wrap(
        text,
        get_terminal_size().columns,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def counted(count: int, noun: str) -> str:
    """Return `1 row`, `2 rows`, `1,000 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
