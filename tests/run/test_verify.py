import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from cotdata import VerifyError
from cotdata.manifest import Manifest
from cotdata.recipe import load_recipe
from cotdata.run import build, verify
from tests.run.recipes import medical_rows, recipe, write_jsonl, write_recipe


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COTDATA_CACHE_DIR", str(folder / "cache"))
        write_jsonl(folder / "rows.jsonl", medical_rows(200))
        path = write_recipe(folder / "recipe.yaml", recipe())
        return build(load_recipe(path, output=folder / "run")).path


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def reseal(run: Path, content: dict[str, object]) -> None:
    manifest = Manifest.model_validate(content)
    (run / "manifest.json").write_bytes(manifest.to_json())


def content_of(run: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((run / "manifest.json").read_bytes())
    return content


def test_a_finished_run_holds(run: Path) -> None:
    assert verify(run).name == "test"


def test_a_run_holds_wherever_it_is_moved(run: Path, tmp_path: Path) -> None:
    assert verify(Path(shutil.move(run, tmp_path / "elsewhere"))).name == "test"


def test_one_changed_byte_is_found_and_named(run: Path) -> None:
    victim = next(run.glob("data/train*"))
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    with pytest.raises(VerifyError, match=r"train-00000-of-00001\.parquet: was changed"):
        verify(run)


def test_every_problem_is_reported_at_once(run: Path) -> None:
    next(run.glob("rejected/*")).unlink()
    (run / "report.html").write_text("<html>")
    (run / "extra.parquet").write_text("x")
    with pytest.raises(VerifyError) as caught:
        verify(run)
    named = " ".join(str(problem) for problem in caught.value.problems)
    assert len(caught.value.problems) == 3
    assert all(name in named for name in ("rejected-00000", "report.html", "extra.parquet"))


def test_an_edited_manifest_is_found(run: Path) -> None:
    text = (run / "manifest.json").read_text().replace('"seed": 7', '"seed": 8')
    (run / "manifest.json").write_text(text)
    with pytest.raises(VerifyError, match="manifest was changed"):
        verify(run)


def test_numbers_that_do_not_add_up_are_found_under_a_right_seal(run: Path) -> None:
    content = content_of(run)
    content["stages"][3]["kept"] += 1  # type: ignore[index]
    reseal(run, content)
    with pytest.raises(VerifyError, match="do not add up"):
        verify(run)


def test_reasons_that_are_not_those_of_the_rejected_rows_are_found(run: Path) -> None:
    content = content_of(run)
    reasons = content["stages"][1]["reasons"]  # type: ignore[index]
    content["stages"][1]["reasons"] = {"something_else": sum(reasons.values())}  # type: ignore[index]
    reseal(run, content)
    with pytest.raises(VerifyError, match="rejected rows are not those"):
        verify(run)


def test_rows_of_another_source_are_found(run: Path) -> None:
    content = content_of(run)
    split = content["splits"]["train"]  # type: ignore[index]
    split["sources"] = {"other": split["rows"]}
    reseal(run, content)
    with pytest.raises(VerifyError, match="split 'train'"):
        verify(run)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": 1}', "\xff"])
def test_a_manifest_that_is_none_is_an_error_that_says_so(run: Path, text: str) -> None:
    (run / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(VerifyError, match="manifest"):
        verify(run)


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match="is not a run"):
        verify(tmp_path)


def test_the_manifest_names_no_place_or_time_of_this_machine(run: Path, finished: Path) -> None:
    for file in ("manifest.json", "README.md", "report.html"):
        text = (run / file).read_text(encoding="utf-8")
        assert str(finished.parent) not in text
        assert str(Path.home()) not in text


def test_the_rejected_rows_open_with_all_columns_of_the_kept_ones(run: Path) -> None:
    kept = pl.read_parquet_schema(next(run.glob("data/train*")))
    rejected = pl.read_parquet_schema(next(run.glob("rejected/*")))
    assert list(rejected) == [*kept, "stage", "reason", "evidence", "raw"]
