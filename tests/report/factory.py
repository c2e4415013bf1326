"""Runs to report on: a realistic one, and the strange ones that a report must survive."""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from cotdata.manifest import (
    LENGTH_COLUMNS,
    LENGTH_EDGES,
    ColumnRecord,
    Evidence,
    Fit,
    InputFile,
    Manifest,
    OutputFile,
    PackingRecord,
    Profile,
    RenderRecord,
    SourceRecord,
    SplitRecord,
    StageRecord,
)
from cotdata.render.view import RowView, Span
from cotdata.report.examples import ExampleRow, Examples, source_label
from cotdata.report.text import Excerpt
from cotdata.row import ROW_SCHEMA

#: Median length and spread, in octaves, of each column.
SHAPES = {"Question": (150.0, 0.8), "Complex_CoT": (2_300.0, 0.9), "Response": (900.0, 1.1)}


@dataclass(frozen=True)
class Made:
    """What one source or stage of a made-up run does."""

    name: str
    reasons: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    made: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)


def manifest(
    sources: Sequence[tuple[Made, int]],
    stages: Sequence[Made] = (),
    *,
    name: str = "medical-o1",
    splits: Mapping[str, int] | None = None,
    sample: bool = False,
    languages: Mapping[str, str] | None = None,
    left: Mapping[str, int] | None = None,
) -> Manifest:
    """Return a manifest whose numbers add up.

    `splits` are rows besides train, `languages` those of the sources, and `left` the result's rows
    by source where they are not in proportion to what was read.
    """
    records = [_source(made, read) for made, read in sources]
    rows = sum(record.kept for record in records)
    before = {record.name: record.kept for record in records}
    steps = []
    for position, made in enumerate(stages):
        steps.append(_stage(position, made, rows))
        rows = steps[-1].kept
    after = _shares(rows, left or before)
    counts = {"train": rows - sum((splits or {}).values()), **(splits or {})}
    return Manifest(
        name=name,
        fingerprint=hashlib.sha256(name.encode()).hexdigest(),
        seed=3407,
        sample=sample,
        overrides={},
        recipe={"schema": 1, "name": name, "seed": 3407,
                "sources": [{"name": made.name, "from": f"data/{made.name}.json"}
                            for made, _ in sources],
                "stages": [{"kind": made.name, **made.config} for made in stages]},
        sources=records,
        stages=steps,
        splits={
            split: SplitRecord(rows=count, sources=_shares(count, after))
            for split, count in counts.items()
        },
        rejected=sum(record.rejected for record in records) + sum(step.rejected for step in steps),
        columns=[ColumnRecord(name=name, dtype=str(dtype)) for name, dtype in ROW_SCHEMA.items()],
        before=_profile(before, languages),
        after=_profile(after, languages),
        versions={"cotdata": "0.1.0", "polars": "2.1.0", "pyarrow": "21.0.0"},
        outputs=[
            OutputFile(path=f"data/{split}-00000-of-00001.parquet", rows=count,
                       bytes=6_143 * count + 811, sha256=hashlib.sha256(split.encode()).hexdigest())
            for split, count in counts.items()
        ],
    )  # fmt: skip


def medical() -> Manifest:
    """Return a run on 1,540 Chinese rows, 202 of them repeated, and 847 English ones."""
    return manifest(
        [
            (Made("medical_zh", {"bad_json": 2, "truncated": 1}, {"blank_lines": 3}), 1_540),
            (Made("medical_en", {}, {"question_stripped": 11}), 847),
        ],
        [
            Made("normalize_text", {"empty_question": 1}, {"Question: Unicode NFC": 12,
                 "Complex_CoT: zero-width characters": 37, "Response: newlines": 214}),
            Made("require_fields", {"missing_field": 4}),
            Made("length", {"too_short": 38, "too_long": 5}, config={"column": "Complex_CoT"}),
            Made("exact_dedup", {"exact_duplicate": 202}, config={"keep": "longest_cot"}),
            Made("split", config={"validation": 0.02}),
        ],
        splits={"validation": 43},
        languages={"medical_zh": "zh", "medical_en": "en"},
        left={"medical_zh": 1_316, "medical_en": 818},
    )  # fmt: skip


def medical_examples() -> Examples:
    """Return rows that fit `medical`."""
    twin = {"kept": "medical_zh:412", "kept_origin": "medical_zh.json:413",
            "on": ["Question", "Complex_CoT", "Response"], "twins": 2}  # fmt: skip
    short = {"column": "Complex_CoT", "unit": "characters", "value": 87, "limit": 200}
    return Examples(
        rejected={
            (source_label("medical_zh"), "bad_json"): [
                broken("medical_zh:17", b'{"Question": "half a rec\xff')
            ],
            ("exact_dedup", "exact_duplicate"): [
                row(f"medical_zh:{index}", _CHINESE, evidence=twin) for index in (977, 1_012, 1_204)
            ],
            ("length", "too_short"): [
                row("medical_en:31", _ENGLISH, evidence=short),
            ],
        },
        kept=[
            row("medical_zh:0", _CHINESE, split="train"),
            row("medical_en:0", _ENGLISH, split="train"),
            row("medical_en:19", _ENGLISH, split="validation"),
        ],
    )


def rendered_medical() -> Manifest:
    """Return `medical`, rendered for a distill of DeepSeek-R1: 18 of 2,134 rows are rejected."""
    run = medical()
    reasons = {"too_long": 12, "control_tokens": 3, "reasoning": 2, "no_answer": 1}
    step = _stage(len(run.stages), Made("render", reasons, {"boundary_merge": 6}), run.after.rows)
    checks = dict.fromkeys(
        ("control_tokens", "reasoning", "prompt", "bos", "trained_span", "token_ids", "round_trip",
         "length"), run.after.rows - 1
    )  # fmt: skip
    checks |= {"control_tokens": 2_130, "reasoning": 2_131, "length": 2_121}
    rows = {"train": 2_074, "validation": 42}
    return run.model_copy(
        update={
            "stages": [*run.stages, step],
            "rejected": run.rejected + step.rejected,
            "after": _profile(_shares(step.kept, run.after.sources), None),
            "splits": {
                name: SplitRecord(rows=count, sources=_shares(count, run.after.sources))
                for name, count in rows.items()
            },
            "render": _render_record(checks, rows),
        }
    )


def _render_record(checks: Mapping[str, int], rows: Mapping[str, int]) -> RenderRecord:
    fits = {1_024: (1_377, 862_411), 2_048: (2_116, 1_530_873), 4_096: (2_125, 1_553_006),
            8_192: (2_127, 1_562_870), 16_384: (2_127, 1_562_870),
            32_768: (2_127, 1_562_870)}  # fmt: skip
    tokens = {"train": 1_803_217, "validation": 36_480}
    return RenderRecord(
        model="deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
        revision="916b56a44061fd5cd7d6a8fb632557ed4f724f60",
        files={"tokenizer.json": "5f" * 32, "tokenizer_config.json": "a1" * 32},
        frame="auto",
        encoding="composed",
        template_kwargs={"enable_thinking": True},
        date="2026-01-01",
        prompt="<｜begin▁of▁sentence｜><｜User｜>{Question}<｜Assistant｜><think>\n",
        completion="{Complex_CoT}\n</think>\n\n{Response}<｜end▁of▁sentence｜>",
        stop="<｜end▁of▁sentence｜>",
        stop_id=151_643,
        history="dropped",
        settings={"model": "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "max_tokens": 2_048},
        checks=dict(checks),
        compared=33,
        lengths={
            str(limit): Fit(rows=rows_, trained_tokens=trained)
            for limit, (rows_, trained) in fits.items()
        },
        tokens=sum(tokens.values()),
        trained=1_530_873,
        verdict=[
            Evidence(question="generation prompt", answer="opens a think block",
                     evidence="'<｜Assistant｜><think>\\n'"),
            Evidence(question="reasoning as reasoning_content", answer="lost",
                     evidence="the reasoning is written nowhere"),
            Evidence(question="which form keeps the reasoning", answer="composed",
                     evidence="'' … '\\n</think>\\n\\n' … '<｜end▁of▁sentence｜>'"),
        ],
        packing=PackingRecord(
            max_tokens=2_048, rows=dict(rows), tokens=tokens,
            sequences={"train": 887, "validation": 19}, utilisation=0.991498,
        ),
    )  # fmt: skip


def rendered_views() -> list[RowView]:
    """Return rows that fit `rendered_medical`: a short one, and one to unfold."""
    return [
        rendered_view("medical_zh:0", _CHINESE, 1),
        rendered_view("medical_en:0", _ENGLISH, 9),
        rendered_view("medical_en:19", {**_ENGLISH, "Complex_CoT": "Short."}, 1),
    ]


def rendered_view(row_id: str, texts: Mapping[str, str | None], times: int) -> RowView:
    """Return a row as R1's distills are trained on it, its reasoning so many times over."""
    reasoning = "\n\n".join([texts["Complex_CoT"] or ""] * times)
    prompt = f"<｜begin▁of▁sentence｜><｜User｜>{texts['Question']}<｜Assistant｜><think>\n"
    spans = (
        Span(prompt, "prompt", False, 41),
        Span(reasoning, "reasoning", True, len(reasoning) // 4),
        Span("\n</think>\n\n", "frame", True, 3),
        Span(texts["Response"] or "", "answer", True, 52),
        Span("<｜end▁of▁sentence｜>", "stop", True, 1),
    )
    tokens = sum(span.tokens or 0 for span in spans)
    return RowView(row_id, f"{row_id}.json", spans, tokens, tokens - 41, True)


def row(
    row_id: str,
    texts: Mapping[str, str | None],
    *,
    evidence: object = None,
    split: str | None = None,
) -> ExampleRow:
    """Return one row to look at."""
    json = None if evidence is None else orjson.dumps(evidence).decode()
    return ExampleRow(
        row_id=Excerpt.of(row_id),
        origin=Excerpt.of(row_id.replace(":", ".json:")),
        texts={name: None if text is None else Excerpt.of(text) for name, text in texts.items()},
        split=split,
        evidence=None if json is None else Excerpt.of(json, 2_000),
    )


def broken(row_id: str, raw: bytes) -> ExampleRow:
    """Return a record that was no row."""
    return ExampleRow(
        row_id=Excerpt.of(row_id),
        origin=Excerpt.of(row_id),
        texts=dict.fromkeys(LENGTH_COLUMNS),
        evidence=Excerpt.of('{"error":"unexpected end of data: line 1 column 25"}'),
        raw=Excerpt.of_bytes(raw, len(raw)),
    )


def _source(made: Made, read: int) -> SourceRecord:
    rejected = sum(made.reasons.values())
    return SourceRecord(
        name=made.name,
        origin=f"data/{made.name}.json",
        adapter="medical_o1",
        license="apache-2.0",
        files=[InputFile(path=f"{made.name}.json", bytes=read * 5_417 + 2,
                         sha256=hashlib.sha256(made.name.encode()).hexdigest(), records=read)],
        available=read,
        read=read,
        kept=read - rejected,
        rejected=rejected,
        reasons=dict(made.reasons),
        notes=dict(made.notes),
    )  # fmt: skip


def _stage(position: int, made: Made, rows: int) -> StageRecord:
    rejected = sum(made.reasons.values())
    return StageRecord(
        position=position,
        kind=made.name,
        version=1,
        config=dict(made.config),
        rows_in=rows,
        made=made.made,
        kept=rows + made.made - rejected,
        rejected=rejected,
        reasons=dict(made.reasons),
        notes=dict(made.notes),
    )


def _shares(rows: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Divide rows as the weights are divided, to the last row."""
    left, weight = rows, sum(weights.values())
    parts = {}
    for name, part in weights.items():
        parts[name] = round(left * part / weight) if weight else 0
        left, weight = left - parts[name], weight - part
    return parts


def _profile(sources: Mapping[str, int], languages: Mapping[str, str] | None) -> Profile:
    rows = sum(sources.values())
    nulls = dict.fromkeys(LENGTH_COLUMNS, 0) | {"Response": rows // 400}
    spoken: Counter[str] = Counter()
    for name, count in sources.items():
        spoken[(languages or {}).get(name, "script:Latin")] += count
    return Profile(
        rows=rows,
        lengths={name: _lengths(rows - nulls[name], *SHAPES[name]) for name in LENGTH_COLUMNS},
        nulls=nulls,
        sources=dict(sources),
        languages=dict(spoken),
    )


def _lengths(rows: int, median: float, octaves: float) -> list[int]:
    """Deal rows to bins as a log-normal distribution does."""
    middles = [edge / 2**0.25 for edge in (*LENGTH_EDGES, LENGTH_EDGES[-1] * 2)]
    weights = {
        str(place): round(1e6 * math.exp(-((math.log2(middle / median) / octaves) ** 2) / 2))
        for place, middle in enumerate(middles)
    }
    return list(_shares(rows, weights).values())


_CHINESE: dict[str, str | None] = {
    "Question": "一位患者出现乏力和食欲减退，查体见巩膜轻度黄染。下一步应首先做哪项检查？",
    "Complex_CoT": "先看症状：乏力、食欲差，加上巩膜发黄，说明胆红素可能升高。"
    "要弄清黄疸属于哪一类，得先看肝功能和胆红素的分项。等等，要不要直接做影像？如果以直接胆红素为主，再用超声看胆道是否梗阻更合理。",
    "Response": "首先检查肝功能，包括总胆红素与直接胆红素；若以直接胆红素升高为主，再做腹部超声。",
}
_ENGLISH: dict[str, str | None] = {
    "Question": "Why is a patient told not to eat before an ultrasound of the gallbladder?",
    "Complex_CoT": "A meal makes the gallbladder contract. Contracted, it is small and its wall "
    "looks thick. Hmm, and gas in the bowel after a meal hides what lies behind it.",
    "Response": "After a fast the gallbladder is full, so stones and wall changes can be seen, and "
    "there is less bowel gas in the way.",
}
