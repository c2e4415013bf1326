"""What the command line changes in a recipe."""

from pathlib import Path

import pytest

from cotdata.errors import RecipeError
from cotdata.recipe import pairs
from cotdata.sources.files import find_files
from cotdata.stages.length import Length
from tests.recipe.recipes import SHORTEST, load, problems

TEXT = """\
schema: 1
name: tiny
sources:
  - name: notes.v1
    from: hf://owner/name
    config: en
    split: train
    revision: main
    streaming: true
    adapter: medical_o1
  - name: other
    from: other.txt
    format: jsonl
    encoding: latin-1
    adapter: medical_o1
stages:
  - kind: length
    min_chars: 5
  - kind: split
"""


def test_a_file_in_a_hubs_place_leaves_the_hubs_settings_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = load(tmp_path, TEXT, sources={"notes.v1": "data/x.jsonl"})
    source = loaded.recipe.sources[0]
    assert source.from_ == f"{tmp_path}/data/x.jsonl"
    assert (source.config, source.split, source.revision, source.streaming) == (None,) * 4
    assert loaded.overrides == {"source": {"notes.v1": "data/x.jsonl"}}


def test_a_glob_is_taken_from_a_folder_whose_name_looks_like_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "run[1]*"
    (here / "data").mkdir(parents=True)
    (here / "data" / "x.jsonl").write_bytes(b"{}")
    monkeypatch.chdir(here)
    for given in ("data/*.jsonl", "data/x.jsonl", "data"):
        loaded = load(tmp_path, TEXT, sources={"notes.v1": given})
        (file,) = find_files(loaded.recipe.sources[0].from_, loaded.base)
        assert (file.path, file.label) == (str(here / "data/x.jsonl"), "x.jsonl")


def test_a_hub_in_a_files_place_leaves_the_files_settings_behind(tmp_path: Path) -> None:
    source = load(tmp_path, TEXT, sources={"other": "hf://a/b"}).recipe.sources[1]
    assert (source.from_, source.format, source.encoding) == ("hf://a/b", None, None)


def test_a_folders_slash_stays(tmp_path: Path) -> None:
    source = load(tmp_path, TEXT, sources={"other": "/data/x.jsonl/"}).recipe.sources[1]
    assert source.from_ == "/data/x.jsonl/"


def test_a_recorded_path_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    loaded = load(
        tmp_path, TEXT, sources={"other": "/data/x.jsonl"}, settings={"output.dir": "/out/run"}
    )
    assert loaded.overrides == {"source": {"other": "x.jsonl"}, "set": {"output.dir": "run"}}


@pytest.mark.parametrize(
    "key",
    ["stages.length.min_chars", "stages.0.min_chars", "stages[0].min_chars"],
)
def test_a_stage_is_named_by_kind_or_by_number(tmp_path: Path, key: str) -> None:
    stage = load(tmp_path, TEXT, settings={key: "100"}).recipe.stages[0]
    assert isinstance(stage, Length)
    assert stage.min_chars == 100


def test_values_are_yaml(tmp_path: Path) -> None:
    settings = {
        "sources.notes.v1.rows": "0:100",
        "seed": "1",
        "stages.split": "{kind: exact_dedup, on: [Question]}",
        "sources.other.license": "no",
        "output.dir": "elsewhere",
    }
    loaded = load(tmp_path, TEXT, settings=settings)
    rows = loaded.recipe.sources[0].rows
    assert rows is not None
    assert (rows.first, rows.stop) == (0, 100)
    assert loaded.recipe.seed == 1
    assert loaded.recipe.stages[1].kind == "exact_dedup"
    assert loaded.recipe.sources[1].license == "no"
    assert loaded.output == Path("elsewhere")


@pytest.mark.parametrize(
    ("key", "value", "what", "fix"),
    [
        ("stages.lenght.min_chars", "1", "'lenght' is none", "did you mean 'length'?"),
        ("stages.length.min_char", "1", "unknown key 'min_char'", "did you mean 'min_chars'?"),
        ("stages.7.min_chars", "1", "'7' is none", "valid here: length, split"),
        ("sorces.other.rows", "0:1", "unknown key 'sorces'", "did you mean 'sources'?"),
        ("seed.deep", "1", "`seed` is a single value", "--set seed=VALUE"),
        ("seed", "abc", "must be a whole number, not 'abc'", ""),
        ("seed", "[1", "a bracket is never closed", "close it"),
        ("name", "a b", "'a b' cannot stand here", ""),
        ("a..b", "1", "a part of the key is empty", ""),
        ("render.frame", "auto", "lacks the key 'model'", "add `model: …`"),
        ("train.trainer", "x", "training is not part", "remove the section"),
    ],
)
def test_what_fits_nothing_is_named_as_it_was_given(
    tmp_path: Path, key: str, value: str, what: str, fix: str
) -> None:
    text = TEXT.replace("name: tiny", "name: tiny\nseed: 5")
    (problem,) = problems(tmp_path, text, settings={key: value})
    assert problem.what.startswith(what)
    assert (problem.fix or "").startswith(fix)
    assert problem.where is not None
    assert problem.where.file == f"--set {key}={value}"


def test_a_kind_that_stands_twice_is_named_by_number(tmp_path: Path) -> None:
    text = TEXT + "  - kind: length\n    max_chars: 9\n"
    (problem,) = problems(tmp_path, text, settings={"stages.length.max_chars": "7"})
    assert problem.fix == "say stages[0] or stages[2]"


def test_unknown_sources_are_reported_together(tmp_path: Path) -> None:
    found = problems(tmp_path, TEXT, sources={"othr": "x", "notes": "y", "other": ""})
    assert [problem.what for problem in found] == [
        "'othr' is none of the recipe's sources",
        "'notes' is none of the recipe's sources",
        "names no file",
    ]
    assert (found[0].fix or "").startswith("did you mean 'other'?")


def test_a_broken_recipe_can_be_overridden_without_a_crash(tmp_path: Path) -> None:
    for text in ("[]", "5", "", "sources: 5\nstages: x"):
        assert problems(tmp_path, text, sources={"a": "b"}, settings={"stages.0": "1"})


@pytest.mark.parametrize("given", [["a"], ["=x"], ["a=1", "a=2"]])
def test_pairs_are_key_and_value_once(given: list[str]) -> None:
    with pytest.raises(RecipeError, match="--set"):
        pairs("--set", given)


def test_a_pairs_value_may_have_equals_signs() -> None:
    assert pairs("--source", ["a=b=c", "d="]) == {"a": "b=c", "d": ""}


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("render", "{model: models/tiny}"),
        ("render.model", "models/tiny"),
        ("render.model", "./models/tiny"),
        ("render.model", "../work/models/tiny/"),
    ],
)
def test_a_models_folder_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, given: str
) -> None:
    folder = tmp_path / "work" / "models" / "tiny"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    recipe = load(tmp_path, SHORTEST, settings={key: given}).recipe
    assert recipe.render is not None
    assert recipe.render.model == str(folder)
    assert recipe.as_written()["render"]["model"] == "tiny"


@pytest.mark.parametrize("model", ["owner/name", "hf://owner/name", "modelscope://owner/name"])
def test_a_hubs_model_stays_as_it_is(tmp_path: Path, model: str) -> None:
    loaded = load(tmp_path, SHORTEST, settings={"render.model": model})
    assert loaded.recipe.render is not None
    assert loaded.recipe.render.model == model
    assert loaded.recipe.as_written()["render"]["model"] == model


def test_a_models_folder_in_the_recipe_is_left_relative_to_it(tmp_path: Path) -> None:
    loaded = load(tmp_path, f"{SHORTEST}render: {{model: ../models/tiny}}\n")
    assert loaded.recipe.render is not None
    assert loaded.recipe.render.model == "../models/tiny"
