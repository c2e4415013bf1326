"""A command line that runs in this process, on a terminal or not."""

import io
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from cotdata.cli import run


class Printed(NamedTuple):
    code: int
    out: str
    err: str


CommandLine = Callable[..., Printed]


@pytest.fixture
def cotdata(capfd: pytest.CaptureFixture[str]) -> CommandLine:
    """Return what runs one command line and gives its exit code and what it printed."""

    def command_line(*arguments: str) -> Printed:
        code = run(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        printed = capfd.readouterr()
        return Printed(code, printed.out, printed.err)

    return command_line


class Screen(io.TextIOWrapper):
    """A terminal that remembers what was written."""

    def __init__(self) -> None:
        self.written = io.BytesIO()
        super().__init__(self.written, encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        return self.written.getvalue().decode()


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return what runs one command line on a terminal of 80 columns that knows no colours."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")

    def command_line(*arguments: str) -> Printed:
        with monkeypatch.context() as patched:
            out, err = Screen(), Screen()
            patched.setattr(sys, "stdout", out)
            patched.setattr(sys, "stderr", err)
            return Printed(run(arguments), out.text(), err.text())

    return command_line
