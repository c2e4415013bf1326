r"""Cuts the statement around a place out of a mathematical text: a sentence, never half a formula.

The block around the place (up to the blank lines on both sides, further where a display has blank
lines in it) is cut into sentences. A sentence ends

* at `.`, `!`, `?` (with closing quotes, brackets and emphasis) before white space that no lower
  case letter follows, but not after an abbreviation such as `Mrs.`; at `。`, `！`, `？`;
* at mathematics that itself ends so (`$x=5.$ Next …`);
* at a line break before a heading or a list item, after a heading, and before a capital unless
  the line leads on (`:`, `,`);
* between two displays, unless the second goes on with a relation (`= 4`).

What stands between mathematical delimiters (`$…$`, `$$…$$`, `\(…\)`, `\[…\]`, environments) is
never cut. `$` opens mathematics only as pandoc reads it (no blank inside its ends, no digit after
the closing one) or with blanks inside both ends, so that prices stay prices. A list marker at the
front is left out. Where the statement begins with mathematics and the text before it ends in a
colon, that sentence comes along. If a cut would leave delimiters unbalanced, the block is taken
whole.
"""

import re
from typing import Final

#: Blocks are read this many characters around the place: what lies further is not its sentence,
#: and delimiters that never close make reading quadratic.
WINDOW_CHARS: Final = 4_000

_NAME: Final = r"\{[A-Za-z]+\*?\}"
_DISPLAY: Final = (
    r"\$\$[^\\$]*+(?:(?:\\.|\$(?!\$))[^\\$]*+)*+\$\$"
    r"|\\\[[^\\]*+(?:\\[^\]][^\\]*+)*+\\\]"
    r"|\\begin\{(?!document|enumerate|itemize|proof|center|quote|solution)(?P<name>[A-Za-z]+\*?)\}"
    r".*?\\end\{(?P=name)\}"
)
_INLINE: Final = (
    r"\\\([^\\]*+(?:\\[^)][^\\]*+)*+\\\)"
    r"|\$(?=[^\s$])[^\\$]*+(?:\\.[^\\$]*+)*+(?<!\s)\$(?!\d)"
    r"|\$(?=\s)[^\\$]*+(?:\\.[^\\$]*+)*+(?<=\s)\$(?!\d)"
)
# What cannot end a sentence is run through inside the pattern: matches are what costs.
_RUN: Final = (
    r"(?:[^\\$.!?。！？\n]++|[.!?](?![\s\"'”’)\]*_]|\Z)|\\(?!\[|\(|begin\{)."
    rf"|(?:{_INLINE})(?<![.!?]\$)(?<![.!?]\s\$)(?<![.!?]\\\))(?<![.!?]\s\\\)))*+"
)
_TOKENS: Final = re.compile(
    rf"{_RUN}(?:(?P<display>{_DISPLAY})"
    rf"|(?P<inline>{_INLINE})"
    r"|(?P<stop>[.!?][\"'”’)\]*_]*(?=\s+[^a-z\s]|\s*\Z)|[。！？][”’」』）)\]*_]*)"
    r"|(?P<line>\n\s*)"
    r"|.|\Z)",
    re.DOTALL,
)
#: Whatever could end a sentence, or hide an end in mathematics, but for `$…$`.
_CUT: Final = re.compile(r"[.!?。！？\n]|\$\$|\\[\[\]()]|\\(?:begin|end)\b")
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(])(?:Mrs?|Ms|Dr|St|Prof|Jr|Sr|vs|approx|resp|Nos?|Fig|Eqs?|cf|e\.g|i\.e)\Z"
)
_LIST_MARK: Final = re.compile(r"(?:(?:#+|[-•+>]|\*|\d{1,3}[.)])\s+)+")
_NEW_PART: Final = re.compile(r"#+\s|[-•+>*]\s|\d{1,3}[.)]\s|```|___|---|\\end\{")
_CAPITAL: Final = re.compile(r"[*_(\"“]*[A-Z\u4e00-\u9fff]")
_LEADS_ON: Final = (":", ",", ";", "=", "：", "，", "；")
_RELATION: Final = re.compile(
    rf"(?:\$\$|\\\[|\\begin{_NAME})\s*&?\s*"
    r"(?:[=<>≤≥≈+]|\\(?:leq?|geq?|neq?|approx|equiv|sim|implies|(?:Long)?[Rr]ightarrow|iff|to)\b)"
)
_ENDS_IN_STOP: Final = re.compile(rf"[.!?]\s*(?:\$\$?|\\\]|\\\)|\\end{_NAME})\Z")
_NEXT_SENTENCE: Final = re.compile(r"\s+[^a-z\s]|\s*\Z")
_MATHEMATICS: Final = re.compile(r"\s*(?:\$|\\[\[(]|\\begin\{|\\boxed|\\fbox)")
_BLANK_LINE: Final = re.compile(r"\n[ \t\r]*\n")
_DELIMITER: Final = re.compile(rf"\\begin{_NAME}|\\end{_NAME}|\\.|\$\$", re.DOTALL)


def statement_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the bounds of the statement that holds `text[start:end]`, without outer blanks."""
    low, high = _lines(text, start, end)
    if text[high : high + 9].lstrip().startswith(r"\]"):
        high = _end_of_next(text, high)
    first, last = low, high
    if not _is_one_sentence(text, (low, high), start, end):
        if not _is_balanced(text[low:high]):
            low, high = _whole_displays(text, low, high)
        first, last = _sentence(text, (low, high), start, end)
        if (first, last) != (low, high) and not _is_balanced(text[first:last]):
            first, last = low, high
    if first == low and _MATHEMATICS.match(text, first, high):
        first = _lead_in(text, first)
    return _trim(text, first, last, start)


def _is_one_sentence(text: str, block: tuple[int, int], start: int, end: int) -> bool:
    """Say whether nothing in a block can cut it: most are, and need no reading by tokens."""
    low, high = block
    if _CUT.search(text, low, start):
        return False
    cut = _CUT.search(text, end, high)
    return cut is None or (cut.group() in ".!?" and not text[cut.end() : high].strip())


def _whole_displays(text: str, low: int, high: int) -> tuple[int, int]:
    """Widen a block to the whole of a display that has blank lines in it."""
    opened, closed = _unbalanced(text[low:high])
    # Four steps are more than was ever seen.
    for _ in range(4):
        if closed and low > 0:
            above = max(0, len(text[:low].rstrip()) - 1)
            low = _lines(text, above, above)[0]
        elif opened and high < len(text):
            high = _end_of_next(text, high)
        else:
            break
        opened, closed = _unbalanced(text[low:high])
    return low, high


def _end_of_next(text: str, high: int) -> int:
    below = len(text) - len(text[high:].lstrip())
    return _lines(text, below, below)[1]


def _lines(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the bounds of the lines around a place, up to blank lines or the window's edge."""
    floor = max(0, start - WINDOW_CHARS)
    low = text.rfind("\n", floor, start) + 1 or floor
    while low > floor:
        above = text.rfind("\n", floor, low - 1) + 1 or floor
        if not text[above : low - 1].strip():
            break
        low = above
    ceiling = min(len(text), end + WINDOW_CHARS)
    blank = _BLANK_LINE.search(text, end, ceiling)
    return low, blank.start() if blank else ceiling


def _sentence(text: str, block: tuple[int, int], start: int, end: int) -> tuple[int, int]:
    low, high = block
    first, last = low, high
    after_display = -1
    for token in _TOKENS.finditer(text, low, high):
        kind = token.lastgroup
        if kind is None:
            continue
        at, to = token.span(kind)
        if kind == "display":
            is_next = after_display >= 0 and not text[after_display:at].strip()
            if is_next and not _RELATION.match(text, at):
                if at >= end:
                    return first, at
                first = at if at <= start else first
            after_display = to
        if not _ends_sentence(text, kind, (at, to), block):
            continue
        if to > start and to >= end:
            return first, min(to, last)
        first = to if to <= start else first
    return first, last


def _ends_sentence(text: str, kind: str, span: tuple[int, int], block: tuple[int, int]) -> bool:
    at, to = span
    low, high = block
    if kind == "stop":
        return not _ABBREVIATION.search(text[max(low, at - 8) : at])
    if kind == "line":
        return _breaks_off(text, span, block)
    stops = _ENDS_IN_STOP.search(text, max(at, to - 20), to)
    return bool(stops and _NEXT_SENTENCE.match(text, to, high))


def _breaks_off(text: str, span: tuple[int, int], block: tuple[int, int]) -> bool:
    """Say whether a sentence ends at the line break `span`."""
    at, to = span
    low, high = block
    line = text[max(low, text.rfind("\n", low, at) + 1) : at].strip()
    if line.startswith("#") or text.count("\n", at, to) > 1:
        return True
    if _NEW_PART.match(text, to, high):
        return True
    leads_on = line.rstrip("*_ ").endswith(_LEADS_ON)
    return not leads_on and bool(_CAPITAL.match(text, to, high))


def _lead_in(text: str, first: int) -> int:
    """Return where the sentence begins that leads on to what stands at `first`."""
    end = len(text[:first].rstrip())
    if not text[:end].endswith((":", "：")):
        return first
    low = _lines(text, end - 1, end)[0]
    begin = _sentence(text, (low, end), end - 1, end)[0]
    return first if text[begin:end].lstrip().startswith("#") else begin


def _trim(text: str, first: int, last: int, start: int) -> tuple[int, int]:
    piece = text[first:last]
    first += len(piece) - len(piece.lstrip())
    last -= len(piece) - len(piece.rstrip())
    mark = None if text[first].isalpha() else _LIST_MARK.match(text, first, start)
    return mark.end() if mark else first, last


def _is_balanced(piece: str) -> bool:
    is_plain = (
        piece.count(r"\[") == piece.count(r"\]")
        and piece.count(r"\(") == piece.count(r"\)")
        and piece.count(r"\begin{") == piece.count(r"\end{")
        and piece.count("$$") % 2 == 0
    )
    return is_plain or _unbalanced(piece) == (False, False)


def _unbalanced(piece: str) -> tuple[bool, bool]:
    """Say whether something is opened that is not closed, and closed that was not opened."""
    depth, closed, dollars = 0, False, 0
    for delimiter in _DELIMITER.findall(piece):
        if delimiter == "$$":
            dollars += 1
        elif delimiter in (r"\[", r"\(") or delimiter.startswith(r"\begin"):
            depth += 1
        elif delimiter in (r"\]", r"\)") or delimiter.startswith(r"\end"):
            closed = closed or depth == 0
            depth = max(0, depth - 1)
    return depth > 0 or dollars % 2 == 1, closed
