"""Tables and figures as the terminal shows them."""

import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cotdata.cli.terminal import printable

_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")


def size(count: int) -> str:
    """Return a number of bytes as people read it: `12.3 MB`."""
    amount = float(count)
    for unit in _UNITS[:-1]:
        if amount < 1000:
            return f"{count:,} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} {_UNITS[-1]}"


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table without lines; a column whose name begins with `>` is aligned to the right.

    The last column takes what room is left, and wraps.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        is_last = name is columns[-1]
        table.add_column(
            name.lstrip(">"),
            justify="right" if name.startswith(">") else "left",
            no_wrap=not is_last,
            overflow="fold" if is_last else "ellipsis",
            ratio=1 if is_last else None,
        )
    for row in rows:
        # Text, not str: a cell of data is never read as markup.
        table.add_row(*(Text(printable(cell)) for cell in row))
    console(stderr=False).print(table)


def console(*, stderr: bool) -> Console:
    """Return a console that reads no markup, and draws colours on a terminal only."""
    return _Console(
        file=sys.stderr if stderr else sys.stdout, markup=False, emoji=False, highlight=False
    )


class _Console(Console):
    """Leaves a reader that went away to `guarded`; rich itself would end the process with 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError
