"""Where recipes are found, and what is said where they aren't."""

import os
from pathlib import Path

import pytest

from cotdata.bundled import bundled
from cotdata.errors import RecipeError
from cotdata.recipe import load_recipe


def complaint(path: Path | str) -> str:
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    return str(caught.value)


def test_finds_the_packages_recipe_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = load_recipe("recipes/custom.yaml")
    assert loaded.path == bundled("recipes") / "custom.yaml"
    assert loaded.base == bundled("recipes")


def test_a_recipe_of_ones_own_goes_before_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/custom.yaml").write_text("seed: x")
    assert "recipes/custom.yaml:1:7 (seed)" in complaint("recipes/custom.yaml")


@pytest.mark.parametrize("name", ["medical.yaml", "medical", "recipes/medcal.yaml"])
def test_points_to_the_packages_recipe_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "recipes/medical.yaml" in complaint(name)


def test_suggests_a_file_with_a_near_name(tmp_path: Path) -> None:
    (tmp_path / "notes_v2.yaml").touch()
    said = complaint(tmp_path / "notes_v1.yaml")
    assert f"did you mean {tmp_path}/notes_v2.yaml?" in said


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").touch()
    said = complaint(tmp_path)
    assert "is a folder, not a recipe" in said
    assert "a.yaml" in said


@pytest.mark.parametrize("name", ["", "x" * 5000, "a\0b", "recipe.yaml/beneath/a/file"])
def test_impossible_paths_are_recipe_errors(tmp_path: Path, name: str) -> None:
    (tmp_path / "recipe.yaml").touch()
    assert complaint(tmp_path / name)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "is not a regular file" in complaint(tmp_path / "pipe.yaml")


def test_the_bundled_folder_of_a_wheel_goes_before_the_checkouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "cotdata"
    (package / "_bundled/recipes").mkdir(parents=True)
    monkeypatch.setattr("cotdata.bundled.files", lambda _: package)
    assert bundled("recipes") == package / "_bundled/recipes"
    assert bundled("schemas") == tmp_path / "schemas"
