"""Prints one rendered row: its parts in colours on a terminal, under headings elsewhere."""

import sys
from typing import Final

import orjson
from rich.console import Console
from rich.style import Style
from rich.text import Text

from cotdata.cli.tables import console
from cotdata.cli.terminal import counted, write_line, write_text
from cotdata.render.view import Part, RowView, Span
from cotdata.report.text import visible

#: Colours of the 256 that stand out from black and from white alike (`tests/cli/test_row_view.py`);
#: the prompt has the terminal's own.
STYLES: Final[dict[Part, Style]] = {
    "prompt": Style(),
    "frame": Style(color="color(133)"),
    "reasoning": Style(color="color(31)"),
    "answer": Style(color="color(28)"),
    "stop": Style(color="color(160)", bold=True),
}
_TRAINED: Final = Style(underline=True)
#: Where a line is broken, and a tab: seen, because a model sees them.
_BREAK: Final = "↵"
_TAB: Final = "⇥"


def print_row(view: RowView, *, as_json: bool) -> None:
    """Print a rendered row; nothing that is in it can steer the terminal."""
    if as_json:
        write_text(_json(view))
        return
    write_line(f"{view.row_id}  {view.origin}")
    write_line(_counts(view))
    if not view.is_as_text:
        write_line("The tokens read back as another text than the columns; shown are the tokens.")
    screen = console(stderr=False)
    if screen.color_system and not screen.no_color:
        _print_colours(view, screen)
    else:
        _print_headings(view)


def _json(view: RowView) -> bytes:
    return orjson.dumps(
        {
            "row_id": view.row_id,
            "origin": view.origin,
            "n_tokens": view.tokens,
            "n_trained": view.trained,
            "is_as_text": view.is_as_text,
            "spans": [
                {
                    "part": span.part,
                    "is_trained": span.is_trained,
                    "tokens": span.tokens,
                    "text": span.text,
                }
                for span in view.spans
            ],
        }
    )


def _counts(view: RowView) -> str:
    if view.tokens is None:
        return "Without tokens: the text alone"
    shown = "read back from the tokens" if view.is_from_tokens else "shown as the text columns"
    return f"{counted(view.tokens, 'token')}, {view.trained or 0:,} trained; {shown}"


def _print_colours(view: RowView, screen: Console) -> None:
    legend = Text(" ").join(Text(part, style) for part, style in STYLES.items())
    screen.print(legend + Text("  ") + Text("trained", _TRAINED))
    screen.print()
    text = Text(overflow="fold")
    for span in view.spans:
        style = STYLES[span.part]
        for line in _lines(span.text):
            text.append(line.rstrip("\n"), style + _TRAINED if span.is_trained else style)
            if line.endswith("\n"):
                text.append("\n")
    screen.print(text)


def _print_headings(view: RowView) -> None:
    for span in view.spans:
        write_line("")
        write_line(_heading(span))
        write_text("".join(_lines(span.text)))


def _heading(span: Span) -> str:
    tokens = "" if span.tokens is None else f", {counted(span.tokens, 'token')}"
    return f"[{span.part}{tokens}, {'trained' if span.is_trained else 'not trained'}]"


def _lines(text: str) -> list[str]:
    """Return a text as it can be shown, line by line, with each break and tab seen."""
    mark, tab = _marks()
    return visible(text).replace("\t", tab).replace("\n", f"{mark}\n").splitlines(keepends=True)


def _marks() -> tuple[str, str]:
    try:
        (_BREAK + _TAB).encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return "\\n", "\\t"
    return _BREAK, _TAB
