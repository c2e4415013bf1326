from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.engine.arrow_files import read_arrow, write_arrow

ROWS = 40


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "number": range(ROWS),
            "text": [None if at % 7 == 0 else f"text {at} 肝" * (at % 5) for at in range(ROWS)],
            "turns": [[{"role": "user", "content": str(at)}] * (at % 3) for at in range(ROWS)],
        }
    )


@pytest.fixture(scope="module")
def file(frame: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("arrow") / "rows.arrow"
    write_arrow(pl.concat([frame[:11].rechunk(), frame[11:].rechunk()], rechunk=False), path)
    return path


@given(places=st.lists(st.integers(0, ROWS - 1), max_size=60) | st.sets(st.integers(0, ROWS - 1)))
def test_places_are_read_in_their_order_repeats_included(
    file: Path, frame: pl.DataFrame, places: list[int] | set[int]
) -> None:
    asked = np.array(sorted(places) if isinstance(places, set) else places, dtype=np.int64)
    assert read_arrow(file, places=asked).equals(frame[asked])


def test_few_and_many_places_give_the_same_rows(file: Path, frame: pl.DataFrame) -> None:
    for count in range(ROWS + 1):
        places = np.arange(count, dtype=np.int64)
        assert read_arrow(file, places=places).equals(frame[:count])


def test_columns_are_read_in_the_order_asked_for(file: Path, frame: pl.DataFrame) -> None:
    assert read_arrow(file, ["turns", "number"]).equals(frame.select("turns", "number"))
