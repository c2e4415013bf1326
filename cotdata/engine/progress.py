"""How a long build says what it is doing, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """Listens to a build: the command line draws bars, a program may do nothing."""

    def start(self, step: str, total: int | None, unit: str) -> None:
        """Begin a step of `total` units (None: unknown), ending the one before."""
        ...

    def advance(self, amount: int) -> None:
        """Say that `amount` units more of the step are done."""
        ...

    def say(self, message: str) -> None:
        """Tell the user something that does not belong to a bar."""
        ...


class Silence:
    """The listener that says nothing."""

    def start(self, step: str, total: int | None, unit: str) -> None:
        """Say nothing."""

    def advance(self, amount: int) -> None:
        """Say nothing."""

    def say(self, message: str) -> None:
        """Say nothing."""
