"""Progress is drawn on stderr, for people only."""

import sys
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from cotdata.cli.progress import bars
from cotdata.engine.progress import Silence
from tests.cli.conftest import Screen


def test_a_program_sees_no_progress(capfd: pytest.CaptureFixture[str]) -> None:
    with bars(quiet=False) as progress:
        assert isinstance(progress, Silence)
        progress.start("read", 5, "rows")
        progress.advance(5)
        progress.say("done")
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Screen]]:
    """Return what puts a terminal of 80 columns in the place of stderr."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    with monkeypatch.context() as patched:

        def shown() -> Screen:
            patched.setattr(sys, "stderr", Screen())
            return cast(Screen, sys.stderr)

        yield shown


def test_who_asks_for_quiet_sees_no_progress(screen: Callable[[], Screen]) -> None:
    stderr = screen()
    with bars(quiet=True) as progress:
        progress.start("read", 5, "rows")
    assert stderr.text() == ""


def test_a_person_sees_the_step_its_figures_and_messages(screen: Callable[[], Screen]) -> None:
    stderr = screen()
    with bars(quiet=False) as progress:
        progress.start("write", None, "files")
        progress.say("[red]\x1b[5mbeware")
        progress.start("read \x1b[31m[bold]a very long name of a source[/bold]", 20_000, "rows")
        progress.advance(12_000)
    printed = stderr.text()
    assert "read [bold]a very long …" in printed
    assert "12,000 of 20,000 rows" in printed
    assert "[red]beware" in printed
    assert " write " in printed
    assert "\x1b[5m" not in printed
