r"""Finds the last answer in a box: `\boxed{…}` or `\fbox{…}`, with its braces balanced."""

import re
from typing import Final, NamedTuple

#: A box that holds nothing usable (empty, never closed) is passed over for the one before it, at
#: most this often: each look may read to the end of the text, and a hostile text is all boxes.
LOOKS: Final = 8


def _balanced(levels: int) -> str:
    # A backslash takes the next character with it, so `\{` opens nothing and `\\{` opens a brace.
    inside = _balanced(levels - 1) if levels else ""
    deeper = rf"|\{{{inside}\}}" if levels else ""
    return rf"(?:[^{{}}\\]++|\\.{deeper})*+"


#: A box, its braces nested up to four deep; deeper ones are counted brace by brace.
_BOX: Final = re.compile(rf"\\(?:boxed|fbox)[ \t]*\n?[ \t]*\{{({_balanced(4)})\}}", re.DOTALL)
_OPENING: Final = re.compile(r"\\(?:boxed|fbox)[ \t]*\n?[ \t]*\{")
_BRACE: Final = re.compile(r"\\.|([{}])", re.DOTALL)
# Without braces: a command with its braces (`\frac{1}{2}`, `\text{A}`), or a run of letters,
# digits and the signs that numbers are written with. TeX itself would box only one character.
_BARE: Final = re.compile(
    r"\\(?:boxed|fbox)(?![A-Za-z])[ \t]*\n?[ \t]*"
    r"(\\[A-Za-z]+(?:\{[^{}]*\})+|[-+]?\w(?:[\w.,/]*\w)?%?)"
)


class Box(NamedTuple):
    """One box: where its command begins, where it ends, and what stands in it."""

    start: int
    end: int
    content: str
    #: True where a later box was empty or never closed.
    passed_over: bool


def last_box(text: str) -> Box | None:
    r"""Return the last box that holds something, its content without outer blanks, or None.

    Braces count only where they are not escaped. An empty box is what proofs end with, in place
    of a tombstone: it is no answer. A box that never closes is the mark of a text cut short.
    """
    before = len(text)
    for look in range(LOOKS):
        start = text.rfind(r"\boxed", 0, before)
        start = max(start, text.rfind(r"\fbox", max(start, 0), before))
        if start < 0:
            return None
        found = _BOX.match(text, start) or _BARE.match(text, start)
        end, content = (found.end(), found[1]) if found else _deep_box(text, start)
        content = content.strip()
        if content:
            return Box(start, end, content, look > 0)
        before = start
    return None


def _deep_box(text: str, start: int) -> tuple[int, str]:
    """Return where the box at `start` ends, and its content: empty if it never closes."""
    opening = _OPENING.match(text, start)
    if opening is None:
        return start, ""
    depth = 1
    for brace in _BRACE.finditer(text, opening.end()):
        depth += {"{": 1, "}": -1, None: 0}[brace[1]]
        if depth == 0:
            return brace.end(), text[opening.end() : brace.start()]
    return start, ""
