"""Every error that cotdata raises on purpose: what is wrong, where, and how to fix it.

    CotdataError
    ├── ProblemsError    everything that is wrong at once, in `problems`
    │   ├── RecipeError  the recipe, or the command line that overrides it
    │   └── VerifyError  a finished run that no longer holds
    ├── SourceError      a file or a data set that cannot be read at all
    ├── StageError       a stage that cannot run on these columns, or broke a law
    ├── RenderError      a model's tokenizer or template that cannot be used
    └── WriteError       a folder that cannot be written, or must not be overwritten

A bad row is never an error: it is a rejected row with a reason.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Location(NamedTuple):
    """Where a problem is: `file:row` in data, `file:line:column` in a recipe; all count from 1."""

    file: str
    row: int | None = None
    line: int | None = None
    column: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        """Write the place as editors and terminals make it clickable."""
        numbers = [self.row] if self.row is not None else [self.line, self.column]
        place = ":".join([self.file, *(str(number) for number in numbers if number is not None)])
        return f"{place} ({self.field})" if self.field else place


class Problem(NamedTuple):
    """One of several problems that are reported together."""

    what: str
    where: Location | None = None
    fix: str | None = None

    def __str__(self) -> str:
        """Write the problem on one line and its fix on a second."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n  fix: {self.fix}" if self.fix else head


class CotdataError(Exception):
    """Base of every error in this module: what is wrong, where, and how to fix it."""

    # Arguments go to Exception.__init__ unchanged, so errors survive pickling between processes.
    def __init__(self, what: str, where: Location | None = None, fix: str | None = None) -> None:
        super().__init__(what, where, fix)
        self.what, self.where, self.fix = what, where, fix

    def __str__(self) -> str:
        """Write the error on one line and its fix on a second."""
        return str(Problem(self.what, self.where, self.fix))


class ProblemsError(CotdataError):
    """Base of the errors that report every problem found, not only the first."""

    def __init__(
        self,
        what: str,
        where: Location | None = None,
        fix: str | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(what, where, fix)
        self.args = (what, where, fix, tuple(problems))
        self.problems = tuple(problems) or (Problem(what, where, fix),)

    def __str__(self) -> str:
        """Write one block for each problem, and the fix that is theirs in common."""
        blocks = [str(problem) for problem in self.problems]
        if self.fix and not any(problem.fix for problem in self.problems):
            blocks.append(f"  fix: {self.fix}")
        return "\n".join(blocks)


class RecipeError(ProblemsError):
    """A recipe that cannot be run; `problems` holds every problem found."""


class SourceError(CotdataError):
    """A source that cannot be read at all: missing, unreadable, of no known format, or misfit."""


class StageError(CotdataError):
    """A stage that cannot run on the columns it is given, or that broke the accounting."""


class RenderError(CotdataError):
    """A model's tokenizer or template that cannot be used."""


class WriteError(CotdataError):
    """A folder that cannot be written, or must not be overwritten."""


class VerifyError(ProblemsError):
    """A finished run whose files no longer agree with its manifest."""
