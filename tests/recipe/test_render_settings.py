"""The section `render` as the command line describes it."""

from pathlib import Path

import pytest

from cotdata.errors import RecipeError
from cotdata.recipe import render_settings
from cotdata.render.settings import Frame


def test_a_model_and_settings_make_a_section() -> None:
    found = render_settings("a/b", {"max_tokens": "2048", "render.proof": "full"}, "main")
    assert (found.model, found.revision) == ("a/b", "main")
    assert (found.max_tokens, found.proof, found.frame) == (2048, "full", "auto")


def test_a_frame_can_be_written_out() -> None:
    found = render_settings("a/b", {"frame": '{prompt: "{Question}", completion: "x{eos}"}'})
    assert found.frame == Frame(prompt="{Question}", completion="x{eos}")


def test_a_folder_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    assert render_settings("tiny", {}).model == str(tmp_path / "tiny")
    assert render_settings("./other", {}).model == str(tmp_path / "other")


@pytest.mark.parametrize(
    ("settings", "where", "what"),
    [
        ({"max_token": "5"}, "--set max_token=5 (max_token)", "unknown key 'max_token'"),
        ({"max_tokens": "many"}, "--set max_tokens=many (max_tokens)", "must be a whole number"),
        ({"render.max_tokens": "0"}, "--set max_tokens=0 (max_tokens)", "must be 1 or more"),
        ({"packing": "true"}, "--set packing=true (packing)", "rows are packed to `max_tokens`"),
        ({"frame": "[1"}, "--set frame=[1", "a bracket is never closed"),
        ({"model": ""}, "--set model= (model)", "must be text"),
    ],
)
def test_what_is_wrong_is_named_as_it_was_given(
    settings: dict[str, str], where: str, what: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        render_settings("a/b", settings)
    (problem,) = caught.value.problems
    assert str(problem.where) == where
    assert problem.what.startswith(what)


@pytest.mark.parametrize("model", ["x" * 9_000, "~nobody/here", "a\x00b"])
def test_a_text_that_can_be_no_path_is_no_crash(model: str) -> None:
    assert render_settings(model, {}).model.endswith(model[-1])


def test_an_empty_model_is_named() -> None:
    with pytest.raises(RecipeError) as caught:
        render_settings("", {})
    assert str(caught.value.problems[0].where) == "--model  (model)"
