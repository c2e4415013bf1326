"""Cuts JSON text at the commas and brackets of one level, block by block, without parsing it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from cotdata.sources.formats.chunk import Positions

_QUOTE: Final = ord('"')
_BACKSLASH: Final = ord("\\")
_COMMA: Final = ord(",")
# A bracket with this bit set is `{` or `}`, be it square or curly.
_LOWER: Final = 0x20
_OPENING: Final = ord("{")
_CLOSING: Final = ord("}")


@dataclass(frozen=True)
class Structure:
    """The commas and brackets outside of strings: where, which, and how deep after each."""

    positions: Positions
    letters: npt.NDArray[np.uint8]
    depths: Positions

    def commas(self, level: int) -> Positions:
        """Return the positions of the commas between the members of the given level."""
        found: Positions = self.positions[(self.letters == _COMMA) & (self.depths == level)]
        return found

    def end(self, level: int) -> int | None:
        """Return the position of the bracket that closes the given level, if it is here."""
        below = np.flatnonzero(self.depths < level)
        return int(self.positions[below[0]]) if len(below) else None


class Scanner:
    """Finds the structure of JSON text that comes in blocks; carries its state between them.

    It takes malformed text as it comes: brackets of either kind close each other, and a backslash
    escapes the next character wherever it stands. What it cuts is judged by a parser.
    """

    def __init__(self, depth: int = 0) -> None:
        self.depth = depth
        self.in_string = False
        self._escaped = False

    @property
    def is_inside(self) -> bool:
        """True where the text so far ends inside a string, an array or an object."""
        return self.in_string or self.depth > 0

    def scan(self, block: bytes) -> Structure:
        """Return the structure of the next block."""
        letters = np.frombuffer(block, np.uint8)
        quotes = self._quotes(letters)
        folded = letters | _LOWER
        marks = np.flatnonzero((letters == _COMMA) | (folded == _OPENING) | (folded == _CLOSING))
        before = np.searchsorted(quotes, marks) + self.in_string
        marks = marks[before & 1 == 0]
        self.in_string ^= bool(len(quotes) & 1)
        found = letters[marks]
        steps = (found | _LOWER == _OPENING).astype(np.int64)
        steps -= found | _LOWER == _CLOSING
        depths = np.cumsum(steps) + self.depth
        self.depth = int(depths[-1]) if len(depths) else self.depth
        return Structure(marks, found, depths)

    def _quotes(self, letters: npt.NDArray[np.uint8]) -> Positions:
        """Return the positions of the quotes that open or close a string."""
        quotes = np.flatnonzero(letters == _QUOTE)
        slashes = np.flatnonzero(letters == _BACKSLASH)
        if self._escaped and len(letters):
            quotes = quotes[quotes > 0]
            slashes = slashes[slashes > 0]
            self._escaped = False
        if not len(slashes):
            return quotes
        # In a run of backslashes, the first, third, … escape what follows them.
        order = np.arange(len(slashes))
        begins = np.ones(len(slashes), bool)
        begins[1:] = np.diff(slashes) != 1
        in_run = order - np.maximum.accumulate(np.where(begins, order, 0))
        is_escaped = np.zeros(len(letters) + 1, bool)
        is_escaped[slashes[in_run & 1 == 0] + 1] = True
        self._escaped = bool(is_escaped[-1])
        return quotes[~is_escaped[quotes]]


def ends_inside(text: bytes) -> bool:
    """Tell whether JSON text ends inside a string, an array or an object."""
    scanner = Scanner()
    scanner.scan(text)
    return scanner.is_inside
