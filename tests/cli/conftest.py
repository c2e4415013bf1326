"""A command line that runs in this process, on a terminal or not."""

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


@pytest.fixture
def terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make stdout and stderr a terminal of 80 columns that knows no colours."""
    for name in {"capfd", "capfdbinary"} & set(request.fixturenames):
        request.getfixturevalue(name)  # they bring a stdout and stderr of their own
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
