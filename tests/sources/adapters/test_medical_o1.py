from pathlib import Path

import orjson
import polars as pl
import pytest

from cotdata.sources.adapters import MedicalO1, adapt, wanted
from tests.sources.adapters.frames import read

MEDICAL = MedicalO1()


def test_takes_the_three_columns_and_keeps_the_rest() -> None:
    native = {"Question": " q ", "Complex_CoT": " c ", "Response": "r\n", "id": 7}
    found = adapt(read([native], wanted(MEDICAL)), MEDICAL)
    row = found.rows.row(0, named=True)
    assert (row["Question"], row["Complex_CoT"], row["Response"]) == ("q", " c ", "r\n")
    assert row["meta"] == '{"id":7}'
    assert found.notes == {"question_stripped": 1}


def test_a_column_that_a_record_lacks_is_null() -> None:
    found = adapt(read([{"Question": "q"}], wanted(MEDICAL)), MEDICAL)
    row = found.rows.row(0, named=True)
    assert (row["Complex_CoT"], row["Response"], row["meta"]) == (None, None, None)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "count"),
    [("medical_o1_en_liver_filtered", 847), ("medical_o1_zh_liver_filtered", 1540)],
)
def test_reads_real_rows(real_data: Path, name: str, count: int) -> None:
    native = orjson.loads((real_data / "medical" / f"{name}.json").read_bytes())
    rows = adapt(read(native, wanted(MEDICAL)), MEDICAL).rows
    assert rows.height == count
    assert rows["Complex_CoT"].to_list() == [record["Complex_CoT"] for record in native]
    assert rows["Response"].to_list() == [record["Response"] for record in native]
    assert (
        rows.select(pl.col("Question", "Complex_CoT", "Response").null_count()).row(0) == (0,) * 3
    )
    assert rows["meta"].null_count() == count
