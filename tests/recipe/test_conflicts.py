"""What makes a recipe impossible though each of its parts is right."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import polars as pl
import pytest

from cotdata.stages.plugin import ENTRY_POINT_GROUP, load_plugin
from tests.recipe.recipes import SHORTEST, load, places, problems


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a plugin that adds the numeric column `question_chars`."""
    point = EntryPoint("chars", "tests.recipe.plugin", ENTRY_POINT_GROUP)
    monkeypatch.setattr("cotdata.stages.plugin.entry_points", lambda **_: [point])
    load_plugin.cache_clear()
    yield
    load_plugin.cache_clear()


def stages(*listed: str) -> str:
    return SHORTEST + "stages:\n" + "".join(f"  - {stage}\n" for stage in listed)


CHARS = "{kind: plugin, name: chars}"
BEST = "{kind: exact_dedup, keep: best, by: question_chars}"


def test_twins_can_be_ranked_by_a_column_that_an_earlier_stage_adds(tmp_path: Path) -> None:
    assert len(load(tmp_path, stages(CHARS, BEST)).recipe.stages) == 2


def test_not_by_a_column_that_a_later_stage_adds(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, stages(BEST, CHARS))
    assert problem.what == "no earlier stage adds a numeric column 'question_chars'"


def test_a_wrong_column_is_told_with_the_right_ones(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, stages(CHARS, BEST.replace("_chars", "s")))
    assert (problem.fix or "").startswith("use one of question_chars, or `keep: first`")


def test_a_column_is_added_once(tmp_path: Path) -> None:
    found = problems(tmp_path, stages(CHARS, CHARS))
    assert places(found) == [(9, 5, "stages[1]")]
    assert found[0].what == "adds the column 'question_chars', which is there already"


def test_a_plugins_settings_are_checked_by_the_plugin(tmp_path: Path) -> None:
    wrong = "{kind: plugin, name: chars, config: {at_least: x, at_most: 5}}"
    found = problems(tmp_path, stages(wrong))
    assert places(found) == [
        (8, 52, "stages[0].config.at_least"),
        (8, 64, "stages[0].config.at_most"),
    ]
    assert found[0].fix == "see the settings of plugin 'chars'"


def test_splits_and_names_are_compared_even_where_parts_are_wrong(tmp_path: Path) -> None:
    text = stages("{kind: split, validation: 2.5}", "{kind: split}").replace(
        "stages:", "  - {name: notes, adapter: medical_o1}\nstages:"
    )
    found = [problem.what for problem in problems(tmp_path, text)]
    assert "a second `split`; the first is stages[0]" in found
    assert "sources[0] has the name 'notes' too" in found


@pytest.mark.parametrize("name", ["split", "copies", "row_number", "evidence", "Question"])
def test_a_plugin_that_adds_a_reserved_column_is_refused_at_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("tests.recipe.plugin.adds", {name: pl.UInt32()})
    (problem,) = problems(tmp_path, stages("{kind: split}", CHARS))
    assert places([problem]) == [(9, 26, "stages[1].name")]
    assert problem.what == f"plugin 'chars' adds {name}, which cotdata itself uses"
    assert problem.fix


def test_a_column_that_rendering_adds_cannot_be_a_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.recipe.plugin.adds", {"text": pl.String()})
    assert load(tmp_path, stages(CHARS)).recipe.render is None
    (problem,) = problems(tmp_path, stages(CHARS) + "render: {model: x}\n")
    assert problem.what == "adds the column 'text', which rendering adds"
    assert places([problem]) == [(8, 5, "stages[0]")]
