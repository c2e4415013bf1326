"""Evidence as key and value."""

import orjson

from cotdata.report.evidence import MAX_PAIRS, MAX_RECORDS, read_evidence
from cotdata.report.text import Excerpt


def read(json: str) -> list[list[tuple[str, str]]]:
    found = read_evidence(Excerpt.of(json, 100_000))
    assert isinstance(found, list)
    return [[(str(key), str(value)) for key, value in pairs] for pairs in found]


def test_reads_an_object() -> None:
    json = '{"kept":"a:3","on":["Question","Response"],"twins":1200,"exact":true,"by":null}'
    assert read(json) == [
        [("kept", "a:3"), ("on", "Question, Response"), ("twins", "1,200"), ("exact", "true"),
         ("by", "null")]
    ]  # fmt: skip


def test_reads_a_list_of_problems() -> None:
    json = '[{"column":"Question","problem":"is empty"},{"column":"meta","problem":"x"}]'
    assert [pairs[0][1] for pairs in read(json)] == ["Question", "meta"]


def test_writes_what_is_nested_as_json() -> None:
    assert read('{"a":{"b":[1,2.5]}}') == [[("a", '{"b":[1,2.5]}')]]


def test_shows_as_text_what_is_no_object() -> None:
    for text in ("not json", "[]", "3", '"word"', '[{"a":1},2]', "[" * 5_000):
        evidence = Excerpt.of(text, 10_000)
        assert read_evidence(evidence) is evidence


def test_shows_as_text_what_was_cut() -> None:
    evidence = Excerpt('{"a":1}', 9_000)
    assert read_evidence(evidence) is evidence


def test_cuts_long_values_long_lists_and_wide_objects() -> None:
    long = read(orjson.dumps({"a": "x" * 5_000}).decode())
    assert long[0][0][1].endswith("… (5,000 characters)")
    wide = read(orjson.dumps({f"k{place}": 1 for place in range(MAX_PAIRS + 7)}).decode())
    assert wide[0][-1] == ("…", "7 more, in rejected/")
    many = read(orjson.dumps([{"a": 1}] * (MAX_RECORDS + 2)).decode())
    assert many[-1] == [("…", "2 more, in rejected/")]
    assert len(many) == MAX_RECORDS + 1
