"""A rendered row on a terminal, in a pipe and as JSON."""

import json
import re
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata.cli.row_view import STYLES, print_row
from cotdata.render.view import Part, RowView, Span
from tests.cli.conftest import Screen
from tests.report.test_style import contrast

VIEW = RowView(
    row_id="medical_zh:3",
    origin="medical_zh.json:4",
    spans=(
        Span("<|im_start|>user\n肝硬化？<|im_end|>\n<|im_start|>assistant\n", "prompt", False, 12),
        Span("<think>\n", "frame", True, 2),
        Span("First, see\nwhat there is.", "reasoning", True, 7),
        Span("\n</think>\n\n", "frame", True, 3),
        Span("Yes.", "answer", True, 2),
        Span("<|im_end|>", "stop", True, 1),
    ),
    tokens=27,
    trained=15,
    is_as_text=True,
)

Show = Callable[[RowView], str]


def view(text: str, part: Part = "reasoning") -> RowView:
    return RowView("a:0", "a:1", (Span(text, part, True, 1),), 1, 1, True)


@pytest.fixture
def on_screen(monkeypatch: pytest.MonkeyPatch) -> Show:
    """Return what prints a row on a terminal of 80 columns and 256 colours."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def show(shown: RowView) -> str:
        with monkeypatch.context() as patched:
            screen = Screen()
            patched.setattr(sys, "stdout", screen)
            print_row(shown, as_json=False)
            return screen.text()

    return show


@pytest.fixture
def in_pipe(capsys: pytest.CaptureFixture[str]) -> Show:
    def show(shown: RowView) -> str:
        print_row(shown, as_json=False)
        return capsys.readouterr().out

    return show


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_a_terminal_shows_parts_in_colours_and_what_is_trained_underlined(on_screen: Show) -> None:
    printed = on_screen(VIEW)
    assert "27 tokens, 15 trained; read back from the tokens" in printed
    assert "prompt frame reasoning answer stop  \x1b[4mtrained" in re.sub(
        r"\x1b\[(0|1;[\d;]*|[35]8[\d;]*)m", "", printed
    )
    assert "\x1b[4;38;5;31mFirst, see↵\x1b[0m" in printed
    assert "\x1b[4;38;5;28mYes.\x1b[0m" in printed
    assert "\x1b[1;4;38;5;160m<|im_end|>\x1b[0m" in printed


def test_a_terminal_shows_the_text_as_it_flows(on_screen: Show) -> None:
    body = plain(on_screen(VIEW)).split("\n\n")[1]
    assert [line.rstrip() for line in body.splitlines()] == [
        "<|im_start|>user↵",
        "肝硬化？<|im_end|>↵",
        "<|im_start|>assistant↵",
        "<think>↵",
        "First, see↵",
        "what there is.↵",
        "</think>↵",
        "↵",
        "Yes.<|im_end|>",
    ]


def test_no_line_is_wider_than_the_terminal(on_screen: Show) -> None:
    for text in ("word " * 60, "x" * 300):
        assert max(map(len, plain(on_screen(view(text))).splitlines())) <= 80


def test_a_pipe_gets_headings(in_pipe: Show) -> None:
    assert in_pipe(VIEW) == (
        "medical_zh:3  medical_zh.json:4\n"
        "27 tokens, 15 trained; read back from the tokens\n"
        "\n"
        "[prompt, 12 tokens, not trained]\n"
        "<|im_start|>user↵\n肝硬化？<|im_end|>↵\n<|im_start|>assistant↵\n"
        "\n"
        "[frame, 2 tokens, trained]\n"
        "<think>↵\n"
        "\n"
        "[reasoning, 7 tokens, trained]\n"
        "First, see↵\nwhat there is.\n"
        "\n"
        "[frame, 3 tokens, trained]\n"
        "↵\n</think>↵\n↵\n"
        "\n"
        "[answer, 2 tokens, trained]\n"
        "Yes.\n"
        "\n"
        "[stop, 1 token, trained]\n"
        "<|im_end|>\n"
    )


def test_colours_that_are_not_wanted_become_headings(
    on_screen: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    printed = on_screen(VIEW)
    assert "[reasoning, 7 tokens, trained]\nFirst, see↵\n" in printed
    assert "\x1b" not in printed


def test_a_row_without_tokens_says_so(in_pipe: Show) -> None:
    printed = in_pipe(RowView("a:0", "a:1", (Span("So.", "answer", True),), None, None, True))
    assert "Without tokens: the text alone\n" in printed
    assert "[answer, trained]\nSo.\n" in printed


def test_tokens_that_are_another_text_are_told_of(in_pipe: Show) -> None:
    warning = "The tokens read back as another text than the columns"
    assert warning in in_pipe(RowView("a:0", "a:1", (), 3, 1, False))
    assert warning not in in_pipe(VIEW)


def test_hidden_characters_are_shown_as_code_points(on_screen: Show, in_pipe: Show) -> None:
    hostile = view("a\x00b\x1b[31mc\u202ed\r\u200be\tf\x9b2J")
    expected = "a⟨U+0000⟩b⟨U+001B⟩[31mc⟨U+202E⟩d⟨U+000D⟩⟨U+200B⟩e⇥f⟨U+009B⟩2J"
    assert expected in in_pipe(hostile)
    assert expected in plain(on_screen(hostile)).replace("\n", "")


@settings(deadline=None)
@given(
    text=st.text(
        st.characters(exclude_categories=["Cs"]) | st.sampled_from("\x1b[]m;0\x9b\x07\u202e\n\t")
    ),
    part=st.sampled_from(list(STYLES)),
)
def test_no_text_steers_the_terminal(text: str, part: Part) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COLUMNS", "80")
        patched.setenv("TERM", "xterm-256color")
        patched.setattr(sys, "stdout", Screen())
        print_row(view(text, part), as_json=False)
        assert isinstance(sys.stdout, Screen)
        printed = plain(sys.stdout.text())
    assert not [letter for letter in printed if ord(letter) < 32 and letter != "\n"]
    assert not {"\x7f", "\x9b", "\u202e"} & set(printed)


def test_marks_are_spelled_out_where_a_terminal_lacks_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patched:
        screen = Screen()
        screen.reconfigure(encoding="ascii", errors="backslashreplace")
        patched.setenv("TERM", "dumb")
        patched.setattr(sys, "stdout", screen)
        print_row(view("a\n\tb"), as_json=False)
        assert screen.text().endswith("trained]\na\\n\n\\tb\n")


def test_a_program_gets_the_spans_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_row(VIEW, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["row_id"], found["n_tokens"], found["n_trained"]) == ("medical_zh:3", 27, 15)
    assert found["spans"][2] == {
        "part": "reasoning",
        "is_trained": True,
        "tokens": 7,
        "text": "First, see\nwhat there is.",
    }
    assert "".join(span["text"] for span in found["spans"]) == "".join(
        span.text for span in VIEW.spans
    )


@pytest.mark.parametrize("part", [part for part in STYLES if part != "prompt"])
@pytest.mark.parametrize("paper", ["#000000", "#ffffff"])
def test_colours_stand_out_from_black_and_white(part: Part, paper: str) -> None:
    colour = STYLES[part].color
    assert colour is not None
    assert contrast(colour.get_truecolor().hex, paper) >= 3.8
