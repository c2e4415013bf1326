import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from cotdata.errors import SourceError, StageError
from cotdata.row import ROW_SCHEMA
from cotdata.stages import nature, run_row_stage, stage_labels
from cotdata.stages.base import NUMBER, StageResult
from cotdata.stages.plugin import Plugin, load_plugin
from cotdata.stages.split import Split
from tests.stages.frames import questions
from tests.stages.plugins import Shouting, install
from tests.stages.runner import run

ROWS = questions("Why?", "a rash", "How?", "a cough")
STAGE = Plugin(name="shouting")


@pytest.fixture(autouse=True)
def _forget_plugins() -> Any:
    yield
    load_plugin.cache_clear()


class Broken(Shouting):
    """A plugin that does right, and then spoils its result."""

    def __init__(self, spoil: Callable[[StageResult], Any]) -> None:
        self.spoil = spoil

    def run(self, rows: pl.DataFrame, config: Any) -> Any:
        return self.spoil(super().run(rows, config))


def spoilt(patch: pytest.MonkeyPatch, spoil: Callable[[StageResult], Any]) -> str:
    """Run a plugin that spoils its result and return what is said about it."""
    install(patch, shouting=Broken(spoil))
    with pytest.raises(StageError) as caught:
        run(ROWS, STAGE)
    return caught.value.what


def kept(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[StageResult], StageResult]:
    return lambda result: StageResult(change(result.kept), result.rejected, result.notes)


def rejected(
    change: Callable[[pl.DataFrame], pl.DataFrame],
) -> Callable[[StageResult], StageResult]:
    return lambda result: StageResult(result.kept, change(result.rejected), result.notes)


def test_a_plugin_runs_like_a_stage_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, shouting=Shouting())
    result = run(ROWS, STAGE)
    assert result.kept["Question"].to_list() == ["Why?", "How?"]
    assert result.kept["shouts"].to_list() == [True, True]
    assert result.rejected["reason"].to_list() == ["has_word", "has_word"]
    assert json.loads(result.rejected["evidence"][0]) == {"word": "a"}
    assert result.notes == {"looked at": 4}


def test_its_settings_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, shouting=Shouting())
    stage = Plugin(name="shouting", config={"word": "cough"})
    assert run(ROWS, stage).rejected["Question"].to_list() == ["a cough"]


def test_settings_that_it_does_not_know_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, shouting=Shouting())
    with pytest.raises(ValidationError, match="Extra inputs"):
        run_row_stage(ROWS, Plugin(name="shouting", config={"wrod": "cough"}))


def test_what_it_has_beyond_its_columns_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(result: StageResult) -> StageResult:
        more = pl.lit(1).alias("scratch")
        return StageResult(result.kept.with_columns(more), result.rejected.with_columns(more))

    install(monkeypatch, shouting=Broken(spoil))
    result = run(ROWS, STAGE)
    assert result.kept.columns == [*ROWS.columns, "shouts"]
    assert result.rejected.columns == [*ROWS.columns, "reason", "evidence"]


def test_its_version_and_columns_are_part_of_its_nature(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, shouting=Shouting())
    assert nature(STAGE) == ("3", {"shouts": pl.Boolean()}, True)


def test_it_may_change_text_but_not_what_names_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    install(
        monkeypatch, shouting=Broken(kept(lambda rows: rows.with_columns(Question=pl.lit("x"))))
    )
    assert run(ROWS, STAGE).kept["Question"].to_list() == ["x", "x"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (kept(lambda rows: rows.head(1)), "4 rows in, 1 kept and 2 rejected"),
        (kept(lambda rows: pl.concat([rows, rows])), "4 rows in, 4 kept and 2 rejected"),
        (kept(lambda rows: pl.concat([rows[:1], rows[:1]])), "a row came back twice"),
        (kept(lambda rows: rows.with_columns(origin=pl.lit("?"))), "or changed in"),
        (kept(lambda rows: rows.with_columns(row_id=pl.lit("?"))), "or changed in"),
        (kept(lambda rows: rows.sort(NUMBER, descending=True)), "not in the order"),
        (kept(lambda rows: rows.drop("shouts")), "kept rows lack the columns shouts"),
        (
            kept(lambda rows: rows.drop("meta", NUMBER)),
            "kept rows lack the columns meta, row_number",
        ),
        (kept(lambda rows: rows.cast({"shouts": pl.Int8})), "'shouts' of kept rows is Int8"),
        (
            kept(lambda rows: rows.with_columns(answer=pl.lit(1))),
            "'answer' of kept rows is Int32, not String",
        ),
        (rejected(lambda rows: rows.drop("evidence")), "rejected rows lack the columns evidence"),
        (rejected(lambda rows: rows.drop("Question")), "rejected rows lack the columns Question"),
        (
            rejected(lambda rows: rows.with_columns(reason=pl.lit(None, pl.String))),
            "no reason or no evidence",
        ),
        (
            rejected(lambda rows: rows.with_columns(evidence=pl.lit(None, pl.String))),
            "no reason or no evidence",
        ),
        (rejected(lambda rows: rows.with_columns(reason=pl.lit(7))), "'reason' of rejected rows"),
        (
            rejected(lambda rows: rows.with_columns(reason=pl.lit("mood"))),
            "undeclared reasons: mood",
        ),
        (
            rejected(lambda rows: rows.with_columns(evidence=pl.lit("because"))),
            "evidence that is not a JSON object",
        ),
        (
            rejected(lambda rows: rows.with_columns(evidence=pl.lit("[1]"))),
            "evidence that is not a JSON object",
        ),
    ],
)
def test_a_plugin_that_breaks_a_law_is_stopped(
    spoil: Callable[[StageResult], StageResult], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = spoilt(monkeypatch, spoil)
    assert said.startswith("plugin 'shouting' broke the accounting: ")
    assert message in said


def test_a_result_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = spoilt(monkeypatch, lambda result: (result.kept, result.rejected))
    assert said == "plugin 'shouting' gave a tuple, not a StageResult"


def test_an_error_of_a_plugin_names_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    assert spoilt(monkeypatch, lambda _: {"y": 1}["x"]) == "plugin 'shouting' failed: KeyError: 'x'"


def test_an_error_that_is_ours_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: StageResult) -> StageResult:
        raise SourceError("the word list is missing", fix="fetch it")

    install(monkeypatch, shouting=Broken(refuse))
    with pytest.raises(SourceError, match="the word list is missing"):
        run(ROWS, STAGE)


def test_an_unknown_plugin_is_told_with_those_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, shouting=Shouting(), whispering=Shouting())
    with pytest.raises(StageError, match="installed plugins: shouting, whispering"):
        load_plugin("shuoting")
    install(monkeypatch)
    with pytest.raises(StageError, match="installed plugins: none"):
        load_plugin("shouting")


def test_a_plugin_that_lacks_a_member_is_told_what(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, half=type("Half", (), {"version": "1", "reasons": {}})())
    with pytest.raises(StageError, match="plugin 'half' lacks config_model, adds, run"):
        load_plugin("half")


def test_a_plugin_that_cannot_be_imported_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, torn=ImportError("No module named 'torn'"))
    with pytest.raises(StageError, match="cannot be imported: No module named 'torn'"):
        load_plugin("torn")


def test_a_plugin_is_named_in_the_rejected_rows_and_told_apart() -> None:
    stages = (STAGE, Split(), Plugin(name="other"), STAGE)
    assert stage_labels(stages) == [
        "plugin:shouting",
        "split",
        "plugin:other",
        "plugin:shouting#2",
    ]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"language": pl.lit("EN!!")}, "language: "),
        ({"Question": pl.lit(None, pl.String)}, "Question: "),
        ({"Question": pl.lit(" blanks ")}, "Question: has blanks at its ends"),
        ({"meta": pl.lit("[1]")}, "meta: is not a JSON object"),
    ],
)
def test_a_plugin_may_not_make_rows_that_are_none(
    monkeypatch: pytest.MonkeyPatch, spoil: dict[str, pl.Expr], said: str
) -> None:
    rows = run(ROWS, Split()).kept.drop("split")
    whole = pl.concat([ROW_SCHEMA.to_frame(), rows], how="diagonal").with_columns(
        pl.lit("file:1").alias("origin"), pl.lit("corpus").alias("source")
    )
    install(monkeypatch, shouting=Broken(kept(lambda frame: frame.with_columns(**spoil))))
    with pytest.raises(StageError) as caught:
        run_row_stage(whole, STAGE)
    first = whole["row_id"][0]
    start = f"plugin 'shouting' broke the accounting: row {first} is no row any more: {said}"
    assert caught.value.what.startswith(start)


def test_a_plugin_may_not_add_a_column_that_the_rows_have(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, shouting=Shouting())
    once = run_row_stage(ROWS, STAGE).kept
    with pytest.raises(StageError, match="'shouting' adds shouts, which the rows have already"):
        run_row_stage(once, STAGE)


@pytest.mark.parametrize(
    "name",
    [*("split", "copies", "stage", "reason", "evidence", "raw", "row_number"), *ROW_SCHEMA],
)
def test_a_plugin_may_not_add_a_column_that_the_build_uses(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(Shouting, "adds", {name: pl.String()})
    install(monkeypatch, shouting=Shouting())
    with pytest.raises(StageError, match=f"adds {name}, which cotdata itself uses"):
        load_plugin("shouting")
