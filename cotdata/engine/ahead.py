"""Works on the next item while the one before is used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the same items, each made in a thread while its forerunner is used.

    Not for items that may take for ever to come: a thread cannot be interrupted.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="cotdata-ahead") as pool:
        coming = pool.submit(_next, items)
        while (item := coming.result()) is not None:
            coming = pool.submit(_next, items)
            yield item[0]


def _next(items: Iterator[Item]) -> tuple[Item] | None:
    """Return the next item in a tuple, since it may itself be None; None at the end."""
    for item in items:
        return (item,)
    return None
