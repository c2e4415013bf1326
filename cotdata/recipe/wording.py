"""How problems quote what the user wrote, and suggest what they may have meant."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from cotdata.recipe.document import ValuePath

_MAX_QUOTED: Final = 60


def quote(text: str) -> str:
    """Return text in quotes: on one line, and cut where it is long."""
    shown = text if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED] + "…"
    # JSON's escapes keep a message on its line.
    return "'" + json.dumps(shown, ensure_ascii=False)[1:-1].replace('\\"', '"') + "'"


def dotted(path: ValuePath) -> str:
    """Write a path as the messages do: `stages[2].min_chars`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def suggest(word: str, choices: Iterable[str]) -> str:
    """Return the nearest of the choices, if one is near, and the list of all."""
    listed = list(choices)
    lower = {choice.lower(): choice for choice in reversed(listed)}
    near = get_close_matches(word.lower(), lower, n=1)
    meant = f"did you mean '{lower[near[0]]}'? " if near else ""
    return f"{meant}valid here: {', '.join(listed)}"
