"""Texts with slots: what a template writes around a row's texts, and how it trims them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

import polars as pl

#: What Python's `str.strip()` strips, which is what templates call.
PYTHON_BLANKS: Final = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_NAMES: Final = {"": "", "\n": "newlines", PYTHON_BLANKS: "blanks"}


class Trim(NamedTuple):
    """The characters that a template takes off the start and the end of a text."""

    start: str = ""
    end: str = ""

    def text(self, text: str) -> str:
        """Return a text as the template writes it."""
        text = text.lstrip(self.start) if self.start else text
        return text.rstrip(self.end) if self.end else text

    def expression(self, text: pl.Expr) -> pl.Expr:
        """Return a String expression as the template writes it."""
        text = text.str.strip_chars_start(self.start) if self.start else text
        return text.str.strip_chars_end(self.end) if self.end else text

    def __str__(self) -> str:
        """Say what is taken: `nothing`, `blanks at both ends`, `newlines at the start`."""
        if self.start == self.end:
            return f"{_NAMES[self.start]} at both ends" if self.start else "nothing"
        sides = {"start": self.start, "end": self.end}
        return ", ".join(f"{_NAMES[taken]} at the {side}" for side, taken in sides.items() if taken)


#: Every trimming that is told apart, the one that takes least first.
TRIMS: Final = tuple(Trim(*ends) for ends in product(_NAMES, repeat=2))


NOTHING: Final = Trim()


@dataclass(frozen=True)
class Slot:
    """The place of one of a row's texts."""

    name: str
    trim: Trim = NOTHING

    def __str__(self) -> str:
        """Write the slot as recipes do: `{Question}`."""
        return f"{{{self.name}}}"


#: What is written, in order: text as it is, and slots.
Form = tuple[str | Slot, ...]


class UncutError(Exception):
    """A text in which a sentinel is missing or stands more than once: no form can be cut of it."""

    def __init__(self, slot: str, count: int) -> None:
        super().__init__(slot, count)
        self.slot, self.count = slot, count


def cut(text: str, sentinels: Mapping[str, str], *, optional: Sequence[str] = ()) -> Form:
    """Cut a rendered text at its sentinels.

    Args:
        text: What a template rendered.
        sentinels: Slot -> the text that stood for it.
        optional: Slots that the template may leave out.

    Raises:
        UncutError: If a sentinel stands there more than once, or not at all.
    """
    places = []
    for name, sentinel in sentinels.items():
        count = text.count(sentinel)
        if count > 1 or (count == 0 and name not in optional):
            raise UncutError(name, count)
        if count:
            places.append((text.index(sentinel), name))
    parts: list[str | Slot] = []
    done = 0
    for place, name in sorted(places):
        parts += [text[done:place], Slot(name)]
        done = place + len(sentinels[name])
    parts.append(text[done:])
    return tuple(part for part in parts if part)


def fill(form: Form, texts: Mapping[str, str]) -> str:
    """Return a form with texts in its slots."""
    return "".join(
        part if isinstance(part, str) else part.trim.text(texts[part.name]) for part in form
    )


def written(form: Form) -> str:
    """Return a form as people read it, slots as `{Question}`."""
    return "".join(str(part) for part in form)


def literal(form: Form) -> str:
    """Return what a form writes besides its slots."""
    return "".join(part for part in form if isinstance(part, str))


def continues(whole: str | None, prompt: str, body: str) -> bool:
    """Say whether a rendered conversation goes on from a prompt with this answer.

    Blanks that end the prompt may be missing from it.
    """
    rest = (whole or "").removeprefix(prompt.rstrip()).lstrip()
    return rest.startswith(body.lstrip())


def can_join(form: Form, token: str) -> bool:
    """Say whether texts that hold no token may make one with what stands beside them.

    Two slots side by side can, and a slot beside a part of the token.
    """
    starts = [token[:size] for size in range(1, len(token))]
    for place, part in enumerate(form):
        if isinstance(part, str):
            continue
        before = form[place - 1] if place else ""
        after = "".join("\x00" if isinstance(other, Slot) else other for other in form[place + 1 :])
        literal_after, has_slot, _ = after.partition("\x00")
        rests = [token[size:] for size in range(1, len(token))]
        if any(literal_after.startswith(rest) for rest in rests) or (
            has_slot and any(rest.startswith(literal_after) for rest in rests)
        ):
            return True
        if isinstance(before, str) and any(before.endswith(start) for start in starts):
            return True
    return False


def expression(form: Form, texts: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return a form as a String expression; `texts` has one for each of its slots."""
    parts = [
        pl.lit(part) if isinstance(part, str) else part.trim.expression(texts[part.name])
        for part in form
    ]
    return pl.concat_str(parts) if parts else pl.lit("")
