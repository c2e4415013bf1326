"""The funnel's bands are as wide as the rows in them."""

import re

import pytest

from cotdata.report.funnel import BAND, DRIFT, HAIRLINE, Shape, Step, funnel
from tests.report.factory import Made, manifest, medical


def span(shape: Shape) -> tuple[float, float]:
    """Return where a shape begins and ends at its top."""
    found = re.match(r"M([\d.]+) \d+H([\d.]+)", shape.path)
    assert found
    return float(found[1]), float(found[2])


def shape(step: Step, role: str) -> Shape:
    return next(shape for shape in step.shapes if shape.role == role)


def test_has_every_source_stage_and_split_in_order() -> None:
    assert [(step.role, step.name, step.rows) for step in funnel(medical())] == [
        ("source", "medical_zh", 1_540),
        ("source", "medical_en", 847),
        ("stage", "normalize_text", 2_383),
        ("stage", "require_fields", 2_379),
        ("stage", "length", 2_336),
        ("stage", "exact_dedup", 2_134),
        ("stage", "split", 2_134),
        ("split", "train", 2_091),
        ("split", "validation", 43),
    ]


def test_widths_are_in_proportion_to_rows() -> None:
    run = manifest([(Made("a"), 600), (Made("b"), 400)], [Made("length", {"too_long": 250})])
    a, b, stage, train = funnel(run)
    assert span(shape(a, "edge")) == pytest.approx((0, 0.6 * BAND))
    assert span(shape(b, "edge")) == pytest.approx((0.6 * BAND, BAND))
    assert span(shape(stage, "kept")) == pytest.approx((0, 0.75 * BAND))
    assert span(shape(stage, "lost")) == pytest.approx((0.75 * BAND, BAND))
    assert span(shape(train, "edge")) == pytest.approx((0, 0.75 * BAND))


def test_one_rejected_row_in_a_million_is_still_seen() -> None:
    run = manifest([(Made("a"), 1_000_000)], [Made("length", {"too_long": 1})])
    left, right = span(shape(funnel(run)[1], "lost"))
    assert right - left == pytest.approx(HAIRLINE, abs=0.01)


def test_made_rows_join_the_band() -> None:
    run = manifest([(Made("a"), 100)], [Made("mix", {"not_drawn": 20}, made=40)])
    step = funnel(run)[1]
    assert (step.rows, step.made, step.rejected) == (120, 40, 20)
    left, right = span(shape(step, "made"))
    assert left - DRIFT == pytest.approx(BAND * 80 / 140, abs=0.01)
    assert right - DRIFT == pytest.approx(BAND * 120 / 140, abs=0.01)


def test_nothing_leaves_the_drawing() -> None:
    run = manifest([(Made("a", {"bad_json": 9}), 10)], [Made("x", {"y": 1})])
    for step in [*funnel(run), *funnel(medical())]:
        for part in step.shapes:
            places = [float(x) for x in re.findall(r"[MHV ]([\d.]+)", part.path)]
            assert all(0 <= place <= 100 for place in places)


def test_a_run_without_rows_draws_nothing() -> None:
    assert [step.shapes for step in funnel(manifest([(Made("a"), 0)]))] == [(), ()]
