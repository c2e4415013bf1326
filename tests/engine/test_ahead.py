import threading
from collections.abc import Iterator

import pytest

from cotdata.engine.ahead import ahead


def test_items_come_in_order_and_none_is_one_of_them() -> None:
    assert list(ahead(iter([1, None, 3]))) == [1, None, 3]
    assert list(ahead(iter([]))) == []


def test_an_error_comes_at_the_item_that_raised_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        message = "broken"
        raise ValueError(message)

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="broken"):
        next(coming)


def test_the_next_item_is_made_before_it_is_asked_for() -> None:
    second_is_made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        second_is_made.set()
        yield 2

    coming = ahead(items())
    assert next(coming) == 1
    assert second_is_made.wait(timeout=30)
    assert list(coming) == [2]


def test_nothing_is_made_after_the_reader_left() -> None:
    made = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    coming = ahead(items())
    assert next(coming) == 0
    coming.close()  # type: ignore[attr-defined]
    assert len(made) <= 3
