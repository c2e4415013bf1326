"""Builds that end in tokens: the laws hold with the rendering as the last of the stages."""

import json
import signal
from collections import Counter
from pathlib import Path
from textwrap import dedent
from typing import Any

import datasets
import polars as pl
import pytest

from cotdata.errors import RenderError
from cotdata.recipe import load_recipe
from cotdata.render.columns import Rendered
from cotdata.run import build, verify
from tests.run import test_laws
from tests.run.byte_renderer import STOP, ByteRenderer, install, model_folder
from tests.run.recipes import recipe, run_bytes, write_jsonl, write_recipe
from tests.run.rendered import ROWS, STAGES, kept, make, manifest_of, rejected


@pytest.fixture(autouse=True)
def renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def rows_of(run: Path) -> dict[str, bytes]:
    """Return all files that hold rows."""
    return {name: data for name, data in run_bytes(run).items() if name.endswith(".parquet")}


def test_every_record_is_kept_or_rejected_and_none_twice(tmp_path: Path) -> None:
    run = make(tmp_path)
    named = kept(run)["row_id"].to_list() + rejected(run)["row_id"].to_list()
    assert sorted(named) == sorted(f"corpus:{index}" for index in range(len(ROWS)))


def test_rendering_is_the_last_stage_and_adds_up(tmp_path: Path) -> None:
    run = make(tmp_path)
    *stages, last = manifest_of(run).stages
    assert (last.kind, last.position, last.version) == ("render", len(stages), 1)
    assert last.rows_in == stages[-1].kept == last.kept + last.rejected
    assert last.kept == kept(run).height
    assert last.config["model"] == "bytes"
    counted = rejected(run).filter(stage="render")["reason"].to_list()
    assert Counter(counted) == last.reasons
    assert last.reasons.keys() == {"reasoning", "too_long"}
    assert last.notes == {"questions_asked": last.rows_in}


def test_a_row_has_all_columns_of_the_rendering_and_they_agree(tmp_path: Path) -> None:
    rows = kept(make(tmp_path))
    assert rows.columns[-8:] == [
        *("prompt", "completion", "text", "messages"),
        *("input_ids", "labels", "n_tokens", "n_trained"),
    ]
    for row in rows.iter_rows(named=True):
        assert row["text"] == row["prompt"] + row["completion"]
        assert bytes(row["input_ids"]).decode() == row["text"]
        trained = [label for label in row["labels"] if label != -100]
        assert bytes(trained).decode() == row["completion"]
        assert row["labels"][-row["n_trained"] :] == trained
        assert len(row["labels"]) == len(row["input_ids"]) == row["n_tokens"] <= 500
        assert row["completion"].endswith(f"{row['Response']}{STOP}")


def test_rejected_rows_keep_their_text_and_have_no_columns_of_the_rendering(
    tmp_path: Path,
) -> None:
    rows = rejected(make(tmp_path))
    assert not {"prompt", "text", "input_ids"} & set(rows.columns)
    lost = rows.filter(stage="render")
    assert lost.height > 10
    assert lost["Question"].null_count() == lost["Response"].null_count() == 0
    assert set(lost["evidence"]) == {'{"why": "test"}'}


def test_the_manifest_says_what_was_rendered_and_proven(tmp_path: Path) -> None:
    run = make(tmp_path)
    record, rows = manifest_of(run).render, kept(run)
    assert record is not None
    assert (record.model, record.frame, record.stop_id, record.sample) == (
        "bytes",
        "auto",
        3,
        False,
    )
    assert record.tokens == rows["n_tokens"].sum()
    assert record.trained == rows["n_trained"].sum()
    assert record.compared == rows.filter(pl.col("Question").str.len_chars() % 4 == 0).height
    assert record.checks.keys() == {"length", "reasoning"}
    assert all(passed >= rows.height for passed in record.checks.values())
    assert record.settings["max_tokens"] == 500
    assert record.lengths.keys() == {"1024", "2048", "4096", "8192", "16384", "32768"}
    assert record.lengths["32768"].rows > rows.height


def test_the_run_holds_the_tokenizer_and_its_files_are_hashed(tmp_path: Path) -> None:
    run = make(tmp_path)
    there = {output.path: output for output in manifest_of(run).outputs}
    assert (run / "tokenizer/tokenizer.json").read_text() == '{"kind": "bytes"}'
    assert "tokenizer/chat_template.jinja" in there
    assert "tokenizer/tokenizer.json" in (run / "README.md").read_text()


def test_a_rendered_run_loads_with_datasets(tmp_path: Path) -> None:
    run = make(tmp_path)
    loaded = datasets.load_dataset(str(run), cache_dir=str(tmp_path / "hf"))
    assert {name: part.num_rows for name, part in loaded.items()} == {
        name: split.rows for name, split in manifest_of(run).splits.items()
    }
    row = loaded["train"][0]
    assert bytes(row["input_ids"]).decode() == row["text"]
    assert row["messages"][0]["content"] == row["Question"]


@pytest.mark.parametrize("shard_rows", [7, 64])
def test_neither_workers_nor_work_shards_leave_a_trace(
    tmp_path: Path, shard_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = {"model": "bytes", "max_tokens": 500, "packing": True}
    first = make(tmp_path, render=packed)
    monkeypatch.setattr("cotdata.run.ingest.SHARD_ROWS", shard_rows)
    again = make(tmp_path, "again", workers=1, render=packed)
    assert rows_of(again) == rows_of(first)
    assert manifest_of(again).render == manifest_of(first).render


def test_repeated_rows_are_rendered_once_and_counted_as_often_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Counter[str]()
    render = ByteRenderer.render

    def counting(self: ByteRenderer, rows: pl.DataFrame) -> Rendered:
        seen["rows"] += rows.height
        return render(self, rows)

    monkeypatch.setattr(ByteRenderer, "render", counting)
    sources = [{"name": "corpus", "from": "rows.jsonl", "adapter": "medical_o1", "repeat": 3}]
    run = make(tmp_path, sources=sources)
    *_, mix, last = manifest_of(run).stages
    rows, lost = kept(run), rejected(run).filter(stage="render")
    assert mix.kind == "mix"
    assert last.rows_in == mix.kept > mix.rows_in
    assert seen["rows"] == mix.rows_in
    assert last.rejected == lost.height
    assert last.kept == rows.height
    assert {"corpus:30", "corpus:30#1", "corpus:30#2"} <= {*lost["row_id"], *rows["row_id"]}
    assert rows["row_id"].is_unique().all()
    assert lost["row_id"].is_unique().all()
    by_text = rows.group_by("Question", "Response").agg(pl.col("input_ids").n_unique())
    assert by_text["input_ids"].max() == 1
    record = manifest_of(run).render
    assert record is not None
    assert record.tokens == rows["n_tokens"].sum()
    verify(run)


def test_building_again_renders_nothing_that_is_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_bytes(make(tmp_path))
    monkeypatch.delattr(ByteRenderer, "render")
    assert run_bytes(make(tmp_path, "again")) == first


def test_a_setting_of_the_rendering_renders_anew_and_decides_nothing_else(
    tmp_path: Path, own_cache: Path
) -> None:
    make(tmp_path)
    before = {path.name for path in own_cache.glob("v1/[dsr]*/*")}
    make(tmp_path, "again", render={"model": "bytes", "max_tokens": 300})
    added = {path.parent.name for path in own_cache.glob("v1/[dsr]*/*") if path.name not in before}
    assert added == {"renders"}


def test_a_build_that_stopped_while_rendering_goes_on_by_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cotdata.run.ingest.SHARD_ROWS", 50)
    first = run_bytes(make(tmp_path))
    monkeypatch.setenv("COTDATA_CACHE_DIR", str(tmp_path / "cache"))
    render, calls = ByteRenderer.render, Counter[str]()

    def failing(self: ByteRenderer, rows: pl.DataFrame) -> Any:
        calls["rendered"] += 1
        if calls["rendered"] == 4:
            raise KeyboardInterrupt
        return render(self, rows)

    monkeypatch.setattr(ByteRenderer, "render", failing)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, "again", workers=1)
    assert not (tmp_path / "again").exists()
    assert run_bytes(make(tmp_path, "again", workers=1)) == first
    assert calls["rendered"] == 7  # six shards, and the one that was stopped


def test_a_model_that_cannot_be_had_is_told_before_anything_is_read(
    tmp_path: Path, own_cache: Path
) -> None:
    with pytest.raises(RenderError, match="there is no model 'absent'"):
        make(tmp_path, render={"model": "absent"})
    assert not list(own_cache.glob("v1/sources/*"))


def test_a_rendering_that_leaves_nothing_to_train_on_says_why(tmp_path: Path) -> None:
    short = set(pl.read_parquet(make(tmp_path, render=None) / "data/validation-*")["row_id"])
    rows = [
        row | {"Response": "Yes." if f"corpus:{index}" in short else "x" * 900}
        for index, row in enumerate(ROWS)
    ]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    changes = {"stages": STAGES, "render": {"model": "bytes", "max_tokens": 900}}
    path = write_recipe(tmp_path / "recipe.yaml", recipe(**changes))
    with pytest.raises(RenderError, match=r"leaves no row to train on .*too_long"):
        build(load_recipe(path, output=tmp_path / "again"))


def test_text_alone_is_rendered_without_tokens(tmp_path: Path) -> None:
    run = make(tmp_path, render={"model": "bytes", "tokens": False})
    rows, record = kept(run), manifest_of(run).render
    assert rows.columns[-2:] == ["messages", "n_tokens_estimate"]
    assert record is not None
    assert (record.tokens, record.trained) == (None, None)
    assert record.tokens_estimate == rows["n_tokens_estimate"].sum()
    verify(run)


def test_packed_rows_stand_beside_the_rows_and_are_counted(tmp_path: Path) -> None:
    run = make(tmp_path, render={"model": "bytes", "max_tokens": 2_000, "packing": True})
    record = manifest_of(run).render
    assert record is not None
    assert record.packing is not None
    train = pl.read_parquet(run / "data/train-*.parquet")
    packed = pl.read_parquet(run / "packed/train-*.parquet")
    assert sorted(packed["row_ids"].explode()) == sorted(train["row_id"])
    assert packed["n_tokens"].sum() == train["n_tokens"].sum() == record.packing.tokens["train"]
    assert record.packing.sequences["train"] == packed.height
    assert 0.8 < record.packing.utilisation <= 1
    loaded = datasets.load_dataset(str(run), "packed", cache_dir=str(tmp_path / "hf"))
    assert loaded["train"].num_rows == packed.height
    verify(run)


def test_nothing_of_this_machine_stands_in_a_rendered_run(tmp_path: Path) -> None:
    model = str(model_folder(tmp_path / "models"))
    run = make(tmp_path, render={"model": model})
    for name in ("manifest.json", "README.md", "report.html"):
        assert str(tmp_path) not in (run / name).read_text(encoding="utf-8")
    assert json.loads((run / "manifest.json").read_bytes())["recipe"]["render"]["model"] == "bytes"


INSTALLED = """
    import types
    from tests.run.byte_renderer import install
    install(types.SimpleNamespace(setitem=lambda table, key, value: table.update({key: value})))
    ingest.SHARD_ROWS = 40
"""


@pytest.mark.slow
def test_a_build_killed_anywhere_ends_in_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cotdata.run.ingest.SHARD_ROWS", 40)
    packed = {"model": "bytes", "max_tokens": 500, "packing": True}
    expected = run_bytes(make(tmp_path, render=packed))
    script = test_laws.KILLED_BUILD.replace("ingest.SHARD_ROWS = 100\n", dedent(INSTALLED))
    monkeypatch.setattr(test_laws, "KILLED_BUILD", script)
    root = str(Path(__file__).resolve().parents[2])
    monkeypatch.setenv("PYTHONPATH", root)
    cache, output = tmp_path / "cache", tmp_path / "killed"
    kills = 0
    for after in range(6, 200):
        code = test_laws.run_killed(tmp_path, output, after, cache)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        assert not output.exists(), "a killed build must not leave a run"
        kills += 1
    assert kills > 3
    assert run_bytes(output) == expected
