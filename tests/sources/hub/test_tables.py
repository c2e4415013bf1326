import json
from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pytest

from cotdata.sources.hub.tables import peek_tables, read_tables
from cotdata.sources.records import EVIDENCE, PLACE, RAW, REASON, REST, Wanted

QUESTION = Wanted(text=("question",))


def tables(*sizes: int) -> Iterator[pa.Table]:
    at = 0
    for size in sizes:
        numbers = list(range(at, at + size))
        at += size
        yield pa.table({"question": [f"q{number}" for number in numbers], "number": numbers})


def nested_json(*texts: str) -> pa.Array:
    offsets = pa.array(range(len(texts) + 1), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(texts, pa.json_()))


@pytest.mark.parametrize("sizes", [(10,), (3, 3, 4), (1,) * 10, (0, 10, 0)])
@pytest.mark.parametrize(("first", "stop"), [(0, None), (0, 4), (3, 6), (4, 4), (9, 99), (20, 30)])
def test_a_slice_does_not_depend_on_how_the_tables_are_cut(
    sizes: tuple[int, ...], first: int, stop: int | None
) -> None:
    batches = list(read_tables(tables(*sizes), QUESTION, first, stop, None))
    frames = [batch.frame for batch in batches if batch.frame is not None]
    places = [place for frame in frames for place in frame[PLACE].to_list()]
    assert places == list(range(1, 11))[first:stop]
    assert [q for frame in frames for q in frame["question"]] == [f"q{p - 1}" for p in places]
    assert sum(batch.records for batch in batches) == 10


def test_what_is_known_to_lie_behind_is_not_read() -> None:
    source = tables(3, 3, 3)
    batches = list(read_tables(source, QUESTION, 0, 2, 9))
    assert sum(batch.records for batch in batches) == 9
    assert next(source)["question"].to_pylist() == ["q3", "q4", "q5"]


def test_a_count_that_has_been_passed_is_not_believed() -> None:
    batches = list(read_tables(tables(3, 3), QUESTION, 0, 2, 2))
    assert sum(batch.records for batch in batches) == 6


def test_large_rows_come_in_batches_that_fit_memory() -> None:
    rows = pa.table({"question": ["x" * (1 << 20)] * 40})
    batches = list(read_tables(iter([rows]), QUESTION, 0, None, None))
    assert sum(batch.records for batch in batches) == 40
    assert max(batch.records for batch in batches) <= 16


def test_json_text_is_read_as_the_value_that_it_is() -> None:
    table = pa.table(
        {
            "question": pa.array(['"What?"', "5", None, '{"a":[1]}'], pa.json_()),
            "parts": nested_json("1.50", '"x"', "[null]", '{"b":12345678901234567890123}'),
            "day": [date(2024, 1, 2)] * 4,
        }
    )
    (batch,) = read_tables(iter([table]), QUESTION, 0, None, None)
    frame = batch.frame
    assert frame is not None
    assert frame["question"].to_list() == ["What?", None, None, None]
    assert frame[REASON].to_list() == [None, "not_text", None, "not_text"]
    assert json.loads(frame[EVIDENCE][1]) == {"column": "question", "found": "number"}
    assert frame[REST][0] == '{"parts":[1.5],"day":"2024-01-02"}'
    rejected = b'{"question":{"a":[1]},"parts":[{"b":12345678901234567890123}],"day":"2024-01-02"}'
    assert frame[RAW][3] == rejected
    assert batch.notes == {"mixed_types": 4}


def test_json_text_inside_a_struct_is_read_as_the_value_that_it_is() -> None:
    struct = pa.StructArray.from_arrays(
        [pa.array(["1", '"one"', None], pa.json_()), pa.array(["a", "b", None])],
        ["value", "name"],
        mask=pa.array([False, False, True]),
    )
    (batch,) = read_tables(iter([pa.table({"s": struct})]), Wanted(json=("s",)), 0, None, None)
    assert batch.frame is not None
    expected = ['{"value":1,"name":"a"}', '{"value":"one","name":"b"}', None]
    assert batch.frame["s"].to_list() == expected


def test_text_that_was_taken_for_json_stays_text() -> None:
    table = pa.table({"question": pa.array(["1", "not JSON", "NaN"], pa.json_())})
    (batch,) = read_tables(iter([table]), Wanted(scalar=("question",)), 0, None, None)
    assert batch.frame is not None
    assert batch.frame["question"].to_list() == ["1", "not JSON", "NaN"]


def test_a_record_that_is_not_utf8_is_rejected_beside_json_text() -> None:
    stored = pa.array([b"good", b"b\xffd", b"fine"], pa.binary()).buffers()
    question = pa.StringArray.from_buffers(3, stored[1], stored[2])
    table = pa.table({"question": question, "n": pa.array(["1", "2", '"x"'], pa.json_())})
    (batch,) = read_tables(iter([table]), QUESTION, 0, None, None)
    frame = batch.frame
    assert frame is not None
    assert frame["question"].to_list() == ["good", None, "fine"]
    assert frame[REST].to_list() == ['{"n":1}', None, '{"n":"x"}']
    assert frame[REASON].to_list() == [None, "not_utf8", None]
    assert frame[PLACE].to_list() == [1, 2, 3]


def test_numbers_and_text_that_python_cannot_hold_reject_no_other_record() -> None:
    texts = ["1e999", '"\\ud800"', '["\\ud800",1e999]', "2"]
    table = pa.table({"question": ["a", "b", "c", "d"], "n": pa.array(texts, pa.json_())})
    (batch,) = read_tables(iter([table]), QUESTION, 0, None, None)
    assert batch.frame is not None
    assert batch.frame["question"].to_list() == ["a", None, None, "d"]
    assert batch.frame[REST].to_list() == ['{"n":1e999}', None, None, '{"n":2}']
    assert batch.frame[REASON].to_list() == [None, "bad_json", "bad_json", None]


def test_columns_and_their_order_are_those_of_the_local_formats() -> None:
    plain = pa.table({"question": ["q"]})
    mixed = pa.table({"question": pa.array(['"q"'], pa.json_())})
    frames = [next(read_tables(iter([t]), QUESTION, 0, None, None)).frame for t in (plain, mixed)]
    assert frames[0] is not None
    assert frames[1] is not None
    assert frames[0].schema == frames[1].schema
    assert frames[0].columns == ["question", PLACE, REST, REASON, EVIDENCE, RAW]
    assert frames[0].rows() == frames[1].rows()


def test_a_peek_shows_kinds_and_the_first_records() -> None:
    mixed = pa.table({"a": [1, None], "b": pa.array(["true", '"x"'], pa.json_())})
    peek = peek_tables(iter([mixed]), "hf")
    assert peek.columns == {
        "a": frozenset({"number", "null"}),
        "b": frozenset({"boolean", "string"}),
    }
    assert peek.examples == [{"a": 1, "b": True}, {"a": None, "b": "x"}]


def test_a_peek_leaves_out_what_no_number_can_hold() -> None:
    vast = pa.table({"a": pa.array(["1e999", "1"], pa.json_())})
    assert peek_tables(iter([vast]), "hf").examples == [{"a": 1}]


def test_a_peek_looks_at_200_records_and_knows_the_columns_of_an_empty_table() -> None:
    source = tables(150, 150, 150)
    assert len(peek_tables(source, "hf").examples) == 200
    assert next(source).num_rows == 150
    empty = peek_tables(tables(0), "hf")
    assert empty.columns == {"question": frozenset(), "number": frozenset()}
