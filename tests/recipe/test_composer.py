"""The YAML that recipes are written in."""

import time
from pathlib import Path

import pytest

from cotdata.errors import RecipeError
from cotdata.recipe.composer import parse
from cotdata.recipe.document import MAX_BYTES, decode


def value(text: str) -> object:
    return parse(text, "r.yaml").value


def complaint(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with pytest.raises(RecipeError) as caught:
        parse(decode(data, "r.yaml"), "r.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("0:500", "0:500"),
        ("1:30", "1:30"),
        ("60_000", "60_000"),
        ("2026-01-01", "2026-01-01"),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-5", -5),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
        (".5.1", ".5.1"),
        ("1e", "1e"),
        ("e1", "e1"),
    ],
)
def test_reads_plain_words_as_yaml_1_2_does(written: str, meant: object) -> None:
    found = value(f"a: {written}\n")
    assert found == {"a": meant}
    assert isinstance(found, dict)
    assert type(found["a"]) is type(meant)


def test_keys_are_text_however_they_look() -> None:
    assert value("1: a\ntrue: b\non: c\n") == {"1": "a", "true": "b", "on": "c"}


def test_names_both_places_of_a_duplicate_key() -> None:
    said = complaint("a: 1\nb:\n  c: 1\n  c: 2\n")
    assert said.startswith("r.yaml:4:3: the key 'c' stands twice; first in line 3, column 3")


def test_reports_what_does_not_end_the_reading_all_at_once() -> None:
    said = complaint("a: 1\na: 2\nb: !!python/name:os.system x\nc: *nothing\nd: .inf\n<<: {}\n")
    assert [line.split(": ")[0] for line in said.splitlines()[::2]] == [
        "r.yaml:2:1",
        "r.yaml:3:4",
        "r.yaml:4:4",
        "r.yaml:5:4",
        "r.yaml:6:1",
    ]


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("a: 1\n\tb: 2", "2:1", "a tab cannot indent YAML"),
        ("a: [1", "1:6", "a bracket is never closed"),
        ("a: [1\nb: {", "2:2", "this list or mapping in brackets is not closed"),
        ('{"a": 1}\n{"a": 2}', "2:1", "a second value begins here"),
        ("a: 'x", "1:6", "a quote is never closed"),
        ("a: {b} c", "1:8", "text follows a value"),
        ("a: {b} {c}", "1:8", "text follows a value"),
        ("a: 1\n- b", "2:1", "this line fits neither"),
        ("a: b: c", "1:5", "a ':' makes no key here"),
        ("a: @b", "1:4", "no value can begin with this character"),
        ("a: 1\n---\nb: 1", "2:1", "a second document begins here"),
        ("%YAML 1.1\n---\na: 1", "1:1", "the recipe asks for YAML 1.1"),
        ("a: &x [*x]", "1:8", "the alias '*x' stands for itself"),
        ("? [a]\n: 1", "1:3", "a key must be one word or text"),
        ("a: 9999999999999999999", "1:4", "9999999999999999999 is too large a number"),
        ('a: "\\ud800"', "1:4", "the character U+D800 has no place"),
        ('a: "\\0"', "1:4", "the character U+0000 has no place"),
        ('b: 1\na: "\\UFFFFFFFF"', "2:1", "the YAML cannot be read"),
        (f"%YAML 1.{'9' * 5000}\n---\na: 1", "1:1", "the YAML cannot be read"),
        ("a: 1\nb: \x07", "2:4", "the character U+0007 has no place"),
        ("a: 1 # \u2028b: 2", "1:8", "the character U+2028 has no place"),
    ],
)
def test_says_where_text_is_no_recipe(text: str, place: str, what: str) -> None:
    assert complaint(text).startswith(f"r.yaml:{place}: {what}")


def test_reads_a_byte_order_mark_and_windows_line_ends() -> None:
    document = parse(decode(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "r.yaml"), "r.yaml")
    assert document.value == {"a": 1, "b": 2}
    assert document.spots["b",].value[2:4] == (2, 4)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_refuses_utf_16(encoding: str) -> None:
    text = "\ufeffa: 1" if encoding == "utf-16-be" else "a: 1"
    assert "the recipe is UTF-16" in complaint(text.encode(encoding))


def test_names_the_byte_that_is_not_utf_8() -> None:
    assert complaint(b"a: 1\nb: caf\xe9\n").startswith("r.yaml:2:7: the byte 0xe9 is not UTF-8")


def test_refuses_a_data_file_unread() -> None:
    assert complaint(b"x" * (MAX_BYTES + 1)).startswith("r.yaml:1:1: the file has")


def test_aliases_that_multiply_end_quickly() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    started = time.process_time()
    assert "more than 20,000 values" in complaint("\n".join(rows))
    assert time.process_time() - started < 2


@pytest.mark.parametrize("text", ["a: " + "[" * 5000, "- " * 5000, "{a: " * 5000])
def test_deep_nesting_ends_quickly(text: str) -> None:
    assert "nests deeper than 32 levels" in complaint(text)


def test_an_alias_stands_for_its_value() -> None:
    assert value("a: &x {b: [1]}\nc: *x\n") == {"a": {"b": [1]}, "c": {"b": [1]}}


def test_knows_the_place_of_every_key_and_value(tmp_path: Path) -> None:
    spots = parse("a:\n  - b: 1\n    c:  x\n", "r.yaml").spots
    spot = spots["a", 0, "c"]
    assert spot.key is not None
    assert (spot.key.line, spot.key.column) == (3, 5)
    assert (spot.value.line, spot.value.column, spot.written) == (3, 9, "x")
