"""The example plugin of the documentation, as a user would install and use it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.docs.conftest import install
from tests.docs.pages import DOCS

ROWS = [
    {"Question": "WHY IS THE TUBE EMPTY?", "Complex_CoT": "Vacuum.", "Response": "It was old."},
    {"Question": "May it be used?", "Complex_CoT": "No.", "Response": "Lorem Ipsum dolor."},
    {"Question": "Who says so?", "Complex_CoT": "The insert.", "Response": "The insert."},
]
RECIPE = """
schema: 1
name: polite
sources:
  - {name: notes, from: notes.jsonl, adapter: medical_o1}
stages:
  - {kind: length, column: Question, min_chars: 3}
  - {kind: exact_dedup}
  - {kind: plugin, name: banned_words, config: {words: [lorem, ipsum, dolores]}}
  - {kind: split, test: 0.1}
"""


def cotdata(folder: Path, plugin: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a process that finds the plugin."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(plugin),
        "COTDATA_CACHE_DIR": str(folder / "cache"),
    }
    return subprocess.run(
        [sys.executable, "-m", "cotdata", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def build(folder: Path, plugin: Path, output: str = "run") -> Path:
    """Build the recipe and return the run's folder."""
    lines = (json.dumps(row) + "\n" for row in ROWS)
    (folder / "notes.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    done = cotdata(folder, plugin, "build", "recipe.yaml", "--output", output)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.strip()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, installed_plugin: Path) -> Path:
    return build(tmp_path_factory.mktemp("run"), installed_plugin)


def test_a_rejected_row_names_the_plugin_its_reason_and_the_words(run: Path) -> None:
    rejected = pl.read_parquet(run / "rejected/*.parquet")
    assert rejected.select("row_id", "stage", "reason").rows() == [
        ("notes:1", "plugin:banned_words", "banned_word")
    ]
    evidence = json.loads(rejected["evidence"][0])
    assert evidence == {"column": "Response", "words": ["lorem", "ipsum"]}


def test_the_added_column_stands_in_the_output_and_in_the_manifest(run: Path) -> None:
    kept = pl.read_parquet(run / "data/*.parquet").sort("row_id")
    assert kept.select("row_id", "shouts").rows() == [("notes:0", True), ("notes:2", False)]
    columns = json.loads((run / "manifest.json").read_bytes())["columns"]
    added = [column for column in columns if column["added_by"]]
    assert added == [{"name": "shouts", "dtype": "Boolean", "added_by": "plugin:banned_words"}]


def test_the_manifest_has_the_plugins_own_version_and_settings(run: Path) -> None:
    stages = json.loads((run / "manifest.json").read_bytes())["stages"]
    plugin = next(stage for stage in stages if stage["kind"] == "plugin")
    assert plugin["version"] == "1"
    assert plugin["config"]["config"] == {"words": ["lorem", "ipsum", "dolores"]}
    assert plugin["reasons"] == {"banned_word": 1}


def test_the_run_holds_when_it_is_verified_without_the_plugin(run: Path) -> None:
    done = cotdata(run.parent, run, "verify", str(run))
    assert done.returncode == 0, done.stderr


def test_a_typo_in_the_plugins_settings_is_told_with_its_place(
    tmp_path: Path, installed_plugin: Path
) -> None:
    build(tmp_path, installed_plugin)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.replace("words:", "wrods:"), encoding="utf-8")
    done = cotdata(tmp_path, installed_plugin, "check", "recipe.yaml")
    assert done.returncode == 2
    assert "recipe.yaml:9" in done.stderr
    assert "wrods" in done.stderr


def test_a_plugin_that_is_not_installed_is_told_with_its_place(
    tmp_path: Path, installed_plugin: Path
) -> None:
    build(tmp_path, installed_plugin)
    done = cotdata(tmp_path, tmp_path, "check", "recipe.yaml")
    assert done.returncode == 2
    assert "recipe.yaml:9" in done.stderr
    assert "no plugin named 'banned_words' is installed" in done.stderr


def test_another_version_of_the_plugin_runs_its_stage_again(
    tmp_path: Path, installed_plugin: Path
) -> None:
    first = build(tmp_path, installed_plugin, "first")
    before = decisions(tmp_path)
    assert build(tmp_path, installed_plugin, "again") == tmp_path / "again"
    assert decisions(tmp_path) == before, "the same version decides nothing anew"

    source = shutil.copytree(DOCS / "example_plugin", tmp_path / "source")
    module = source / "src" / "cotdata_example_plugin.py"
    text = module.read_text(encoding="utf-8")
    assert 'version = "1"' in text
    changed = text.replace('version = "1"', 'version = "2"').replace(".str.to_lowercase()", "")
    module.write_text(changed, encoding="utf-8")
    second = build(tmp_path, install(source, tmp_path / "newer"), "second")

    fingerprints = [
        json.loads((run / "manifest.json").read_bytes())["fingerprint"] for run in (first, second)
    ]
    assert fingerprints[0] != fingerprints[1]
    # The pass before the plugin is found in the cache; the plugin's own is not.
    assert before < decisions(tmp_path)
    assert len(decisions(tmp_path)) == len(before) + 1
    assert pl.read_parquet(first / "rejected/*.parquet").height == 1
    assert pl.read_parquet(second / "rejected/*.parquet").is_empty()


def decisions(folder: Path) -> set[str]:
    """Return the names of the decisions that the cache holds."""
    return {path.name for path in (folder / "cache").glob("v*/decisions/*")}
