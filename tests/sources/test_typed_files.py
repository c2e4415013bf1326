"""Parquet and Arrow files."""

import base64
import datetime as dt
import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.errors import SourceError
from cotdata.sources.formats.typed_values import json_form, stored_form
from cotdata.sources.records import PLACE, Wanted
from tests.sources.reading import A, Read, read_bytes, read_path

FORMS = ["x.parquet", "x.arrow", "stream.arrow"]


def write(path: Path, table: pa.Table, rows: int = 2) -> Path:
    """Write a table as Parquet, Arrow file or, by the name, Arrow stream."""
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=rows)
        return path
    new = pa.ipc.new_stream if path.stem == "stream" else pa.ipc.new_file
    with path.open("wb") as sink, new(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return path


def read_values(folder: Path, values: pa.Array, wanted: Wanted = A) -> Read:
    return read_path(write(folder / "x.arrow", pa.table({"a": values})), wanted)


@pytest.mark.parametrize("name", FORMS)
def test_reads_text_and_keeps_the_rest(tmp_path: Path, name: str) -> None:
    table = pa.table({"n": [1, None, 3], "a": ["x", "汉\n", None], "l": [["p"], [], None]})
    read = read_path(write(tmp_path / name, table))
    assert read.column("a") == ["x", "汉\n", None]
    assert read.rest == ['{"n":1,"l":["p"]}', '{"n":null,"l":[]}', '{"n":3,"l":null}']
    assert read.column(PLACE) == [1, 2, 3]
    assert read.reasons == [None] * 3


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(("first", "stop"), [(0, 0), (1, 4), (2, 4), (3, None), (9, None), (0, 99)])
@pytest.mark.parametrize("chunk_bytes", [1, 50, 1 << 20])
def test_a_slice_is_a_part_of_the_whole_and_counts_all(
    tmp_path: Path, name: str, first: int, stop: int | None, chunk_bytes: int
) -> None:
    path = write(tmp_path / name, pa.table({"a": list("uvwxyz")}))
    read = read_path(path, first=first, stop=stop, chunk_bytes=chunk_bytes)
    assert read.records == 6
    assert (read.column("a") if read.frame.width else []) == list("uvwxyz")[first:stop]
    assert (read.column(PLACE) if read.frame.width else []) == list(range(1, 7))[first:stop]


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["x", None], pa.large_string()),
        pa.array(["x", None], pa.string_view()),
        pa.array(["x", None]).dictionary_encode(),
        pa.array(["x", None], pa.json_()) if hasattr(pa, "json_") else pa.array(["x", None]),
    ],
)
def test_every_kind_of_text_is_text(tmp_path: Path, values: pa.Array) -> None:
    assert read_values(tmp_path, values).column("a") == ["x", None]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array([1, None]), ["1", None]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([1.5, math.nan, -math.inf]), ["1.5", "NaN", "-Infinity"]),
        (pa.array([0.1], pa.float32()), ["0.1"]),
        (pa.array([1.5], pa.float16()), ["1.5"]),
        (pa.array([Decimal("1.50")]), ["1.50"]),
        (pa.array([dt.date(2026, 1, 2)]), ["2026-01-02"]),
        (pa.array([None], pa.null()), [None]),
        (pa.array([dt.datetime(2026, 1, 2, 3, 4, 5)], pa.timestamp("s")), ["2026-01-02T03:04:05"]),
        (pa.array([1], pa.timestamp("ns")), ["1970-01-01T00:00:00.000000001"]),
        (pa.array([0], pa.timestamp("ms", "Asia/Shanghai")), ["1970-01-01T00:00:00.000Z"]),
        (pa.array([1500], pa.duration("ms")), ["PT1.500S"]),
    ],
)
def test_scalars_have_their_text(tmp_path: Path, values: pa.Array, texts: list[str]) -> None:
    read = read_values(tmp_path, values, Wanted(scalar=("a",)))
    assert read.column("a") == texts
    rest = [json.loads(text or "")["a"] for text in read_values(tmp_path, values, Wanted()).rest]
    assert [str(value).lower() for value in rest] == [str(text).lower() for text in texts]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (pa.array([1, None]), "number"),
        (pa.array([["x"], None]), "array"),
        (pa.array([{"k": 1}, None]), "object"),
        (pa.array([b"x", None]), "binary"),
        (pa.array([True, None]), "boolean"),
    ],
)
def test_other_types_are_not_text(tmp_path: Path, values: pa.Array, found: str) -> None:
    read = read_values(tmp_path, values)
    assert read.reasons == ["not_text", None]
    assert read.evidence[0] == {"column": "a", "found": found}
    assert json.loads(read.raw[0] or b"").keys() == {"a"}


def test_json_columns_are_json_text(tmp_path: Path) -> None:
    values = pa.array([[{"role": 'u"', "n": 1, "x": None}], [], None])
    read = read_values(tmp_path, values, Wanted(json=("a", "b")))
    assert read.column("a") == ['[{"role":"u\\"","n":1,"x":null}]', "[]", None]
    assert read.column("b") == [None] * 3


def test_bytes_are_base64_and_noted(tmp_path: Path) -> None:
    values = pa.array([{"image": b"\x00\xff"}])
    read = read_values(tmp_path, values, Wanted())
    assert read.rest == [f'{{"a":{{"image":"{base64.b64encode(bytes([0, 255])).decode()}"}}}}']
    assert read.notes == {"bytes_as_base64": 1}


@pytest.mark.parametrize(
    ("values", "written"),
    [
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), [["k", 1]]),
        (pa.array([[math.nan, math.inf, 1.0]]), ["NaN", "Infinity", 1.0]),
        (pa.array([[dt.timedelta(seconds=1)]]), ["PT1.000000S"]),
        (pa.array([[1]], pa.list_(pa.timestamp("ns"))), None),
        (pa.array([[10**17]], pa.list_(pa.timestamp("s"))), None),
        (pa.array([[Decimal("1.10")]]), ["1.10"]),
        (pa.array([{"t": dt.time(1, 2)}]), {"t": "01:02:00"}),
        (pa.array([[1, 2]], pa.list_(pa.int8(), 2)), [1, 2]),
        (pa.array([{}], pa.struct([])), {}),
    ],
)
def test_nested_values_have_a_json_form(tmp_path: Path, values: pa.Array, written: object) -> None:
    (text,) = read_values(tmp_path, values, Wanted(json=("a",))).column("a")
    assert written is None or json.loads(text) == written
    assert written is not None or isinstance(json.loads(text)[0], str)


PLAIN = st.none() | st.text(max_size=5) | st.text(alphabet='"\\\x00\x1f\u2028/', max_size=4)


@given(
    st.lists(
        st.none()
        | st.fixed_dictionaries(
            {
                "s": PLAIN,
                "l": st.none() | st.lists(PLAIN, max_size=3),
                "i": st.none() | st.integers(-(2**63), 2**63 - 1),
                "f": st.none() | st.floats(allow_nan=False, allow_infinity=False),
                "b": st.none() | st.booleans(),
            }
        ),
        min_size=1,
        max_size=4,
    )
)
def test_plain_values_are_written_as_orjson_writes_them(values: list[Any]) -> None:
    fields: dict[str, pa.DataType] = {
        "s": pa.string(),
        "l": pa.list_(pa.string()),
        "i": pa.int64(),
        "f": pa.float64(),
        "b": pa.bool_(),
    }
    column = pa.array(values, pa.struct(fields.items()))
    texts = json_form(stored_form(column)).to_list()
    assert [None if text is None else orjson.loads(text) for text in texts] == values
    sliced = json_form(stored_form(column.slice(1))).to_list()
    assert sliced == texts[1:]


def test_text_that_is_not_utf8_rejects_its_record_alone(tmp_path: Path) -> None:
    offsets, data = pa.py_buffer(b"\0\0\0\0\2\0\0\0\4\0\0\0"), pa.py_buffer(b"okx\xff")
    bad = pa.Array.from_buffers(pa.string(), 2, [None, offsets, data])
    for name in FORMS:
        path = write(tmp_path / name, pa.table({"a": bad, "n": [1, 2]}))
        read = read_path(path)
        assert read.reasons == [None, "not_utf8"]
        assert read.column("a") == ["ok", None]
        assert read.raw == [None, b'{"a":"x\xff","n":2}']
        assert read.evidence[1] == {"byte": 1, "encoding": "utf-8", "column": "a"}


def test_a_record_above_the_limit_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cotdata.sources.formats.typed_records.MAX_RECORD_BYTES", 5)
    read = read_values(tmp_path, pa.array(["123456", "1"]))
    assert read.reasons == ["record_too_large", None]
    assert read.raw[0] == b'{"a":"123456"}'


@pytest.mark.parametrize("name", FORMS)
def test_columns_of_the_same_name_are_an_error(tmp_path: Path, name: str) -> None:
    table = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], ["a", "a"])
    path = write(tmp_path / name, table)
    with pytest.raises(SourceError, match="same name: `a`"):
        read_path(path)


@pytest.mark.parametrize("name", FORMS)
def test_a_file_without_records_gives_none(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, pa.table({"a": pa.array([], pa.string())}))
    assert read_path(path).records == 0


@pytest.mark.parametrize("name", FORMS)
def test_a_file_that_is_cut_off_is_an_error_or_noted(tmp_path: Path, name: str) -> None:
    whole = write(tmp_path / name, pa.table({"a": [f"text {i}" for i in range(9)]})).read_bytes()
    for length in range(1, len(whole), 7):
        try:
            notes = read_bytes(tmp_path, name, whole[:length], Wanted()).notes
        except SourceError as error:
            notes = {"is broken": 1, "records could be read": 1}
            notes = {part: 1 for part in notes if part in str(error)}
        assert notes in ({"is broken": 1, "records could be read": 1}, {"no_end_mark": 1})


@pytest.mark.parametrize("name", FORMS)
def test_packed_and_empty_files_are_errors(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="empty"):
        read_bytes(tmp_path, name, b"")
    with pytest.raises(SourceError, match="unpack it"):
        read_bytes(tmp_path, name, b"\x1f\x8b\x08\x00")


@given(st.data())
def test_damage_to_a_typed_file_raises_nothing_but_a_source_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(["x.parquet", "x.arrow", "stream.arrow"]))
    folder = tmp_path_factory.mktemp("damage")
    table = pa.table({"a": ["x", "yy", None], "l": [["p"], [], None]})
    whole = bytearray(write(folder / name, table).read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    try:
        read = read_bytes(folder, name, bytes(whole), A)
    except SourceError:
        return
    assert read.records == read.frame.height


def test_offsets_that_lead_out_of_the_file_are_an_error(tmp_path: Path) -> None:
    table = pa.table({"a": ["offset", "offset"]})
    whole = write(tmp_path / "x.arrow", table).read_bytes()
    offsets = (0).to_bytes(4, "little") + (6).to_bytes(4, "little") + (12).to_bytes(4, "little")
    assert whole.count(offsets) == 1
    far = offsets[:4] + (1 << 30).to_bytes(4, "little") + offsets[8:]
    with pytest.raises(SourceError, match="is broken"):
        read_bytes(tmp_path, "x.arrow", whole.replace(offsets, far))


def test_names_deep_inside_that_are_not_utf8_are_an_error(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([["x"]], pa.list_(pa.field("inner", pa.string())))})
    whole = write(tmp_path / "x.arrow", table).read_bytes()
    with pytest.raises(SourceError, match="is broken"):
        read_bytes(tmp_path, "x.arrow", whole.replace(b"inner", b"inn\xffr"), Wanted())


def test_text_in_a_list_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    whole = write(tmp_path / "x.arrow", pa.table({"a": [["inner"]]})).read_bytes()
    with pytest.raises(SourceError, match="Invalid UTF8"):
        read_bytes(tmp_path, "x.arrow", whole.replace(b"inner", b"inn\xffr"), Wanted())
