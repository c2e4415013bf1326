"""A recipe's text as a value, with the place of every key and value in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from cotdata.errors import Location, RecipeError

#: Where a value stands in a document: keys and list indices, from the top.
ValuePath = tuple[str | int, ...]

# A recipe that a person writes has a few kilobytes. PyYAML reads some 100 kB a second.
MAX_BYTES: Final = 256 << 10
SAVE_AS_UTF8: Final = "save the recipe as UTF-8"

# What YAML 1.2 calls printable, less the line breaks that only YAML 1.1 knows (NEL, LS, PS), which
# no editor shows as such, and less the byte order mark.
UNPRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_LINE_END: Final = re.compile("\r\n|\r|\n")


class Spot(NamedTuple):
    """Where one value of a document was written, and, for a scalar, what was written there."""

    key: Location | None
    value: Location
    written: str | None


@dataclass(frozen=True)
class Document:
    """A document's value, and the spot of everything in it."""

    file: str
    value: object
    spots: Mapping[ValuePath, Spot]

    def spot(self, path: ValuePath) -> Spot:
        """Return the spot of a value, or that of the nearest value around it."""
        while path not in self.spots:
            path = path[:-1]
        return self.spots[path]


def has(value: object, step: str | int) -> bool:
    """Tell whether a value has a key or an index."""
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)


def value_at(value: object, path: ValuePath) -> object:
    """Return what stands at a path, or None where there is nothing."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and has(value, step) and isinstance(step, int):
            value = value[step]
        else:
            return None
    return value


def decode(data: bytes, file: str) -> str:
    """Return a recipe's text.

    Raises:
        RecipeError: If there are too many bytes, or they are not UTF-8 or hold control characters.
    """
    start = Location(file, line=1, column=1)
    if len(data) > MAX_BYTES:
        what = f"the file has more than {MAX_BYTES:,} bytes: this is no recipe"
        raise RecipeError(what, start, "for a data file, `cotdata init FILE` proposes a recipe")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RecipeError("the recipe is UTF-16", start, "save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = locate(data[: error.start].decode("utf-8-sig"), None, file)
        what = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        raise RecipeError(what, where, SAVE_AS_UTF8) from error
    if found := UNPRINTABLE.search(text):
        what = f"the character U+{ord(found.group()):04X} has no place in a recipe"
        raise RecipeError(what, locate(text, found.start(), file), "remove it")
    return text


def locate(text: str, position: int | None, file: str) -> Location:
    """Return the line and column of a position in a text; None is its end."""
    before = text[:position]
    line, start = 1, 0
    for end in _LINE_END.finditer(before):
        line, start = line + 1, end.end()
    return Location(file, line=line, column=len(before) - start + 1)
