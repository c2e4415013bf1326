"""Divides one rendered row into what people look at: its parts, and which of it is trained."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, Self
from unicodedata import normalize

from cotdata.render.columns import IGNORED

#: The prompt; what stands around reasoning and answer; the two; the token that ends the answer.
Part = Literal["prompt", "frame", "reasoning", "answer", "stop"]

#: Token ids to text, special tokens included and nothing tidied up.
Decode = Callable[[list[int]], str]

_REASONING: Final = "{Complex_CoT}"
_ANSWER: Final = "{Response}"
_REPLACEMENT: Final = "\ufffd"
#: Far more tokens than a character is cut into: if they end in U+FFFD, so does the text.
_CHARACTER_TOKENS: Final = 64


class Form(NamedTuple):
    """What a completion has around its texts."""

    before: str
    between: str
    after: str
    stop: str

    @classmethod
    def of(cls, completion: str, stop: str) -> Self:
        """Read a completion as the manifest has it: text with `{Complex_CoT}` and `{Response}`."""
        before, _, rest = completion.rpartition(_ANSWER)
        opening, reasoning, between = before.partition(_REASONING)
        after = rest.removesuffix(stop)
        return cls(opening, between if reasoning else "", after, stop)


@dataclass(frozen=True)
class Span:
    """A piece of a row that is of one part, and trained or not as a whole."""

    text: str
    part: Part
    is_trained: bool
    #: Tokens that begin in it; None where the row was not decoded from tokens.
    tokens: int | None = None


@dataclass(frozen=True)
class RowView:
    """One rendered row, divided."""

    row_id: str
    origin: str
    spans: tuple[Span, ...]
    tokens: int | None
    trained: int | None
    #: Whether the tokens read back as what the text columns say; some tokenizers write a letter
    #: and its accent as one (NFC), which is the same text.
    is_as_text: bool

    @property
    def is_from_tokens(self) -> bool:
        """Whether the texts were read back from the tokens, not taken from the text columns."""
        return any(span.tokens is not None for span in self.spans)


def view_row(row: Mapping[str, Any], form: Form, decode: Decode | None = None) -> RowView:
    """Return a rendered row, divided.

    Args:
        row: With `row_id`, `origin` and what `spans` reads.
        form: What completions have around their texts.
        decode: See `spans`.
    """
    ids, labels = row.get("input_ids"), row.get("labels")
    text = row["prompt"] + row["completion"]
    return RowView(
        row_id=row["row_id"],
        origin=row["origin"],
        spans=spans(row, form, decode),
        tokens=None if labels is None else len(labels),
        trained=None if labels is None else sum(label != IGNORED for label in labels),
        is_as_text=decode is None or ids is None or _same(decode(list(ids)), text),
    )


def spans(row: Mapping[str, Any], form: Form, decode: Decode | None = None) -> tuple[Span, ...]:
    """Divide a rendered row; the spans' texts are, one after the other, all of it.

    Args:
        row: With `prompt` and `completion`, `Complex_CoT`, and perhaps `input_ids` and `labels`.
        form: What completions have around their texts.
        decode: What the row is read back from its tokens with; without it the text columns are
            shown, and all of the completion counts as trained.
    """
    pieces = _pieces(row, decode)
    text = "".join(piece.text for piece in pieces)
    start = len(row["prompt"])
    if not text.startswith(row["prompt"]):
        start = sum(len(piece.text) for piece in _before_trained(pieces))
    parts = [(text[:start], "prompt"), *_completion(text[start:], row.get("Complex_CoT"), form)]
    return tuple(_divided(pieces, [(len(part), name) for part, name in parts if part]))


def _same(one: str, other: str) -> bool:
    return one == other or normalize("NFC", one) == normalize("NFC", other)


class _Piece(NamedTuple):
    """Text that is trained or not as a whole, with the tokens that make it."""

    text: str
    is_trained: bool
    tokens: int | None


def _pieces(row: Mapping[str, Any], decode: Decode | None) -> list[_Piece]:
    ids, labels = row.get("input_ids"), row.get("labels")
    if decode is None or ids is None or labels is None:
        both = _Piece(row["prompt"], False, None), _Piece(row["completion"], True, None)
        return [piece for piece in both if piece.text]
    return list(_decoded(ids, labels, decode))


def _decoded(ids: Sequence[int], labels: Sequence[int], decode: Decode) -> Iterator[_Piece]:
    """Read tokens back one by one, and together those that share a character."""
    before: list[int] = []
    start = 0
    for end in range(1, len(ids) + 1):
        is_trained = labels[start] != IGNORED
        changes = end == len(ids) or (labels[end] != IGNORED) != is_trained
        now = list(ids[start:end])
        # With the tokens before them, because some tokenizers drop the blank before a text's first.
        head, text = decode(before), decode(before + now)
        text = text[len(head) :] if text.startswith(head) else decode(now)
        if text.endswith(_REPLACEMENT) and not changes and len(now) < _CHARACTER_TOKENS:
            continue
        yield _Piece(text, is_trained, len(now))
        before, start = now, end


def _before_trained(pieces: Sequence[_Piece]) -> Iterator[_Piece]:
    for piece in pieces:
        if piece.is_trained:
            return
        yield piece


def _completion(text: str, reasoning: str | None, form: Form) -> list[tuple[str, Part]]:
    """Divide a completion, as far as it has the form; what is left is the answer."""
    ends: tuple[tuple[str, Part], ...] = ((form.stop, "stop"), (form.after, "frame"))
    tail: list[tuple[str, Part]] = []
    for literal, part in ends:
        if not text.endswith(literal):
            break
        tail.insert(0, (literal, part))
        text = text.removesuffix(literal)
    place = _reasoning_end(text, reasoning, form)
    if place is None:
        return [(text, "answer"), *tail]
    start, end = len(form.before), place + len(form.between)
    return [
        (text[:start], "frame"),
        (text[start:place], "reasoning"),
        (text[place:end], "frame"),
        (text[end:], "answer"),
        *tail,
    ]


def _reasoning_end(text: str, reasoning: str | None, form: Form) -> int | None:
    """Return where the reasoning ends: it may have within it what closes it elsewhere."""
    if not form.between or not text.startswith(form.before):
        return None
    start = len(form.before)
    first = place = text.find(form.between, start)
    wanted = (reasoning or "").strip()
    while place >= 0:
        if text[start:place].strip() == wanted:
            return place
        place = text.find(form.between, place + 1)
    return first if first >= 0 and wanted else None


def _divided(pieces: Sequence[_Piece], parts: Sequence[tuple[int, Part]]) -> Iterator[Span]:
    """Cut pieces where parts end, and join what is alike."""
    found: Span | None = None
    for span in _cut(pieces, parts):
        if found and (found.part, found.is_trained) == (span.part, span.is_trained):
            tokens = None if span.tokens is None else (found.tokens or 0) + span.tokens
            found = Span(found.text + span.text, found.part, found.is_trained, tokens)
        else:
            if found:
                yield found
            found = span
    if found:
        yield found


def _cut(pieces: Sequence[_Piece], parts: Sequence[tuple[int, Part]]) -> Iterator[Span]:
    waiting = list(reversed(parts)) or [(0, "prompt")]
    left, part = waiting.pop()
    for piece in pieces:
        text, tokens = piece.text, piece.tokens
        while len(text) > left and waiting:
            if left:
                yield Span(text[:left], part, piece.is_trained, tokens)
                tokens = None if tokens is None else 0
            text = text[left:]
            left, part = waiting.pop()
        yield Span(text, part, piece.is_trained, tokens)
        left -= len(text)
