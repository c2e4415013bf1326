"""Reads a recipe's YAML: a strict part of YAML 1.2, and every problem with its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

import yaml

from cotdata.errors import Location, Problem, RecipeError
from cotdata.recipe.document import UNPRINTABLE, Document, Spot, ValuePath
from cotdata.recipe.scalars import NumberTooLargeError, scalar_value

# A recipe nests some six levels deep and holds some hundred values. The bounds keep a hostile one
# from taking all memory through aliases that multiply, or the interpreter's stack.
MAX_DEPTH: Final = 32
MAX_VALUES: Final = 20_000

# What PyYAML says, what it means for a recipe, and what helps: the first that occurs.
_MEANINGS: Final = (
    ("found character '\\t'", "a tab cannot indent YAML", "indent with blanks"),
    (
        "that cannot start any token",
        "no value can begin with this character",
        "write the value in quotes",
    ),
    *(
        (
            f"expected <block end>, but found '{token}'",
            "text follows a value that ended with its bracket or quote",
            "write the whole value in quotes, as a template that begins with '{' must be",
        )
        for token in ("{", "<scalar>")
    ),
    (
        "expected <block end>",
        "this line fits neither the ones before nor their indentation",
        "indent the keys of one mapping, and the '-' of one list, alike",
    ),
    (
        "mapping values are not allowed here",
        "a ':' makes no key here",
        "write a value that has ': ' in it in quotes; begin a new key on a line of its own",
    ),
    (
        "could not find expected ':'",
        "this line is neither a key with a ':' nor part of a value",
        "add the ':', or write the value in quotes",
    ),
    (
        "sequence entries are not allowed here",
        "a list cannot begin on this line",
        "begin it on the next line, or write it as [one, two]",
    ),
    (
        "expected '<document start>'",
        "a second value begins here, outside of the recipe's keys",
        "keep one recipe in a file; for a data file, `cotdata init FILE` proposes a recipe",
    ),
    ("unexpected end of stream", "a quote is never closed", "close it"),
    ("<stream end>", "a bracket is never closed", "close it"),
    *(
        (
            f"expected ',' or '{end}'",
            "this list or mapping in brackets is not closed, or lacks a comma before this",
            f"write a ',' between its entries, and '{end}' behind the last one",
        )
        for end in ("]", "}")
    ),
    ("unknown escape character", "an unknown escape in double quotes", "use single quotes"),
)
_TEXT_TAGS: Final = (None, "!", "tag:yaml.org,2002:str")


def parse(text: str, file: str) -> Document:
    """Read one YAML document.

    Raises:
        RecipeError: With every problem found; syntax that can't be read ends the search.
    """
    composer = _Composer(text, file)
    start = Location(file, line=1, column=1)
    spots: dict[ValuePath, Spot] = {(): Spot(None, start, None)}
    value: object = None
    try:
        node = composer.compose()
        if node is not None:
            value = _Expansion(spots).value(node, (), None)
    except RecipeError as error:
        composer.problems.extend(error.problems)
    if composer.problems:
        raise RecipeError("the recipe cannot be read", problems=composer.problems)
    return Document(file, value, spots)


@dataclass
class _Node:
    at: Location
    #: The scalar's value; None for the other kinds.
    scalar: object = None
    written: str | None = None
    #: Of a mapping; None for the other kinds.
    keys: list[tuple[str, Location]] | None = None
    #: Of a mapping or a sequence; None for a scalar.
    children: list["_Node"] | None = None


class _Expansion:
    """Makes values of nodes: fills in aliases, and writes down the spot of everything."""

    def __init__(self, spots: dict[ValuePath, Spot]) -> None:
        self._spots = spots
        self._count = 0

    def value(self, node: _Node, path: ValuePath, key: Location | None) -> object:
        self._count += 1
        if self._count > MAX_VALUES or len(path) > MAX_DEPTH:
            what = f"the recipe holds more than {MAX_VALUES:,} values, or aliases nest too deep"
            raise RecipeError(what, node.at, "use fewer aliases")
        self._spots[path] = Spot(key, node.at, node.written)
        if node.children is None:
            return node.scalar
        if node.keys is None:
            return [
                self.value(child, (*path, index), None) for index, child in enumerate(node.children)
            ]
        return {
            name: self.value(child, (*path, name), at)
            for (name, at), child in zip(node.keys, node.children, strict=True)
        }


class _Composer:
    """Makes nodes of PyYAML's events; collects the problems that don't end the reading."""

    def __init__(self, text: str, file: str) -> None:
        self.problems: list[Problem] = []
        self._text, self._file = text, file
        self._events = self._read()
        self._last = Location(file, line=1, column=1)
        self._anchors: dict[str, _Node | None] = {}

    def compose(self) -> _Node | None:
        """Return the document's node, or None where it holds nothing.

        Raises:
            RecipeError: If the text is no YAML, or holds more than one document.
        """
        next(self._events)
        first = next(self._events)
        if not isinstance(first, yaml.DocumentStartEvent):
            return None
        if first.version not in {None, (1, 2)}:
            self._stop("the recipe asks for YAML 1.1", first, "recipes are YAML 1.2")
        node = self._node(next(self._events), depth=0)
        next(self._events)
        end = next(self._events)
        if not isinstance(end, yaml.StreamEndEvent):
            self._stop("a second document begins here", end, "keep one recipe in a file")
        return node

    def _read(self) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(self._text, Loader=yaml.BaseLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = self._location(mark.line, mark.column) if mark else self._last
            what, fix = _explain(error)
            raise RecipeError(what, where, fix) from error
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            # PyYAML hands `\UFFFFFFFF` to `chr`, and a long version number to `int`.
            what = f"the YAML cannot be read after this place: {error}"
            raise RecipeError(what, self._last) from error

    def _node(self, event: yaml.Event, depth: int) -> _Node:
        self._last = at = self._at(event)
        if depth > MAX_DEPTH:
            self._stop(f"nests deeper than {MAX_DEPTH} levels", event, "write it flatter")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, at)
        if not isinstance(event, yaml.NodeEvent):  # what the parser promises
            raise TypeError(type(event))
        if event.anchor is not None:
            if event.anchor in self._anchors:
                self._say(f"the anchor '&{event.anchor}' stands twice", at, "rename one of them")
            self._anchors[event.anchor] = None
        node = self._content(event, at, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _content(self, event: yaml.NodeEvent, at: Location, depth: int) -> _Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, at)
        if isinstance(event, yaml.CollectionStartEvent) and event.tag not in {None, "!"}:
            self._say(f"the tag '{event.tag}' is not allowed", at, "remove it")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(at, depth)
        return self._mapping(at, depth)

    def _alias(self, event: yaml.AliasEvent, at: Location) -> _Node:
        node = self._anchors.get(event.anchor or "")
        if node is None:
            kind = "stands for itself" if event.anchor in self._anchors else "stands for nothing"
            self._say(f"the alias '*{event.anchor}' {kind}", at, "write out the value")
            return _Node(at)
        return node

    def _scalar(self, event: yaml.ScalarEvent, at: Location) -> _Node:
        if event.tag not in _TEXT_TAGS:
            self._say(f"the tag '{event.tag}' is not allowed", at, "remove it")
        if found := UNPRINTABLE.search(event.value):
            code = ord(found.group())
            self._say(f"the character U+{code:04X} has no place in a recipe", at, "remove it")
        is_plain = event.implicit[0] and event.tag is None
        if not is_plain:
            return _Node(at, event.value, event.value)
        try:
            return _Node(at, scalar_value(event.value), event.value)
        except NumberTooLargeError:
            what = f"{event.value[:40]} is too large a number, or none"
            self._say(what, at, "if it is meant as text, write it in quotes")
            return _Node(at)

    def _sequence(self, at: Location, depth: int) -> _Node:
        children = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            children.append(self._node(event, depth + 1))
        return _Node(at, children=children)

    def _mapping(self, at: Location, depth: int) -> _Node:
        found: dict[str, tuple[Location, _Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            name = key.written
            if name is None:
                self._say("a key must be one word or text", key.at, "put it in quotes")
            elif name == "<<" and key.scalar == name:
                self._say("merge keys ('<<') are not part of YAML 1.2", key.at, "repeat the keys")
            elif name in found:
                first = found[name][0]
                what = f"the key '{name}' stands twice; first in line {first.line}, "
                self._say(f"{what}column {first.column}", key.at, "remove one of them")
            else:
                found[name] = (key.at, value)
        keys = [(name, where) for name, (where, _) in found.items()]
        return _Node(at, keys=keys, children=[value for _, value in found.values()])

    def _say(self, what: str, where: Location, fix: str) -> None:
        self.problems.append(Problem(what, where, fix))

    def _stop(self, what: str, event: yaml.Event, fix: str) -> NoReturn:
        raise RecipeError(what, self._at(event), fix)

    def _at(self, event: yaml.Event) -> Location:
        mark = event.start_mark
        return self._location(mark.line, mark.column) if mark else self._last

    def _location(self, line: int, column: int) -> Location:
        return Location(self._file, line=line + 1, column=column + 1)


def _explain(error: yaml.MarkedYAMLError) -> tuple[str, str | None]:
    """Return what a syntax error means and what helps, in the words of somebody with a recipe."""
    said = str(error.problem or error.context or "the YAML cannot be read")
    for part, what, fix in _MEANINGS:
        if part in said:
            return what, fix
    return f"the YAML cannot be read: {said}", None
