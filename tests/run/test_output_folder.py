import os
from pathlib import Path

import pytest

from cotdata import SourceError, StageError, VerifyError, WriteError
from cotdata.recipe import LoadedRecipe, load_recipe
from cotdata.run import build, cache_entries, verify
from cotdata.run.output_folder import OutputFolder
from tests.run.recipes import medical_rows, recipe, run_bytes, write_jsonl, write_recipe


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedRecipe:
    write_jsonl(tmp_path / "rows.jsonl", medical_rows(60))
    path = write_recipe(tmp_path / "recipe.yaml", recipe())
    return load_recipe(path, output=tmp_path / "run")


def other(tmp_path: Path) -> LoadedRecipe:
    path = write_recipe(tmp_path / "other.yaml", recipe(seed=8))
    return load_recipe(path, output=tmp_path / "run")


def test_another_run_is_never_overwritten_unasked(loaded: LoadedRecipe, tmp_path: Path) -> None:
    before = run_bytes(build(loaded).path)
    with pytest.raises(WriteError, match="holds another run"):
        build(other(tmp_path))
    assert run_bytes(tmp_path / "run") == before


def test_force_replaces_another_run(loaded: LoadedRecipe, tmp_path: Path) -> None:
    build(loaded)
    assert build(other(tmp_path), force=True).manifest.seed == 8
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_no_run_is_left_as_it_is(
    loaded: LoadedRecipe, tmp_path: Path, *, force: bool
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years of work")
    with pytest.raises(WriteError, match="not a run of cotdata"):
        build(loaded, force=force)
    assert (tmp_path / "run" / "thesis.txt").read_text() == "years of work"


def test_a_file_in_the_place_of_the_folder_is_left_as_it_is(
    loaded: LoadedRecipe, tmp_path: Path
) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(WriteError, match="not a run"):
        build(loaded, force=True)


def test_an_empty_folder_is_filled(loaded: LoadedRecipe, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert build(loaded).is_new


def test_a_second_build_of_the_same_folder_is_turned_away(
    loaded: LoadedRecipe, tmp_path: Path
) -> None:
    with (
        OutputFolder(tmp_path / "run").locked(),
        pytest.raises(WriteError, match="another build is writing"),
    ):
        build(loaded)


def test_a_replacement_killed_between_its_renames_is_undone(
    loaded: LoadedRecipe, tmp_path: Path
) -> None:
    before = run_bytes(build(loaded).path)
    (tmp_path / "run").rename(tmp_path / ".run.replaced")
    assert not build(loaded).is_new
    assert run_bytes(tmp_path / "run") == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_an_error_that_names_it(loaded: LoadedRecipe, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(WriteError, match="cannot be written"):
            build(loaded)
    finally:
        tmp_path.chmod(0o700)


def test_a_parent_that_is_a_file_is_an_error(loaded: LoadedRecipe, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    nested = load_recipe(tmp_path / "recipe.yaml", output=tmp_path / "file" / "run")
    with pytest.raises(WriteError, match="cannot be written"):
        build(nested)


def test_a_changed_run_is_an_error_and_force_mends_it(loaded: LoadedRecipe, tmp_path: Path) -> None:
    before = run_bytes(build(loaded).path)
    (tmp_path / "run" / "report.html").write_text("edited")
    with pytest.raises(VerifyError, match="--force"):
        build(loaded)
    assert build(loaded, force=True).is_new
    assert run_bytes(tmp_path / "run") == before


def test_fresh_builds_the_same_run_again_unasked(loaded: LoadedRecipe) -> None:
    before = run_bytes(build(loaded).path)
    again = build(loaded, fresh=True)
    assert again.is_new
    assert run_bytes(again.path) == before


@pytest.mark.parametrize("fresh", [False, True])
def test_files_that_a_user_put_into_a_run_are_never_deleted(
    loaded: LoadedRecipe, tmp_path: Path, *, fresh: bool
) -> None:
    build(loaded)
    (tmp_path / "run" / "checkpoints").mkdir()
    (tmp_path / "run" / "checkpoints" / "model.bin").write_text("a night of training")
    for recipe_to_build in (loaded, other(tmp_path)):
        with pytest.raises(WriteError, match=r"checkpoints/model\.bin"):
            build(recipe_to_build, force=True, fresh=fresh)
    assert (tmp_path / "run" / "checkpoints" / "model.bin").exists()


def test_a_build_that_fails_leaves_nothing_beside_its_output(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"q": "a"}\n')
    path = write_recipe(tmp_path / "recipe.yaml", recipe())
    with pytest.raises(SourceError, match="Question"):
        build(load_recipe(path, output=tmp_path / "out" / "run"))
    assert not list((tmp_path / "out").iterdir())
    assert not [entry for entry in cache_entries() if not entry.is_done]


def test_a_split_that_leaves_nothing_to_train_on_is_refused(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "rows.jsonl", medical_rows(60))
    stages = [{"kind": "split", "validation": 1000}]
    path = write_recipe(tmp_path / "recipe.yaml", recipe(stages=stages))
    with pytest.raises(StageError, match="no row to train on: validation"):
        build(load_recipe(path, output=tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_split_without_rows_has_no_file_and_the_folder_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "hf")
    write_jsonl(tmp_path / "rows.jsonl", medical_rows(12))
    stages = [{"kind": "split", "validation": 0.0001}]
    path = write_recipe(tmp_path / "recipe.yaml", recipe(stages=stages))
    run = build(load_recipe(path, output=tmp_path / "run"))
    assert run.manifest.splits["validation"].rows == 0
    loaded = datasets.load_dataset(str(run.path), cache_dir=str(tmp_path / "hf"))
    assert set(loaded) == {"train"}
    assert not verify(run.path).splits["validation"].rows
