"""Published rows, rendered for published tokenizers: every proof holds, and holds again."""

from pathlib import Path

import polars as pl
import pytest

from cotdata.recipe import load_recipe, render_settings
from cotdata.run import Run, build, render_run, verify
from tests.run.recipes import recipe, write_recipe
from tests.run.rendered import STAGES, kept

pytestmark = pytest.mark.real_data

CHECKS = {
    *("bos", "control_tokens", "length", "prompt", "reasoning", "round_trip", "token_ids"),
    "trained_span",
}


def rendered(folder: Path, real_data: Path, model: str, output: str = "run") -> Run:
    source = {
        "name": "medical",
        "from": str(real_data / "medical/medical_o1_en_liver_filtered.json"),
        "rows": "0:120",
        "adapter": "medical_o1",
    }
    section = {"model": str(real_data / "tokenizers" / model), "max_tokens": 2048}
    changes = {"sources": [source], "stages": STAGES, "render": {**section, "proof": "full"}}
    path = write_recipe(folder / "recipe.yaml", recipe(**changes))
    return build(load_recipe(path, output=folder / output))


@pytest.mark.parametrize("model", ["deepseek-r1-distill-qwen", "qwen3"])
def test_every_row_is_proven_and_proven_again_from_the_files(
    tmp_path: Path, real_data: Path, model: str
) -> None:
    run = rendered(tmp_path, real_data, model)
    record, rows = run.manifest.render, kept(run.path)
    assert record is not None
    assert record.model == model
    assert rows.height > 100
    assert set(record.checks) == CHECKS
    assert set(record.checks.values()) == {rows.height} == {record.compared}
    assert verify(run.path).render == record
    reasoning = pl.concat_str(pl.col("Complex_CoT").str.strip_chars(), pl.lit("\n</think>"))
    assert rows.select(pl.col("completion").str.contains(reasoning, literal=True)).to_series().all()


def test_a_child_run_is_what_a_build_for_its_model_would_be(
    tmp_path: Path, real_data: Path
) -> None:
    built = rendered(tmp_path, real_data, "qwen3", "built")
    parent = rendered(tmp_path, real_data, "deepseek-r1-distill-qwen")
    section = render_settings(
        str(real_data / "tokenizers/qwen3"), {"max_tokens": "2048", "proof": "full"}
    )
    child = render_run(parent.path, section, tmp_path / "child")
    assert kept(child.path).equals(kept(built.path))
    verify(child.path)
