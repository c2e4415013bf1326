"""What the command line names is found from the folder that it is called in."""

from pathlib import Path

import pytest
import yaml

from cotdata.recipe import proposed_recipe, single_source
from cotdata.sources.files import find_files


@pytest.mark.parametrize("given", ["data/*.jsonl", "data/x.jsonl"])
@pytest.mark.parametrize("target", ["recipe.yaml", "../recipe.yaml", "../other/recipe.yaml"])
def test_a_proposed_recipe_finds_its_files_from_folders_whose_names_look_like_globs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, target: str
) -> None:
    here = tmp_path / "run[1]*"
    (here / "data").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (here / "data" / "x.jsonl").write_bytes(b'{"question": "q", "answer": "a"}\n')
    monkeypatch.chdir(here)
    (source,) = yaml.safe_load(proposed_recipe(given, "tiny", Path(target)))["sources"]
    (file,) = find_files(source["from"], Path(target).parent.resolve())
    assert Path(file.path).resolve() == here / "data/x.jsonl"
    single = single_source(given, "medical_o1")
    assert [found.label for found in find_files(single.from_, here)] == ["data/x.jsonl"]
