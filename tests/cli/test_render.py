"""`cotdata render`, and what the other commands say of rendered runs."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.run.byte_renderer import install, model_folder
from tests.run.rendered import make


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a model and a run of text."""
    install(monkeypatch)
    monkeypatch.chdir(tmp_path)
    model_folder(tmp_path, "tiny")
    make(tmp_path, "text", render=None)
    return tmp_path


RENDER = ("render", "text", "--model", "tiny", "--output", "child", "--set", "max_tokens=500")


def test_prints_the_runs_folder_and_nothing_else(cotdata: CommandLine, here: Path) -> None:
    assert cotdata(*RENDER) == (0, "child\n", "")
    manifest = json.loads((here / "child/manifest.json").read_bytes())
    assert manifest["render"]["settings"]["max_tokens"] == 500
    assert manifest["overrides"] == {"render": {"model": "tiny", "max_tokens": "500"}}


def test_json_has_the_counts_of_the_tokens(cotdata: CommandLine) -> None:
    made = json.loads(cotdata(*RENDER, "--json").out)
    assert made["is_new"]
    render = made["manifest"]["render"]
    assert render["tokens"] > render["trained"] > 0
    assert set(render["checks"]) == {"length", "reasoning"}


def test_a_terminal_is_told_what_was_rendered_and_proven(on_terminal: CommandLine) -> None:
    printed = on_terminal(*RENDER, "--set", "packing=true")
    said = " ".join(printed.out.split())
    assert printed.code == 0
    assert "rendered for tiny (frame auto)" in said
    assert "tokens, " in said
    assert "all 2 checks hold for all " in said
    assert "sequences of 500 tokens" in said


def test_a_terminal_is_told_of_rows_that_the_parents_rendering_rejected(
    on_terminal: CommandLine,
) -> None:
    on_terminal(*RENDER)
    again = on_terminal("render", "child", "--model", "tiny", "--output", "grandchild")
    assert "that the parent run's rendering for tiny rejected stay rejected" in " ".join(
        again.out.split()
    )


def test_an_estimate_is_called_one(on_terminal: CommandLine) -> None:
    printed = on_terminal(*RENDER[:-2], "--set", "tokens=false")
    assert "an estimate, nothing is proven on them" in " ".join(printed.out.split())


def test_verify_says_what_was_proven(cotdata: CommandLine) -> None:
    cotdata(*RENDER)
    printed = cotdata("verify", "child")
    assert printed.code == 0
    assert ", all proven: " in printed.out
    assert "proven" not in cotdata("verify", "text").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("render", "text", "--output", "child"), "--model: is missing"),
        (("render", "text", "--model", "./none", "--output", "c"), "there is no model"),
        (("render", "none", "--model", "tiny", "--output", "c"), "none is not a run"),
        ((*RENDER, "--set", "frames=x"), "--set frames=x (frames): unknown key 'frames'"),
        ((*RENDER[:5], "text"), "choose another folder with --output"),
    ],
)
def test_what_is_wrong_is_said_with_exit_code_2(
    cotdata: CommandLine, arguments: tuple[str, ...], said: str
) -> None:
    printed = cotdata(*arguments)
    assert printed.code == 2
    assert said in printed.err
    assert "fix: " in printed.err


def test_a_recipes_model_is_chosen_on_the_command_line(cotdata: CommandLine, here: Path) -> None:
    model_folder(here / "elsewhere")
    make(here, "rendered")
    printed = cotdata(
        "build", "recipe.yaml", "--set", "render.model=elsewhere/bytes", "--output", "out"
    )
    assert printed.code == 0
    state = json.loads((here / "out/manifest.json").read_bytes())
    assert state["recipe"]["render"]["model"] == "bytes"


def test_check_explains_the_section(cotdata: CommandLine, here: Path) -> None:
    make(here, "rendered")
    printed = cotdata("check", "recipe.yaml", "--explain")
    assert "\nrender:\n  model: bytes\n" in printed.out
    assert "  without_reasoning: empty_block\n" in printed.out
    assert "\nrender:" not in cotdata("check", "recipes/custom.yaml", "--explain").out


def test_the_cache_lists_and_clears_renders(cotdata: CommandLine) -> None:
    cotdata(*RENDER)
    assert "renders" in cotdata("cache", "list").out
    assert cotdata("cache", "clear", "--kind", "renders").out.endswith(" freed\n")
    assert "renders" not in cotdata("cache", "list").out
