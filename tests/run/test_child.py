"""Child runs: the rows of a finished run, rendered for another model."""

import shutil
from collections import Counter
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cotdata.errors import RenderError, VerifyError, WriteError
from cotdata.render.settings import Render
from cotdata.run import Run, render_run, verify
from cotdata.stages.plugin import ENTRY_POINT_GROUP, load_plugin
from tests.run.byte_renderer import ByteRenderer, install, model_folder
from tests.run.recipes import run_bytes
from tests.run.rendered import ROWS, STAGES, kept, make, manifest_of, rejected


@pytest.fixture(autouse=True)
def renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def child(folder: Path, parent: Path, output: str = "child", **settings: Any) -> Run:
    model = str(model_folder(folder, "other"))
    section = Render(model=model, **{"max_tokens": 500, **settings})
    return render_run(parent, section, folder / output, workers=2)


def test_a_child_run_has_the_rows_that_a_build_would_have_rendered(tmp_path: Path) -> None:
    built = make(tmp_path)
    made = child(tmp_path, make(tmp_path, "text", render=None)).path
    for name in ("train", "validation"):
        left, right = (pl.read_parquet(run / f"data/{name}-*.parquet") for run in (built, made))
        assert left.equals(right)
    columns = ["row_id", "Question", "stage", "reason", "evidence"]
    left, right = (rejected(run).select(columns).sort("row_id") for run in (built, made))
    assert left.equals(right)


def test_every_record_is_kept_or_rejected_and_the_counts_add_up(tmp_path: Path) -> None:
    parent = make(tmp_path, "text", render=None)
    made = child(tmp_path, parent)
    named = kept(made.path)["row_id"].to_list() + rejected(made.path)["row_id"].to_list()
    assert sorted(named) == sorted(f"corpus:{index}" for index in range(len(ROWS)))
    manifest, before = made.manifest, manifest_of(parent)
    assert manifest.stages[:-1] == before.stages
    assert manifest.sources == before.sources
    assert manifest.rejected == before.rejected + manifest.stages[-1].rejected
    assert manifest.before == before.before
    verify(made.path)


def test_a_child_run_names_its_parent_and_its_rendering(tmp_path: Path) -> None:
    parent = make(tmp_path, "text", render=None)
    manifest = child(tmp_path, parent).manifest
    before = manifest_of(parent)
    assert manifest.parent is not None
    assert manifest.parent.fingerprint == before.fingerprint != manifest.fingerprint
    assert manifest.parent.sha256 == before.sha256
    assert manifest.recipe["render"]["model"] == "other"
    assert {k: v for k, v in manifest.recipe.items() if k != "render"} == {
        k: v for k, v in before.recipe.items() if k != "render"
    }
    assert str(tmp_path) not in manifest.to_json().decode()


def test_what_the_parents_rendering_rejected_stays_rejected_and_its_columns_are_replaced(
    tmp_path: Path,
) -> None:
    parent = make(tmp_path)
    made = child(tmp_path, parent, max_tokens=300)
    assert kept(made.path).columns == kept(parent).columns
    assert kept(made.path)["n_tokens"].max() <= 300  # type: ignore[operator]
    *_, first, second = made.manifest.stages
    assert (first.kind, second.kind) == ("render", "render")
    assert second.rows_in == first.kept > second.kept
    counted = Counter(rejected(made.path)["stage"].to_list())
    assert (counted["render"], counted["render#2"]) == (first.rejected, second.rejected)
    verify(made.path)


def test_neither_workers_nor_work_shards_leave_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = make(tmp_path, "text", render=None)
    first = run_bytes(child(tmp_path, parent, packing=True).path)
    monkeypatch.setattr("cotdata.run.parent.SHARD_ROWS", 9)
    monkeypatch.setenv("COTDATA_CACHE_DIR", str(tmp_path / "cache"))
    section = Render(model=str(tmp_path / "other"), max_tokens=500, packing=True)
    again = render_run(parent, section, tmp_path / "again", workers=1)
    assert run_bytes(again.path) == first


def test_the_same_child_is_verified_and_another_is_not_overwritten(tmp_path: Path) -> None:
    parent = make(tmp_path, "text", render=None)
    assert child(tmp_path, parent).is_new
    assert not child(tmp_path, parent).is_new
    with pytest.raises(WriteError, match="holds another run"):
        child(tmp_path, parent, max_tokens=300)
    section = Render(model=str(tmp_path / "other"), max_tokens=300)
    assert render_run(parent, section, tmp_path / "child", force=True).is_new


def test_a_child_that_was_stopped_goes_on_by_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cotdata.run.parent.SHARD_ROWS", 50)
    parent = make(tmp_path, "text", render=None)
    render, calls = ByteRenderer.render, Counter[str]()

    def failing(self: ByteRenderer, rows: pl.DataFrame) -> Any:
        calls["rendered"] += 1
        if calls["rendered"] == 3:
            raise KeyboardInterrupt
        return render(self, rows)

    monkeypatch.setattr(ByteRenderer, "render", failing)
    section = Render(model=str(model_folder(tmp_path)), max_tokens=500)
    with pytest.raises(KeyboardInterrupt):
        render_run(parent, section, tmp_path / "child", workers=1)
    render_run(parent, section, tmp_path / "child", workers=1)
    shards = -(-manifest_of(parent).splits["train"].rows // 50) + 1
    assert calls["rendered"] == shards + 1
    verify(tmp_path / "child")


@pytest.mark.parametrize("place", ["text", "text/child", "text/data"])
def test_a_child_never_lies_in_or_on_its_parent(tmp_path: Path, place: str) -> None:
    parent = make(tmp_path, "text", render=None)
    before = run_bytes(parent)
    section = Render(model=str(model_folder(tmp_path)))
    with pytest.raises(WriteError, match="choose another folder"):
        render_run(parent, section, tmp_path / place, force=True)
    assert run_bytes(parent) == before


def test_a_parent_that_was_changed_is_refused(tmp_path: Path) -> None:
    parent = make(tmp_path, "text", render=None)
    (parent / "report.html").write_text("<html>")
    with pytest.raises(VerifyError, match=r"report\.html: was changed"):
        child(tmp_path, parent)
    shutil.rmtree(parent)
    with pytest.raises(VerifyError, match="is not a run"):
        child(tmp_path, parent)


def test_a_model_that_cannot_be_had_is_told_first(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="there is no model"):
        render_run(tmp_path / "absent", Render(model="none"), tmp_path / "child")


def test_columns_that_a_plugin_added_are_carried_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("chars", "tests.recipe.plugin", ENTRY_POINT_GROUP)
    monkeypatch.setattr("cotdata.stages.plugin.entry_points", lambda **_: [point])
    load_plugin.cache_clear()
    stages = [*STAGES[:2], {"kind": "plugin", "name": "chars"}, *STAGES[2:]]
    parent = make(tmp_path, "text", render=None, stages=stages)
    load_plugin.cache_clear()
    monkeypatch.undo()  # the child needs no plugin
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        made = child(tmp_path, parent)
    assert "question_chars" in kept(made.path).columns
    (column,) = (item for item in made.manifest.columns if item.name == "question_chars")
    assert column.added_by == "plugin:chars"
    assert manifest_of(made.path).columns[-1].added_by == "render"


def test_repeated_rows_are_rows_of_their_own(tmp_path: Path) -> None:
    sources = [{"name": "corpus", "from": "rows.jsonl", "adapter": "medical_o1", "repeat": 2}]
    parent = make(tmp_path, "text", render=None, sources=sources)
    made = child(tmp_path, parent)
    assert made.manifest.stages[-1].rows_in == kept(parent).height
    named = [*kept(made.path)["row_id"], *rejected(made.path).filter(stage="render")["row_id"]]
    assert sorted(named) == sorted(kept(parent)["row_id"])
