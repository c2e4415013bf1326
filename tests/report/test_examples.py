"""Which rows the report shows."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cotdata.errors import SourceError
from cotdata.recipe import load_recipe
from cotdata.report import collect_examples
from cotdata.report.examples import (
    KEPT,
    MAX_REASONS,
    PER_REASON,
    rejected_by_source,
    source_label,
    stage_labels_of,
)
from cotdata.row import ROW_SCHEMA
from cotdata.run import build

WHY = {"stage": pl.String(), "reason": pl.String(), "evidence": pl.String(), "raw": pl.Binary()}


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    schema = pl.Schema({**ROW_SCHEMA, **(WHY if name.startswith("rejected") else {})})
    folder.mkdir(parents=True, exist_ok=True)
    full = [dict.fromkeys(schema.names()) | row for row in rows]
    pl.DataFrame(full, schema=schema).write_parquet(folder / name, row_group_size=100)


def kept(source: str, index: int) -> dict[str, Any]:
    return {
        "row_id": f"{source}:{index}",
        "origin": f"f:{index}",
        "source": source,
        "Question": "?",
    }


def rejected(source: str, index: int, stage: str, reason: str) -> dict[str, Any]:
    return kept(source, index) | {"stage": stage, "reason": reason, "evidence": "{}"}


def test_takes_the_first_rows_of_each_reason_in_file_order(tmp_path: Path) -> None:
    rows = [rejected("a", i, "length", "too_long" if i % 2 else "too_short") for i in range(20)]
    write(tmp_path / "rejected", "rejected-00000-of-00001.parquet", rows)
    found = collect_examples(tmp_path).rejected
    ids = {key: [row.row_id.text for row in rows] for key, rows in found.items()}
    assert ids == {
        ("length", "too_short"): ["a:0", "a:2", "a:4"],
        ("length", "too_long"): ["a:1", "a:3", "a:5"],
    }


def test_counts_each_reasons_rows_by_source_over_all_files(tmp_path: Path) -> None:
    for number, sources in enumerate(["aab", "bbbc"]):
        rows = [rejected(source, i, "length", "too_long") for i, source in enumerate(sources)]
        rows.append(rejected("a", 9, "source", "bad_json"))
        write(tmp_path / "rejected", f"rejected-{number:05}-of-00002.parquet", rows)
    found = rejected_by_source(tmp_path)
    assert found == {
        ("length", "too_long"): {"b": 4, "a": 2, "c": 1},
        (source_label("a"), "bad_json"): {"a": 2},
    }
    assert list(found["length", "too_long"]) == ["b", "a", "c"]
    assert collect_examples(tmp_path).sources == found


def test_fills_up_from_later_files(tmp_path: Path) -> None:
    for number in range(3):
        rows = [rejected("a", 2 * number + i, "length", "too_long") for i in range(2)]
        write(tmp_path / "rejected", f"rejected-0000{number}-of-00003.parquet", rows)
    found = collect_examples(tmp_path).rejected["length", "too_long"]
    assert [row.row_id.text for row in found] == ["a:0", "a:1", "a:2"]
    assert len(found) == PER_REASON


def test_finds_rows_far_apart_in_a_large_file(tmp_path: Path) -> None:
    rows = [rejected("a", i, "length", "too_long") for i in range(10_000)]
    rows[9_990]["reason"] = "too_short"
    write(tmp_path / "rejected", "rejected-00000-of-00001.parquet", rows)
    found = collect_examples(tmp_path).rejected
    assert [row.row_id.text for row in found["length", "too_short"]] == ["a:9990"]


def test_names_the_source_that_rejected_a_record(tmp_path: Path) -> None:
    rows = [
        rejected("a", 0, "source", "bad_json") | {"raw": b"{\xff", "Question": None},
        rejected("b", 0, "source", "bad_json"),
    ]
    write(tmp_path / "rejected", "rejected-00000-of-00001.parquet", rows)
    found = collect_examples(tmp_path).rejected
    assert list(found) == [(source_label("a"), "bad_json"), (source_label("b"), "bad_json")]
    raw = found[source_label("a"), "bad_json"][0].raw
    assert str(raw) == "{\\xff"


def test_reads_only_the_beginning_of_a_long_text(tmp_path: Path) -> None:
    rows = [rejected("a", 0, "length", "too_long") | {"Complex_CoT": "想" * 100_000}]
    write(tmp_path / "rejected", "rejected-00000-of-00001.parquet", rows)
    text = collect_examples(tmp_path).rejected["length", "too_long"][0].texts["Complex_CoT"]
    assert text is not None
    assert (len(text.text), text.length) == (700, 100_000)


def test_reads_only_the_beginning_of_long_bytes(tmp_path: Path) -> None:
    rows = [rejected("a", 0, "source", "record_too_large") | {"raw": b"x" * 100_000}]
    write(tmp_path / "rejected", "rejected-00000-of-00001.parquet", rows)
    raw = collect_examples(tmp_path).rejected[source_label("a"), "record_too_large"][0].raw
    assert str(raw).endswith("… (100,000 bytes)")


def test_shows_kept_rows_of_every_split_and_source(tmp_path: Path) -> None:
    train = [kept("big", i) for i in range(50)] + [kept("small", 0)]
    write(tmp_path / "data", "train-00000-of-00001.parquet", train)
    write(tmp_path / "data", "validation-00000-of-00001.parquet", [kept("big", 60)])
    rows = collect_examples(tmp_path).kept
    assert len(rows) == KEPT
    assert {(row.split, row.row_id.text) for row in rows} == {
        ("train", "big:0"),
        ("train", "big:1"),
        ("train", "big:2"),
        ("train", "small:0"),
        ("validation", "big:60"),
    }


def test_a_run_without_rows_has_no_examples(tmp_path: Path) -> None:
    write(tmp_path / "data", "train-00000-of-00001.parquet", [])
    write(tmp_path / "rejected", "rejected-00000-of-00001.parquet", [])
    examples = collect_examples(tmp_path)
    assert (dict(examples.rejected), list(examples.kept)) == ({}, [])


def test_any_number_of_reasons_costs_bounded_memory(tmp_path: Path) -> None:
    rows = [rejected("a", i, "plugin:x", f"reason_{i}") for i in range(MAX_REASONS + 50)]
    write(tmp_path / "rejected", "rejected-00000-of-00001.parquet", rows)
    assert len(collect_examples(tmp_path).rejected) == MAX_REASONS


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train-00000-of-00001.parquet").write_bytes(b"not parquet")
    with pytest.raises(SourceError, match=r"train-00000-of-00001\.parquet"):
        collect_examples(tmp_path)


RECIPE = """
schema: 1
name: two
sources:
  - {name: a, from: a.jsonl, adapter: medical_o1}
  - {name: b, from: b.jsonl, adapter: medical_o1}
stages:
  - {kind: length, column: Complex_CoT, max_chars: 12}
  - {kind: length, column: Response, min_chars: 2}
  - {kind: exact_dedup}
output: {dir: out}
"""


def test_a_real_run_gives_examples_of_every_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    line = '{{"Question":"q{0}","Complex_CoT":"{1}","Response":"{2}"}}\n'
    good = line.format(1, "think", "answer")
    (tmp_path / "a.jsonl").write_text(
        good + good + '{"Question":\n' + line.format(2, "t" * 20, "ok")
    )
    (tmp_path / "b.jsonl").write_text(
        line.format(3, "t", "x") + "[]\n" + line.format(4, "t", "yes")
    )
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    run = build(load_recipe(tmp_path / "recipe.yaml"), workers=1)
    labels = stage_labels_of(run.manifest.stages)
    expected = {
        (label, reason)
        for label, stage in zip(labels, run.manifest.stages, strict=True)
        for reason in stage.reasons
    } | {(source_label(s.name), reason) for s in run.manifest.sources for reason in s.reasons}
    found = collect_examples(run.path)
    assert set(found.rejected) == expected
    assert {step for step, _ in expected} == {
        "sources/a", "sources/b", "length", "length#2", "exact_dedup"}  # fmt: skip
    assert "No examples are shown" not in (run.path / "report.html").read_text("utf-8")
