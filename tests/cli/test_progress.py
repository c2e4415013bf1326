"""Progress is drawn on stderr, for people only."""

import sys

import pytest

from cotdata.cli.progress import bars
from cotdata.engine.progress import Silence


def test_a_program_sees_no_progress(capfd: pytest.CaptureFixture[str]) -> None:
    with bars(quiet=False) as progress:
        assert isinstance(progress, Silence)
        progress.start("read", 5, "rows")
        progress.advance(5)
        progress.say("done")
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("terminal")
def test_who_asks_for_quiet_sees_no_progress() -> None:
    with bars(quiet=True) as progress:
        assert isinstance(progress, Silence)


@pytest.mark.usefixtures("terminal")
def test_a_person_sees_the_step_its_figures_and_messages(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with bars(quiet=False) as progress:
        progress.start("read \x1b[31m[bold]a very long name of a source[/bold]", 20_000, "rows")
        progress.advance(12_000)
        progress.say("[red]\x1b[2Jbeware")
        progress.start("write", None, "files")
        progress.advance(3)
    sys.stderr.flush()
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "read [bold]a very long …" in printed.err
    assert "12,000 of 20,000 rows" in printed.err
    assert "[red]beware" in printed.err
    assert "3 files" in printed.err
    assert "\x1b[2J" not in printed.err
