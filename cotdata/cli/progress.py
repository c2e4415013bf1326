"""Progress on stderr: a bar for the step that runs, with its rate and the time left."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.progress import (
    BarColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.progress import (
    Progress as RichProgress,
)
from rich.table import Column
from rich.text import Text

from cotdata.cli.tables import console
from cotdata.cli.terminal import printable

#: What leaves room for the figures on a terminal of 80 columns.
_NAME_CHARS: Final = 24

if TYPE_CHECKING:
    from cotdata.engine.progress import Progress


@contextmanager
def bars(*, quiet: bool) -> "Iterator[Progress]":
    """Show progress while the block runs; nothing where stderr is no terminal, or if `quiet`."""
    from cotdata.engine.progress import Silence

    if quiet or not sys.stderr.isatty():
        yield Silence()
        return
    with RichProgress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=10),
        _Amounts(table_column=Column(no_wrap=True)),
        console=console(stderr=True),
        transient=True,
    ) as shown:
        yield _Bars(shown)


class _Bars:
    """Draws the step that runs; a step that is done leaves nothing behind."""

    def __init__(self, shown: RichProgress) -> None:
        self._shown = shown
        self._task: TaskID | None = None

    def start(self, step: str, total: int | None, unit: str) -> None:
        if self._task is not None:
            self._shown.remove_task(self._task)
        name = printable(step)
        if len(name) > _NAME_CHARS:
            name = name[: _NAME_CHARS - 1] + "…"
        self._task = self._shown.add_task(name, total=total, unit=printable(unit))

    def advance(self, amount: int) -> None:
        if self._task is not None:
            self._shown.advance(self._task, amount)

    def say(self, message: str) -> None:
        self._shown.console.print(Text(printable(message)))


class _Amounts(ProgressColumn):
    """`12,000 of 25,371 rows · 12k/s · 2 s left`, as much of it as is known."""

    def render(self, task: Task) -> Text:
        total = "" if task.total is None else f" of {task.total:,.0f}"
        parts = [f"{task.completed:,.0f}{total} {task.fields['unit']}"] if task.completed else []
        if task.speed:
            is_fast = task.speed >= 10_000
            parts.append(f"{task.speed / 1000:,.0f}k/s" if is_fast else f"{task.speed:,.0f}/s")
        if task.time_remaining:
            parts.append(f"{_duration(task.time_remaining)} left")
        return Text(" · ".join(parts))


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
