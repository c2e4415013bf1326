"""Makes any text safe to look at: hidden characters shown, long texts cut and saying so."""

import re
from dataclasses import dataclass
from typing import Final, Self

#: What of a row's text stands in the report.
EXCERPT_CHARS: Final = 700
#: Names, paths and reasons come from recipes and data too; no sane one is longer.
LABEL_CHARS: Final = 400

# Controls but for tab and newline; invisible, formatting and bidirectional characters; surrogates,
# noncharacters and tags. A fixed list, because `unicodedata` would give other bytes with another
# Python. The zero-width joiner and non-joiner stay: Persian, Indic scripts and emoji need them.
_PLANES: Final = "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in
                         range(0, 0x110000, 0x10000))  # fmt: skip
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u180b-\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff9-\ufffb"
    f"\U0001d173-\U0001d17a\U000e0000-\U000e0fff{_PLANES}]"
)


@dataclass(frozen=True)
class Excerpt:
    """The beginning of a text, and the length of the whole in Unicode characters or bytes."""

    text: str
    length: int
    unit: str = "characters"

    @classmethod
    def of(cls, text: str, limit: int = EXCERPT_CHARS) -> Self:
        """Return the first `limit` characters of a text."""
        return cls(text[:limit], len(text))

    @classmethod
    def of_bytes(cls, head: bytes, length: int) -> Self:
        """Return bytes as text, those that are not UTF-8 as backslash escapes."""
        return cls(head.decode("utf-8", "backslashreplace")[:EXCERPT_CHARS], length, "bytes")

    @property
    def is_cut(self) -> bool:
        """Whether the whole text is longer than what is shown."""
        if self.unit == "bytes":
            return len(self.text.encode("utf-8", "surrogatepass")) < self.length
        return len(self.text) < self.length

    def __str__(self) -> str:
        """Return the text with hidden characters shown, and its length where it is cut."""
        if not self.is_cut:
            return visible(self.text)
        return f"{visible(self.text)}… ({self.length:,} {self.unit})"


def visible(text: str) -> str:
    """Return the text with every hidden character as its code point, such as ⟨U+202E⟩."""
    return _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def label(text: str) -> str:
    """Return a name, path or reason as the report shows it."""
    return str(Excerpt.of(text, LABEL_CHARS))


def share(part: int, whole: int) -> str:
    """Return a share in per cent; one that is not zero never reads as zero."""
    if not whole or not part:
        return "0%"
    percent = 100 * part / whole
    if percent < 0.1:
        return "<0.1%"
    if part < whole and percent > 99.9:
        return ">99.9%"
    return f"{percent:.1f}%" if part != whole else "100%"
