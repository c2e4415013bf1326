import json
import time
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.errors import SourceError
from cotdata.sources.formats import chunk as chunk_module
from cotdata.sources.formats import json_lines
from cotdata.sources.formats.json_lines import line_chunks
from cotdata.sources.records import PLACE, READER_REASONS, Wanted
from tests.sources.reading import A, read_bytes, read_path
from tests.sources.test_json_agreement import LINES, SOUP

NAME = "x.jsonl"


def test_reads_wanted_text_and_keeps_the_rest_in_its_own_order(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, NAME, b'{"z":1,"a":"x","y":[true,null,{"k":1.5}]}\n')
    assert read.column("a") == ["x"]
    assert read.rest == ['{"z":1,"y":[true,null,{"k":1.5}]}']
    assert read.frame.columns == [
        "a",
        "__place__",
        "__rest__",
        "__reason__",
        "__evidence__",
        "__raw__",
    ]


def test_a_record_of_wanted_columns_alone_has_no_rest(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, NAME, b'{"a":"x"}\n').rest == [None]


def test_missing_and_null_columns_are_null(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, NAME, b'{"a":null,"b":null}\n{"b":1}\n')
    assert read.column("a") == [None, None]
    assert read.rest == ['{"b":null}', '{"b":1}']


def test_places_are_line_numbers_and_blank_lines_are_counted(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, NAME, b'\n{"a":"x"}\r\n  \t\r\n\n{"a":"y"}', chunk_bytes=3)
    assert read.column(PLACE) == [2, 5]
    assert read.notes == {"blank_lines": 3}


@pytest.mark.parametrize(
    ("line", "reason", "evidence"),
    [
        (b'{"a":"x"', "bad_json", {"error": "unexpected end of data: line 1 column 10 (char 9)"}),
        (b'{"a":"x"} {"a":"y"}', "bad_json", None),
        (b'{"a":NaN}', "bad_json", None),
        (b'{"a":"\\ud800"}', "bad_json", None),
        (b'{"b":' + b"[" * 300 + b"]" * 300 + b"}", "bad_json", None),
        (b"[" * 2000, "bad_json", None),
        (b'["a"]', "not_an_object", {"found": "array"}),
        (b"3", "not_an_object", {"found": "number"}),
        (b"null", "not_an_object", {"found": "null"}),
        (b'{"a":1}', "not_text", {"column": "a", "found": "number"}),
        (b'{"a":["x"]}', "not_text", {"column": "a", "found": "array"}),
        (b'{"a":"x","a":"x"}', "duplicate_key", {"key": "a"}),
        (b'{"a":"x","\\u0061":"y"}', "duplicate_key", {"key": "a"}),
        (b'{"a":"x","c":"\\u003a","c":"\\u003a"}', "duplicate_key", {"key": "c"}),
        (b'{"a":"x","c":["\\u003a"],"c":["\\u003a"]}', "duplicate_key", {"key": "c"}),
        (b'{"a":"x","b":{"c":1,"c":2}}', "duplicate_key", {"key": "c"}),
        (b'{"a":"x","k\\\\" \t:1,"k\\\\":2}', "duplicate_key", {"key": "k\\"}),
    ],
)
def test_rejects_a_bad_record_alone_with_its_bytes(
    tmp_path: Path, line: bytes, reason: str, evidence: dict[str, object] | None
) -> None:
    read = read_bytes(tmp_path, NAME, b'{"a":"1"}\n' + line + b'\r\n{"a":"2"}\n')
    assert read.reasons == [None, reason, None]
    assert read.column("a") == ["1", None, "2"]
    assert read.rest == [None, None, None]
    assert read.raw == [None, line + b"\r", None]
    assert reason in READER_REASONS
    assert evidence is None or read.evidence[1] == evidence


def test_text_that_begins_with_a_colon_hides_no_double(tmp_path: Path) -> None:
    line = b'{"a":"\\u003a","a":"\\u003a"}\n'
    for wanted in (A, Wanted(json=("a",)), Wanted(scalar=("a",)), Wanted()):
        assert read_bytes(tmp_path, NAME, line, wanted).reasons == ["duplicate_key"]


def test_what_only_looks_like_a_key_twice_is_none(tmp_path: Path) -> None:
    record = {"a": 'say "a": "b" : \\": c', "b\\": {'"a":': [{"a": "\\"}, {"a": ":"}]}}
    read = read_bytes(tmp_path, NAME, json.dumps(record).encode() + b"\n")
    assert read.reasons == [None]
    assert json.loads(read.rest[0] or "") == {"b\\": record["b\\"]}


def test_a_record_that_is_not_utf8_keeps_its_bytes(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, NAME, b'{"a":"\xe9t\xe9"}\n{"a":"ok"}\n')
    assert read.reasons == ["not_utf8", None]
    assert read.raw[0] == b'{"a":"\xe9t\xe9"}'
    assert read.evidence[0]["byte"] == 6
    assert read.evidence[0]["encoding"] == "utf-8"
    assert "latin-1" in read.evidence[0]["hint"]


@pytest.mark.parametrize("cut", [b'{"a":"y', b'{"a":', b'{"a":"\xe6\xb1', b'{"a":"y"', b'{"a": tr'])
def test_a_record_that_the_file_ends_in_is_truncated(tmp_path: Path, cut: bytes) -> None:
    read = read_bytes(tmp_path, NAME, b'{"a":"x"}\n' + cut)
    assert read.reasons == [None, "truncated"]
    assert read.raw[1] == cut


def test_a_last_record_that_is_closed_but_wrong_is_not_truncated(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, NAME, b'{"a":"x",}').reasons == ["bad_json"]
    assert read_bytes(tmp_path, NAME, b'{"a":"x').reasons == ["truncated"]
    assert read_bytes(tmp_path, NAME, b'{"a":"x\n').reasons == ["bad_json"]


@pytest.mark.parametrize(
    "number",
    [
        "18446744073709551616",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "9" * 500,
        "-1e400",
        "1" * 6000,
    ],
)
def test_numbers_beyond_64_bits_keep_their_digits(tmp_path: Path, number: str) -> None:
    line = f'{{"n":[{number}],"a":"x","s":{number}}}\n'.encode()
    wanted = Wanted(text=("a",), scalar=("s",))
    read = read_bytes(tmp_path, NAME, line, wanted)
    assert read.rest == [f'{{"n":[{number}]}}']
    assert read.column("s") == [number]


def test_numbers_in_the_rest_alone_keep_their_digits(tmp_path: Path) -> None:
    line = b'{"n":{"m":[1,123456789012345678901]}}\n{"n":1e400,"t":"e9e"}\n'
    read = read_bytes(tmp_path, NAME, line)
    assert read.rest == ['{"n":{"m":[1,123456789012345678901]}}', '{"n":1e400,"t":"e9e"}']


def test_scalars_are_their_json_text_and_json_keeps_its_quotes(tmp_path: Path) -> None:
    wanted = Wanted(scalar=("s",), json=("j",))
    values = [
        (b'"x"', "x", '"x"'),
        (b"1.50", "1.50", None),
        (b"12", "12", "12"),
        (b"true", "true", "true"),
        (b"null", None, None),
    ]
    lines = b"".join(b'{"s":%b,"j":%b}\n' % (value, value) for value, _, _ in values)
    read = read_bytes(tmp_path, NAME, lines + b'{"s":{},"j":[{"k": "\\u00e9"}]}\n', wanted)
    assert read.column("s")[:5] == [scalar for _, scalar, _ in values]
    assert read.column("j")[0:1] + read.column("j")[2:5] == ['"x"', "12", "true", None]
    assert float(read.column("j")[1]) == 1.5
    assert read.reasons[5] == "not_text"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_in_the_rest_round_trip(tmp_path_factory: pytest.TempPathFactory, x: float) -> None:
    line = json.dumps({"f": x}).encode()
    read = read_bytes(tmp_path_factory.mktemp("f"), NAME, line)
    assert json.loads(read.rest[0] or "")["f"] == x


@given(SOUP | LINES, st.integers(1, 40))
def test_every_line_that_is_not_blank_is_one_record_whatever_the_chunks(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, chunk_bytes: int
) -> None:
    text = b"\n" + text
    marks = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
    lines = [line for line in text.split(b"\n") if line.strip(b" \t\r")]
    folder = tmp_path_factory.mktemp("lines")
    assert not text.startswith(marks)
    whole = read_bytes(folder, NAME, text)
    parts = read_bytes(folder, NAME, text, chunk_bytes=chunk_bytes)
    assert whole.records == parts.records == len(lines)
    assert whole.notes == parts.notes
    if lines:
        assert whole.frame.equals(parts.frame)
        bad = zip(whole.reasons, whole.raw, lines, strict=True)
        assert all(raw == line for reason, raw, line in bad if reason)


@given(st.lists(st.sampled_from([b'{"a":"x"}', b"", b"bad"]), min_size=1, max_size=9), st.data())
def test_a_slice_is_a_part_of_the_whole_and_counts_all(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], data: st.DataObject
) -> None:
    text, folder = b"\n".join([b" ", *lines]), tmp_path_factory.mktemp("slice")
    first = data.draw(st.integers(0, 10))
    stop = data.draw(st.none() | st.integers(first, 12))
    size = data.draw(st.integers(1, 30))
    whole = read_bytes(folder, NAME, text)
    part = read_bytes(folder, NAME, text, first=first, stop=stop, chunk_bytes=size)
    assert part.records == whole.records
    assert part.notes == whole.notes
    seen = 0
    for batch in part.batches:
        is_inside = seen >= first and (stop is None or seen + batch.records <= stop)
        assert batch.records == 0 or (batch.frame is not None) == is_inside
        seen += batch.records
    expected = whole.frame[first:stop] if whole.records else whole.frame
    assert part.frame.rows() == expected.rows()


def test_a_record_above_the_limit_is_rejected_with_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cotdata.sources.formats.json_records.MAX_RECORD_BYTES", 20)
    large = b'{"a":"' + b"x" * 20 + b'"}'
    read = read_bytes(tmp_path, NAME, large + b'\n{"a":"y"}\n', chunk_bytes=5)
    assert read.reasons == ["record_too_large", None]
    assert read.raw[0] == large
    assert read.evidence[0] == {"bytes": len(large), "limit": 20}


def test_of_an_endless_record_only_the_beginning_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cotdata.sources.formats.json_records.MAX_RECORD_BYTES", 20)
    monkeypatch.setattr(json_lines, "MAX_KEPT_BYTES", 40)
    text = b"y" * 1000 + b'\n{"a":"y"}\n'
    read = read_bytes(tmp_path, NAME, text, chunk_bytes=7)
    assert read.reasons == ["record_too_large", None]
    assert read.evidence[0]["bytes"] == 1000
    assert read.evidence[0]["bytes_lost"] > 900
    assert read.column(PLACE) == [1, 2]


def test_an_endless_record_that_begins_with_white_space_is_not_blank(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cotdata.sources.formats.json_records.MAX_RECORD_BYTES", 20)
    monkeypatch.setattr(json_lines, "MAX_KEPT_BYTES", 40)
    text = b" " * 40 + b"y" * 100 + b" " * 40 + b"\n"
    read = read_bytes(tmp_path, NAME, text, chunk_bytes=20)
    assert (read.reasons, read.notes) == (["record_too_large"], {})


def test_a_line_of_50_mb_costs_no_more_than_its_length() -> None:
    blocks = [b"x" * (1 << 14)] * 3200
    begin = time.process_time()
    (found,) = line_chunks([*blocks, b"\n"])
    assert found.ends.tolist() == [3200 << 14]
    assert time.process_time() - begin < 2  # quadratic copying would take minutes


def test_a_long_run_of_white_space_costs_no_more_than_its_length(tmp_path: Path) -> None:
    begin = time.process_time()
    read = read_bytes(tmp_path, NAME, b" " * (8 << 20) + b'\n{"a":"x"}' + b" " * (8 << 20))
    assert read.column("a") == ["x"]
    assert time.process_time() - begin < 5


def test_an_empty_file_is_an_error_and_a_blank_one_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="empty"):
        read_bytes(tmp_path, NAME, b"")
    assert read_bytes(tmp_path, NAME, b"\n\n").records == 0


def test_the_limits_are_what_the_documentation_says() -> None:
    assert chunk_module.MAX_RECORD_BYTES == 32 * 1024 * 1024
    assert orjson.dumps(A.columns) == b'["a"]'


KEYS = st.sampled_from(["a", "c", "\\u0063", ":", "\\\\", "", '\\"'])
LEAVES = st.sampled_from(['":"', '"\\u003a"', '"\\":"', '"\\\\"', "1", '"x\\":\\":"', '" :"', "[]"])
MEMBERS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda parts: "[" + ",".join(parts) + "]")
        | st.lists(st.tuples(KEYS, st.sampled_from([":", " :", " \t:"]), inner), max_size=3).map(
            lambda parts: "{" + ",".join(f'"{k}"{colon}{v}' for k, colon, v in parts) + "}"
        )
    ),
    max_leaves=6,
)


@given(st.lists(st.tuples(KEYS, MEMBERS), min_size=1, max_size=4))
def test_a_key_that_stands_twice_anywhere_is_always_found(
    tmp_path_factory: pytest.TempPathFactory, members: list[tuple[str, str]]
) -> None:
    text = "{" + ",".join(f'"{key}":{value}' for key, value in members) + "}"
    doubles: list[bool] = []

    def note(pairs: list[tuple[str, object]]) -> dict[str, object]:
        doubles.append(len(dict(pairs)) < len(pairs))
        return dict(pairs)

    json.loads(text, object_pairs_hook=note)
    wanted = Wanted(json=("a",))
    read = read_bytes(tmp_path_factory.mktemp("keys"), NAME, text.encode(), wanted)
    assert read.reasons == ["duplicate_key" if any(doubles) else None]


def test_utf16_that_nothing_announces_is_hinted_at(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"a":"x"}\n'.encode("utf-16-le"))
    assert "utf-16-le" in read_path(path).evidence[0]["hint"]
    assert read_path(path, encoding="utf-16-le").column("a") == ["x"]
