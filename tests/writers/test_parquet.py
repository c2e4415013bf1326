import hashlib
import itertools
from pathlib import Path

import datasets
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata.row import ROW_SCHEMA
from cotdata.writers import parquet
from cotdata.writers.parquet import write_parquet

SCHEMA = pl.Schema({**ROW_SCHEMA, "score": pl.Float64(), "shouts": pl.Boolean()})
TEXT = st.one_of(st.none(), st.text(max_size=5))
RECORD = st.fixed_dictionaries(
    {
        "row_id": st.text(max_size=3),
        "Question": TEXT,
        "Complex_CoT": TEXT,
        "history": st.one_of(
            st.none(),
            st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": TEXT}), max_size=2),
        ),
        "score": st.one_of(st.none(), st.floats(allow_nan=False)),
        "shouts": st.sampled_from([None, True, False]),
    }
)
CUTS = st.lists(st.integers(0, 20), max_size=5)
ROWS = pl.DataFrame(
    [
        {"row_id": "a:0", "Question": "发热？", "history": [{"role": "user", "content": "Hi"}]},
        {"row_id": "a:1", "Question": "Why?", "history": [], "score": 0.5, "shouts": True},
        {"row_id": "a:2", "Question": "", "Response": "x\x00\n", "meta": '{"k": 1}'},
    ],
    schema=SCHEMA,
)


def cut(frame: pl.DataFrame, cuts: list[int]) -> list[pl.DataFrame]:
    edges = [0, *sorted(min(edge, frame.height) for edge in cuts), frame.height]
    return [frame[low:high] for low, high in itertools.pairwise(edges)]


def written(frames: list[pl.DataFrame], folder: Path) -> bytes:
    path = folder / "rows.parquet"
    rows = write_parquet(frames, SCHEMA, path)
    assert rows == sum(frame.height for frame in frames)
    return path.read_bytes()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written([ROWS], tmp_path)
    return tmp_path / "rows.parquet"


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.lists(RECORD, max_size=20), CUTS, st.integers(1, 9))
def test_the_same_rows_are_the_same_bytes_however_they_are_cut(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, object]],
    cuts: list[int],
    group: int,
) -> None:
    folder = tmp_path_factory.mktemp("out")
    frame = pl.DataFrame(records, schema=SCHEMA)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP_ROWS", group)
        whole = written([frame], folder)
        assert written(cut(frame, cuts), folder) == whole
        assert written([pl.concat(cut(frame, cuts), rechunk=False)], folder) == whole
    assert pl.read_parquet(folder / "rows.parquet").equals(frame)


def test_a_slice_of_a_larger_frame_is_the_same_bytes(tmp_path: Path) -> None:
    larger = pl.concat([ROWS, ROWS, ROWS])
    assert written([larger[3:6]], tmp_path) == written([ROWS], tmp_path)


def test_a_filtered_frame_is_the_same_bytes(tmp_path: Path) -> None:
    twice = pl.concat([ROWS, ROWS]).with_row_index()
    filtered = twice.filter(pl.col("index") % 2 == 0).drop("index")
    plain = pl.DataFrame(filtered.to_dicts(), schema=SCHEMA)
    assert written([filtered], tmp_path) == written([plain], tmp_path)


def test_row_groups_end_at_the_row_limit(tmp_path: Path) -> None:
    rows = pl.concat([ROWS] * 11_000)
    path = tmp_path / "rows.parquet"
    assert write_parquet([rows], SCHEMA, path) == 33_000
    meta = pq.read_metadata(path)
    heights = [meta.row_group(group).num_rows for group in range(meta.num_row_groups)]
    assert heights == [16_384, 16_384, 232]


def test_row_groups_end_at_the_text_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", 20)
    path = tmp_path / "rows.parquet"
    write_parquet([ROWS], SCHEMA, path)
    meta = pq.read_metadata(path)
    assert [meta.row_group(group).num_rows for group in range(meta.num_row_groups)] == [2, 1]


def test_text_is_plain_string(file: Path) -> None:
    schema = pq.read_schema(file)
    text = [name for name, dtype in SCHEMA.items() if dtype == pl.String]
    assert len(text) == 10
    assert all(schema.field(name).type == pa.string() for name in text)
    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    assert schema.field("history").type == pa.list_(turn)
    assert schema.field("score").type == pa.float64()
    assert schema.names == SCHEMA.names()


def test_bytes_that_could_not_be_read_are_plain_binary(tmp_path: Path) -> None:
    frame = pl.DataFrame({"raw": [b"\xff\x00", None]})
    write_parquet([frame], frame.schema, tmp_path / "raw.parquet")
    assert pq.read_schema(tmp_path / "raw.parquet").field("raw").type == pa.binary()
    assert pl.read_parquet(tmp_path / "raw.parquet").equals(frame)


def test_it_is_compressed_with_zstd(file: Path) -> None:
    group = pq.read_metadata(file).row_group(0)
    codecs = {group.column(column).compression for column in range(group.num_columns)}
    assert codecs == {"ZSTD"}


def test_no_rows_are_a_file_with_columns(tmp_path: Path) -> None:
    for frames in ([], [ROWS.clear()]):
        written(frames, tmp_path)
        assert pl.read_parquet(tmp_path / "rows.parquet").equals(ROWS.clear())


def test_polars_and_pyarrow_read_it(file: Path) -> None:
    assert pl.read_parquet(file).equals(ROWS)
    assert pq.read_table(file).to_pylist() == ROWS.to_dicts()


def test_duckdb_reads_it(file: Path) -> None:
    with duckdb.connect() as connection:
        found = connection.execute(
            "select row_id, Question, len(history), shouts from read_parquet(?) order by row_id",
            [str(file)],
        ).fetchall()
    assert found == [("a:0", "发热？", 1, None), ("a:1", "Why?", 0, True), ("a:2", "", None, None)]


def test_datasets_loads_it(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    loaded = datasets.load_dataset(
        "parquet", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded.features["Question"] == datasets.Value("string")
    assert loaded.to_list() == ROWS.to_dicts()


def test_the_bytes_do_not_depend_on_the_file_name(tmp_path: Path) -> None:
    digests = set()
    for name in ("a.parquet", "b.parquet"):
        write_parquet([ROWS], SCHEMA, tmp_path / name)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1
