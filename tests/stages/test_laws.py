import json
from collections.abc import Iterator
from typing import Any, get_args

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.stages import AnyStage, DatasetStage, RowStage, nature
from cotdata.stages.base import NUMBER, StageConfig, StageResult, settings
from cotdata.stages.exact_dedup import ExactDedup
from cotdata.stages.length import Length
from cotdata.stages.mix import Mix, Portion
from cotdata.stages.normalize_text import NormalizeText
from cotdata.stages.plugin import Plugin, load_plugin
from cotdata.stages.require_fields import RequireFields
from cotdata.stages.sample import Sample
from cotdata.stages.split import Split
from tests.stages.frames import CUTS, FRAME, LAW, SCHEMA
from tests.stages.plugins import Shouting, install
from tests.stages.runner import run

KINDS: tuple[type[StageConfig], ...] = (*get_args(RowStage), *get_args(DatasetStage), Mix)
ALL_TEXT = ("Question", "Complex_CoT", "Response", "system", "answer")

STAGES: tuple[AnyStage, ...] = (
    NormalizeText(),
    NormalizeText(columns=ALL_TEXT),
    NormalizeText(columns=("system",), unicode_nfc=False),
    NormalizeText(mojibake=False, newlines=False),
    NormalizeText(
        mojibake=False,
        newlines=False,
        control_characters=False,
        zero_width=False,
        unicode_nfc=False,
    ),
    RequireFields(),
    RequireFields(columns=(*ALL_TEXT, "language", "meta")),
    Length(min_chars=0),
    Length(column="Question", min_chars=3, max_chars=3),
    Length(column="Response", max_words=0),
    Length(min_chars=2, max_chars=8, min_words=1, max_words=2),
    Plugin(name="shouting"),
    Plugin(name="shouting", config={"word": "发"}),
    ExactDedup(),
    ExactDedup(on=("Question",), keep="longest_cot"),
    ExactDedup(on=("Question",), keep="shortest_cot", ignore_case=True, ignore_white_space=True),
    ExactDedup(on=("language",), keep="best", by="score"),
    ExactDedup(on=("meta", "language", *ALL_TEXT)),
    Sample(rows=0),
    Sample(rows=3),
    Sample(rows=10**17, seed=2**63),
    Sample(share=0.0),
    Sample(share=0.5, seed=1),
    Sample(share=1.0),
    Split(),
    Split(validation=0.4),
    Split(validation=0.3, test=0.6, seed=5),
    Split(validation=2, test=3),
    Split(validation=10**17),
    Split(validation=3, test=0.3),
    Split(validation=0.3, test=3, group_by=("language",)),
    Split(validation=0.3, group_by=("Response", "answer", "Question")),
    Mix(portions=(Portion(source="a", weight=0.5),)),
    Mix(portions=(Portion(source="b", max_rows=1), Portion(source="a", repeat=3)), seed=9),
    Mix(portions=(Portion(source="nowhere", max_rows=0),)),
)


def label(stage: AnyStage) -> str:
    changed = stage.model_dump(exclude_defaults=True)
    return f"{stage.kind} {changed}" if changed else stage.kind


each_stage = pytest.mark.parametrize("stage", STAGES, ids=label)


@pytest.fixture(autouse=True, scope="module")
def _shouting_is_installed() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        install(patch, shouting=Shouting())
        yield
    load_plugin.cache_clear()


def assert_equal(one: StageResult, other: StageResult) -> None:
    assert one.kept.equals(other.kept)
    assert one.kept.schema == other.kept.schema
    assert one.rejected.equals(other.rejected)
    assert one.rejected.schema == other.rejected.schema
    assert one.notes == other.notes


@each_stage
@LAW
@given(rows=FRAME)
def test_every_row_is_kept_or_rejected_and_never_both(stage: AnyStage, rows: pl.DataFrame) -> None:
    result = run(rows, stage)
    kept, rejected = result.kept[NUMBER].to_list(), result.rejected[NUMBER].to_list()
    assert sorted(kept + rejected) == rows[NUMBER].to_list()
    assert kept == sorted(kept)
    assert rejected == sorted(rejected)


@each_stage
@LAW
@given(rows=FRAME)
def test_columns_are_those_of_the_input_and_those_declared(
    stage: AnyStage, rows: pl.DataFrame
) -> None:
    result = run(rows, stage)
    assert dict(result.kept.schema) == {**SCHEMA, **nature(stage).adds}
    assert dict(result.rejected.schema) == {
        **SCHEMA,
        "reason": pl.String(),
        "evidence": pl.String(),
    }


@each_stage
@LAW
@given(rows=FRAME)
def test_a_rejected_row_is_as_it_came_with_a_declared_reason_and_evidence(
    stage: AnyStage, rows: pl.DataFrame
) -> None:
    rejected = run(rows, stage).rejected
    declared = Shouting.reasons if isinstance(stage, Plugin) else stage.reasons
    assert set(rejected["reason"]) <= set(declared)
    assert all(isinstance(json.loads(evidence), dict) for evidence in rejected["evidence"])
    assert rejected.select(SCHEMA.names()).equals(
        rows.filter(pl.col(NUMBER).is_in(rejected[NUMBER].implode()))
    )


@each_stage
@LAW
@given(rows=FRAME)
def test_a_stage_that_declares_no_change_changes_nothing(
    stage: AnyStage, rows: pl.DataFrame
) -> None:
    kept = run(rows, stage).kept
    if not nature(stage).changes:
        assert kept.equals(rows.filter(pl.col(NUMBER).is_in(kept[NUMBER].implode())))


@each_stage
def test_an_empty_frame_gives_empty_frames(stage: AnyStage) -> None:
    result = run(SCHEMA.to_frame(), stage)
    assert (result.kept.height, result.rejected.height) == (0, 0)
    assert not any(result.notes.values())


@each_stage
@LAW
@given(rows=FRAME, cuts=CUTS, partitions=st.integers(1, 4))
def test_any_cut_of_rows_and_keys_gives_the_same(
    stage: AnyStage, rows: pl.DataFrame, cuts: list[int], partitions: int
) -> None:
    whole, parts = run(rows, stage), run(rows, stage, cuts, partitions)
    if isinstance(stage, Plugin):  # its notes are its own affair, but they add up as well
        assert whole.notes["looked at"] == parts.notes["looked at"] == rows.height
    assert_equal(whole, parts)


@each_stage
@LAW
@given(rows=FRAME)
def test_two_runs_give_the_same_and_leave_the_input_alone(
    stage: AnyStage, rows: pl.DataFrame
) -> None:
    before = rows.clone().rechunk()
    records = rows.to_dicts()
    assert_equal(run(rows, stage), run(rows, stage))
    assert rows.equals(before)
    assert repr(rows.to_dicts()) == repr(records)


@each_stage
def test_a_config_survives_its_own_json(stage: AnyStage) -> None:
    assert type(stage).model_validate(stage.model_dump(mode="json")) == stage


def test_different_configs_have_different_dumps() -> None:
    dumps = [json.dumps(stage.model_dump(mode="json"), sort_keys=True) for stage in STAGES]
    assert len(set(dumps)) == len(STAGES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_setting_stands_in_the_dump(kind: type[StageConfig]) -> None:
    stage = next(stage for stage in STAGES if isinstance(stage, kind))
    assert {*settings(stage), "kind"} == set(kind.model_fields)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_stage_says_itself_what_it_is(kind: type[StageConfig]) -> None:
    assert {"scope", "version", "reasons", "kind"} <= {*vars(kind), *kind.__annotations__}
    assert vars(kind)["scope"] in {"row", "dataset"}
    assert vars(kind)["version"] >= 1
    assert all(text.strip() for text in vars(kind)["reasons"].values())
    assert kind.__doc__


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_scope_is_what_the_list_of_stages_says(kind: type[StageConfig]) -> None:
    assert (kind.scope == "row") is (kind in get_args(RowStage))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_laws_are_tried_on_every_stage(kind: type[StageConfig]) -> None:
    assert any(isinstance(stage, kind) for stage in STAGES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_typo_and_a_change_are_refused(kind: type[StageConfig]) -> None:
    stage: Any = next(stage for stage in STAGES if isinstance(stage, kind))
    with pytest.raises(ValueError, match="Extra inputs"):
        kind.model_validate(stage.model_dump() | {"colour": 1})
    with pytest.raises(ValueError, match="frozen"):
        stage.kind = "other"


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (NormalizeText, "columns"),
        (RequireFields, "columns"),
        (ExactDedup, "on"),
        (Split, "group_by"),
    ],
)
def test_a_column_named_twice_is_refused(kind: type[StageConfig], field: str) -> None:
    with pytest.raises(ValueError, match="names the column 'Question' twice"):
        kind.model_validate({field: ["Question", "Response", "Question"]})
