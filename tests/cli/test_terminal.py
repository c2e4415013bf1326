"""Nothing that data or file names hold can steer a terminal."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.cli.tables import size
from cotdata.cli.terminal import counted, printable, write_path
from tests.cli.conftest import Screen


@given(st.text(st.characters(codec=None) | st.sampled_from("\x1b[]m;0\x9b\x07\u202e\u200b")))
def test_only_printable_characters_are_left(text: str) -> None:
    shown = printable(text)
    assert all(c.isprintable() or c in "\u200c\u200d\ufffd" for c in shown)
    assert "\x1b" not in shown


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_joiners_stay() -> None:
    assert printable("می\u200cخواهم 👩\u200d⚕️") == "می\u200cخواهم 👩\u200d⚕️"


def test_a_program_gets_a_paths_very_bytes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_path(Path(os.fsdecode(b"a\xff\x1b[31m b")))
    assert capfdbinary.readouterr().out == b"a\xff\x1b[31m b\n"


def test_a_person_gets_what_can_be_shown_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        screen = Screen()
        patched.setattr(sys, "stdout", screen)
        write_path(Path(os.fsdecode(b"a\xff\x1b[31m b")))
    assert screen.text() == "a\ufffd b\n"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (175_200_000, "175.2 MB"),
        (10**16, "10000.0 TB"),
    ],
)
def test_sizes_read_as_people_say_them(count: int, said: str) -> None:
    assert size(count) == said


def test_counts_have_their_plural() -> None:
    assert [counted(n, "row") for n in (0, 1, 1234)] == ["0 rows", "1 row", "1,234 rows"]
