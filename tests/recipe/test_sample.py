"""The package's own rows in the place of a recipe's sources."""

from pathlib import Path

import pytest

from cotdata.render import model_files
from tests.recipe.recipes import SHORTEST, load, problems


@pytest.mark.parametrize(
    ("name", "from_", "file"),
    [
        ("medical_en", "hf://a/b\n    config: en", "medical_o1_en.json"),
        ("medical_zh", "hf://a/b", "medical_o1_zh.json"),
        ("medical", "hf://a/b\n    config: zh_mix", "medical_o1_zh.json"),
        ("zhang", "notes.txt\n    format: jsonl\n    encoding: gbk", "medical_o1_en.json"),
    ],
)
def test_takes_the_rows_of_the_sources_schema_and_language(
    tmp_path: Path, name: str, from_: str, file: str
) -> None:
    text = SHORTEST.replace("name: notes", f"name: {name}").replace("notes.jsonl", from_)
    loaded = load(tmp_path, text, sample=True)
    source = loaded.recipe.sources[0]
    assert Path(source.from_).name == file
    assert Path(source.from_).is_file()
    assert (source.config, source.revision, source.format, source.encoding) == (None,) * 4
    assert loaded.sample
    assert loaded.output == Path("build/tiny-sample")


def test_the_output_folder_can_still_be_chosen(tmp_path: Path) -> None:
    text = f"{SHORTEST}output: {{dir: out/run}}\n"
    assert load(tmp_path, text, sample=True).output == Path("out/run-sample")
    assert load(tmp_path, text, sample=True, output="here").output == Path("here")


def test_a_mapping_that_reads_other_columns_has_no_sample(tmp_path: Path) -> None:
    text = SHORTEST.replace("medical_o1", '{Question: title, Response: "{reply} {answer}"}')
    (problem,) = problems(tmp_path, text, sample=True)
    assert problem.what == "the sample rows for mappings have no 'reply'"
    assert problem.where is not None
    assert (problem.where.line, problem.where.field) == (6, "sources[0].adapter")


def test_sample_rows_and_other_rows_exclude_each_other(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, SHORTEST, sample=True, sources={"notes": "x.jsonl"})
    assert problem.fix == "give one of the two"


RENDERED = f"{SHORTEST}render: {{model: a/b, revision: main, stop: <|end|>, max_tokens: 99}}\n"


def test_sample_rows_are_rendered_for_the_packages_tokenizer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "sample_model", lambda: tmp_path / "tiny")
    render = load(tmp_path, RENDERED, sample=True).recipe.render
    assert render is not None
    assert render.model == str(tmp_path / "tiny")
    assert (render.revision, render.stop, render.max_tokens) == (None, None, 99)


def test_sample_rows_are_rendered_for_a_model_that_the_command_line_names(tmp_path: Path) -> None:
    loaded = load(tmp_path, RENDERED, sample=True, settings={"render.model": "c/d"})
    assert loaded.recipe.render is not None
    assert loaded.recipe.render.model == "c/d"


def test_a_recipe_without_rendering_has_none_in_the_sample(tmp_path: Path) -> None:
    assert load(tmp_path, SHORTEST, sample=True).recipe.render is None


def test_settings_of_the_rendering_need_no_model_in_the_sample(tmp_path: Path) -> None:
    loaded = load(tmp_path, SHORTEST, sample=True, settings={"render.max_tokens": "64"})
    assert loaded.recipe.render is not None
    assert loaded.recipe.render.max_tokens == 64
    assert loaded.overrides == {"set": {"render.max_tokens": "64"}}
