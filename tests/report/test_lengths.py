"""Histograms and what is estimated from them."""

import pytest

from cotdata.manifest import LENGTH_COLUMNS, LENGTH_EDGES
from cotdata.report.lengths import HEIGHT, WIDTH, bin_table, histograms, quantile
from tests.report.factory import Made, manifest, medical

EDGES = [10, 100, 1_000]


@pytest.mark.parametrize(
    ("counts", "q", "estimate"),
    [
        ([0, 0, 0, 0], 0.5, "none"),
        ([0, 10, 0, 0], 0.5, "32"),
        ([0, 0, 10, 0], 1.0, "1,000"),
        ([0, 5, 5, 0], 0.5, "100"),
        ([0, 0, 1, 9], 0.9, "more than 1,000"),
        ([4, 0, 0, 0], 1.0, "10"),
    ],
)
def test_estimates_quantiles_on_the_bins_own_scale(
    counts: list[int], q: float, estimate: str
) -> None:
    assert quantile(counts, EDGES, q) == estimate


def test_estimates_lie_in_the_bin_that_holds_the_rank() -> None:
    for place in range(1, len(LENGTH_EDGES)):
        counts = [0] * (len(LENGTH_EDGES) + 1)
        counts[place] = 7
        estimate = int(quantile(counts, LENGTH_EDGES, 0.5).replace(",", ""))
        # Two digits: the rounding may leave the bin by a twentieth.
        assert LENGTH_EDGES[place - 1] * 0.95 <= estimate <= LENGTH_EDGES[place] * 1.05


def test_draws_each_column_before_and_after_on_one_axis() -> None:
    drawn = histograms(medical())
    assert [chart.column for chart in drawn] == list(LENGTH_COLUMNS)
    assert len({chart.ticks for chart in drawn}) == 1
    for chart in drawn:
        assert max(max(bar.before, bar.after) for bar in chart.bars) == pytest.approx(HEIGHT)
        assert chart.bars[-1].x + chart.bars[-1].width == pytest.approx(WIDTH)


def test_the_tallest_bar_is_as_tall_as_its_count() -> None:
    run = manifest([(Made("a"), 100)], [Made("length", {"too_long": 50})])
    chart = histograms(run)[0]
    before, after = run.before.lengths["Question"], run.after.lengths["Question"]
    tallest = max(chart.bars, key=lambda bar: bar.before)
    assert tallest.after / tallest.before == pytest.approx(max(after) / max(before))


def test_counts_texts_and_missing_values() -> None:
    chart = histograms(medical())[-1]
    assert chart.before.rows + chart.before.nulls == medical().before.rows
    assert chart.after.rows + chart.after.nulls == medical().after.rows


def test_the_table_holds_every_row_once() -> None:
    run = medical()
    sums = [sum(column) for column in zip(*(bin_.counts for bin_ in bin_table(run)), strict=True)]
    expected = [
        sum(profile.lengths[column])
        for column in LENGTH_COLUMNS
        for profile in (run.before, run.after)
    ]
    assert sums == expected


def test_bins_are_named_by_the_lengths_they_hold() -> None:
    run = manifest([(Made("a"), 1)])
    counts = [0] * (len(LENGTH_EDGES) + 1)
    ends = [1, *counts[1:-1], 2]
    before = run.before.model_copy(update={"lengths": {"Question": ends}})
    after = run.after.model_copy(update={"lengths": {"Question": ends}})
    names = [bin_.name for bin_ in bin_table(run.model_copy(
        update={"before": before, "after": after}))]  # fmt: skip
    assert names == ["0 to 16", f"{LENGTH_EDGES[-1] + 1:,} and more"]


def test_a_run_without_texts_has_empty_charts() -> None:
    chart = histograms(manifest([(Made("a"), 0)]))[0]
    assert (chart.bars, chart.ticks, chart.before.median) == ((), (), "none")
