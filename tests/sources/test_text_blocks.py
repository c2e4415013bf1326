import gzip
import zlib
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.errors import SourceError
from cotdata.sources.records import PLACE
from tests.sources.reading import read_bytes

LINES = '{"a":"汉é😀"}\n{"a":"y"}\n'


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


PACK = {"gz": gzip.compress, "zst": zstd}


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("chunk_bytes", [1, 1 << 20])
def test_reads_packed_files_of_several_members(
    tmp_path: Path, suffix: str, chunk_bytes: int
) -> None:
    data = PACK[suffix](LINES.encode()) + PACK[suffix](b'{"a":"z"}\n')
    read = read_bytes(tmp_path, f"x.jsonl.{suffix}", data, chunk_bytes=chunk_bytes)
    assert read.column("a") == ["汉é😀", "y", "z"]


@pytest.mark.parametrize("suffix", PACK)
def test_knows_packed_files_by_their_content(tmp_path: Path, suffix: str) -> None:
    assert read_bytes(tmp_path, "x.jsonl", PACK[suffix](LINES.encode())).records == 2


@pytest.mark.parametrize("suffix", PACK)
def test_a_file_that_is_only_named_as_packed_is_an_error(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(SourceError, match=r"its content is not (gzip|zstd)[^\n]*\n  fix: rename"):
        read_bytes(tmp_path, f"x.jsonl.{suffix}", LINES.encode())


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("lost", [1, 4, 9, 20])
def test_packed_data_that_is_cut_off_is_an_error_that_says_how_far(
    tmp_path: Path, suffix: str, lost: int
) -> None:
    data = PACK[suffix](bytes(range(32, 127)) * 99 + LINES.encode())[:-lost]
    with pytest.raises(SourceError, match=r"x\.jsonl\.\w+: the .* cut off.*\n  fix: \d+ bytes"):
        read_bytes(tmp_path, f"x.jsonl.{suffix}", data)


@given(st.data())
def test_damage_in_gzip_data_never_changes_a_record(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    packed = bytearray(gzip.compress(LINES.encode(), mtime=0))
    at = data.draw(st.integers(10, len(packed) - 1))
    packed[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read = read_bytes(tmp_path_factory.mktemp("bits"), "x.jsonl.gz", bytes(packed))
    except SourceError:
        return
    # A few bits, as those that fill up the last byte, mean nothing.
    assert read.column("a") == ["汉é😀", "y"]


def test_packed_data_that_is_empty_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="empty"):
        read_bytes(tmp_path, "x.jsonl.gz", gzip.compress(b""))


def test_a_byte_order_mark_is_stripped(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, "x.jsonl", b"\xef\xbb\xbf" + LINES.encode(), chunk_bytes=1)
    assert read.column("a") == ["汉é😀", "y"]
    assert read.notes == {}


@pytest.mark.parametrize(
    ("codec", "mark", "note"),
    [
        ("utf-16-le", b"\xff\xfe", "utf16_decoded"),
        ("utf-16-be", b"\xfe\xff", "utf16_decoded"),
        ("utf-32-le", b"\xff\xfe\0\0", "utf32_decoded"),
        ("utf-32-be", b"\0\0\xfe\xff", "utf32_decoded"),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [1, 3, 1 << 20])
def test_utf_16_and_32_are_known_by_their_mark_and_noted(
    tmp_path: Path, codec: str, mark: bytes, note: str, chunk_bytes: int
) -> None:
    data = mark + LINES.encode(codec)
    read = read_bytes(tmp_path, "x.jsonl", data, chunk_bytes=chunk_bytes)
    assert read.column("a") == ["汉é😀", "y"]
    assert read.notes == {note: 1}


def test_half_a_surrogate_pair_in_utf_16_rejects_its_record_alone(tmp_path: Path) -> None:
    bad = '{"a":"'.encode("utf-16-le") + b"\x00\xd8" + '"}'.encode("utf-16-le")
    lines = b"\xff\xfe" + bad + '\n{"a":"y"}\n'.encode("utf-16-le")
    read = read_bytes(tmp_path, "x.jsonl", lines)
    assert read.reasons == ["not_utf8", None]
    assert read.raw[0] == bad
    assert read.evidence[0]["byte"] == 12


def test_utf_16_that_ends_inside_a_character_is_truncated(tmp_path: Path) -> None:
    data = "\ufeff".encode("utf-16-le") + '{"a":"x"}\n{"a":"汉'.encode("utf-16-le")[:-1]
    assert read_bytes(tmp_path, "x.jsonl", data).reasons == [None, "truncated"]
    whole = '\ufeff{"a":"x"}'.encode("utf-16-le")
    assert read_bytes(tmp_path, "x.jsonl", whole + b"\n").reasons == ["truncated"]


@pytest.mark.parametrize("codec", ["latin-1", "gb18030", "shift_jis", "utf-16", "utf-16-be"])
def test_other_encodings_are_read_where_the_recipe_names_them(tmp_path: Path, codec: str) -> None:
    text = "é" if codec == "latin-1" else "漢字"
    data = f'{{"a":"{text}"}}\n{{"a":"y"}}\n'.encode(codec)
    read = read_bytes(tmp_path, "x.jsonl", data, encoding=codec, chunk_bytes=1)
    assert read.column("a") == [text, "y"]
    assert len(read.notes) == 1


def test_bytes_outside_of_the_named_encoding_reject_their_record_with_the_bytes(
    tmp_path: Path,
) -> None:
    data = '{"a":"漢'.encode("gb18030") + b'\xff"}\n' + '{"a":"字"}\n'.encode("gb18030")
    read = read_bytes(tmp_path, "x.jsonl", data, encoding="gb18030")
    assert read.reasons == ["not_utf8", None]
    assert read.column("a") == [None, "字"]
    assert read.raw[0] == data.split(b"\n")[0]
    assert read.evidence[0]["encoding"] == "gb18030"
    assert read.evidence[0]["byte"] == 8


@pytest.mark.parametrize("name", ["utf-9", "base64", "latin 99", "undefined", "x\0y", "rot13"])
def test_an_unknown_encoding_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="is no known text encoding"):
        read_bytes(tmp_path, "x.jsonl", b"{}", encoding=name)


def test_an_unknown_encoding_comes_with_its_near_miss(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="did you mean `latin-1`"):
        read_bytes(tmp_path, "x.jsonl", b"{}", encoding="latn-1")


@given(st.binary(max_size=40), st.sampled_from([None, "gb18030", "utf-16", "shift_jis", "cp1252"]))
def test_no_bytes_raise_anything_but_a_source_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, encoding: str | None
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for name in ("x.jsonl", "x.json", "x.csv", "x.tsv", "x.parquet", "x.arrow", "x.jsonl.gz"):
        try:
            read = read_bytes(folder, name, data, encoding=encoding)
        except SourceError:
            continue
        assert read.records == read.frame.height


def test_places_are_right_behind_a_mark(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, "x.jsonl", b"\xef\xbb\xbf\n" + LINES.encode())
    assert read.column(PLACE) == [2, 3]


def test_the_checksum_of_packed_data_is_looked_at(tmp_path: Path) -> None:
    packed = gzip.compress(LINES.encode())
    wrong = packed[:-8] + (zlib.crc32(b"other")).to_bytes(4, "little") + packed[-4:]
    with pytest.raises(SourceError, match="CRC"):
        read_bytes(tmp_path, "x.jsonl.gz", wrong)
