"""Rendered runs are proven again from their files, whatever their hashes say."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cotdata.errors import VerifyError
from cotdata.manifest import Manifest
from cotdata.run import verify
from tests.run.byte_renderer import install
from tests.run.rendered import make


@pytest.fixture(autouse=True)
def renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COTDATA_CACHE_DIR", str(folder / "cache"))
        install(patch)
        return make(folder, render={"model": "bytes", "max_tokens": 500, "packing": True})


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def rewrite(run: Path, name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """Change the rows of a file, and let the manifest say that they are right."""
    file = next(run.glob(f"{name}-*.parquet"))
    rows = pl.read_parquet(file)
    change(rows).write_parquet(file)
    state = json.loads((run / "manifest.json").read_bytes())
    for output in state["outputs"]:
        if output["path"] == file.relative_to(run).as_posix():
            output["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    reseal(run, state)
    return rows


def reseal(run: Path, state: dict[str, Any]) -> None:
    (run / "manifest.json").write_bytes(Manifest.model_validate(state).to_json())


def told(run: Path) -> str:
    with pytest.raises(VerifyError) as caught:
        verify(run)
    return "\n".join(str(problem) for problem in caught.value.problems)


def only_first(column: str, changed: pl.Expr) -> Callable[[pl.DataFrame], pl.DataFrame]:
    is_first = pl.int_range(pl.len()) == 0
    return lambda rows: rows.with_columns(
        pl.when(is_first).then(changed).otherwise(column).alias(column)
    )


def test_a_finished_run_is_proven(run: Path) -> None:
    assert verify(run).render is not None


@pytest.mark.parametrize("column", ["labels", "input_ids"])
def test_one_changed_token_is_found_and_its_row_and_check_are_named(run: Path, column: str) -> None:
    changed = pl.concat_list(pl.col(column).list.head(3), pl.lit(9), pl.col(column).list.slice(4))
    rows = rewrite(run, "data/train", only_first(column, changed.cast(pl.List(pl.Int32))))
    found = told(run)
    assert f"row {rows['row_id'][0]} fails the check `token_ids`" in found
    assert "data/train-00000-of-00001.parquet" in found
    verify(run, proofs=False)


def test_every_failing_row_is_counted_and_some_are_named(run: Path) -> None:
    rows = rewrite(run, "data/train", lambda rows: rows.with_columns(completion=pl.lit("x")))
    found = told(run)
    assert found.count("fails the check") == 20
    assert f"{rows.height - 20:,} more rows are not proven" in found


def test_a_count_of_tokens_that_is_not_the_rows_is_found(run: Path) -> None:
    state = json.loads((run / "manifest.json").read_bytes())
    state["render"]["tokens"] += 1
    reseal(run, state)
    assert "tokens, " in told(run)


@pytest.mark.parametrize(
    ("key", "said"), [("checks", "pass the check `reasoning`"), ("compared", "were compared")]
)
def test_a_proof_that_is_claimed_of_more_rows_or_fewer_is_found(
    run: Path, key: str, said: str
) -> None:
    state = json.loads((run / "manifest.json").read_bytes())
    if key == "checks":
        state["render"]["checks"]["reasoning"] = 1
    else:
        state["render"]["compared"] += 1
    reseal(run, state)
    assert said in told(run)


def test_a_check_that_was_never_made_is_found(run: Path) -> None:
    state = json.loads((run / "manifest.json").read_bytes())
    state["render"]["checks"]["invented"] = 9_999
    reseal(run, state)
    assert "pass the check `invented`" in told(run)


def test_packed_rows_that_are_not_the_runs_are_found(run: Path) -> None:
    mixed = pl.col("input_ids").list.eval(pl.element().reverse())
    rewrite(run, "packed/train", lambda rows: rows.with_columns(mixed))
    assert "the packed rows of split 'train' are not its rows" in told(run)


def test_a_tokenizer_that_cannot_be_opened_is_told(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = json.loads((run / "manifest.json").read_bytes())
    state["outputs"] = [o for o in state["outputs"] if o["path"] != "tokenizer/tokenizer.json"]
    (run / "tokenizer/tokenizer.json").unlink()
    reseal(run, state)
    assert "rows cannot be proven" in told(run)


def test_settings_that_are_none_are_told(run: Path) -> None:
    state = json.loads((run / "manifest.json").read_bytes())
    state["render"]["settings"]["max_tokens"] = "many"
    reseal(run, state)
    assert "the settings of its rendering cannot be read" in told(run)
