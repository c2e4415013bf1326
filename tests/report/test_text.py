"""Text that is safe to look at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.report.text import Excerpt, label, share, visible


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("\x00", "⟨U+0000⟩"),
        ("\x1b[2J", "⟨U+001B⟩[2J"),
        ("a\rb", "a⟨U+000D⟩b"),
        ("\u202ereversed\u202c", "⟨U+202E⟩reversed⟨U+202C⟩"),
        ("\u2067\u2069", "⟨U+2067⟩⟨U+2069⟩"),
        ("zero\u200bwidth", "zero⟨U+200B⟩width"),
        ("\ufeff", "⟨U+FEFF⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("\U0010ffff", "⟨U+10FFFF⟩"),
    ],
)
def test_shows_hidden_characters(hidden: str, shown: str) -> None:
    assert visible(hidden) == shown


@pytest.mark.parametrize("text", ["肝功能\n\t检查", "می‌خواهم", "👩‍⚕️", "a b\u3000c", "é", "한국어"])
def test_leaves_what_people_write(text: str) -> None:
    assert visible(text) == text


@given(st.text(st.characters(exclude_categories=[])))
def test_visible_text_can_be_written_and_has_no_controls(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert not any(ord(char) < 32 and char not in "\n\t" for char in shown)
    assert visible(shown) == shown


def test_an_excerpt_says_how_long_the_whole_is() -> None:
    assert str(Excerpt.of("x" * 1_234_567, 3)) == "xxx… (1,234,567 characters)"
    assert str(Excerpt.of("xyz", 3)) == "xyz"


def test_an_excerpt_of_bytes_counts_bytes() -> None:
    assert str(Excerpt.of_bytes(b"\xff{", 2)) == "\\xff{"
    assert str(Excerpt.of_bytes(b"ab", 5_000)) == "ab… (5,000 bytes)"


def test_labels_are_cut_too() -> None:
    assert label("n" * 500).endswith("… (500 characters)")


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "0%"),
        (0, 9, "0%"),
        (1, 860_000, "<0.1%"),
        (859_999, 860_000, ">99.9%"),
        (9, 9, "100%"),
        (645, 1_000, "64.5%"),
    ],
)
def test_a_share_never_rounds_to_nothing_or_all(part: int, whole: int, text: str) -> None:
    assert share(part, whole) == text
