"""What a user sees when a build is interrupted or the machine refuses, and that nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from cotdata import WriteError
from cotdata.recipe import load_recipe
from cotdata.run import build
from tests.run.recipes import medical_rows, recipe, run_bytes, write_jsonl, write_recipe

LIMITED_BUILD = dedent(
    """
    import resource, sys
    from cotdata.recipe import load_recipe
    from cotdata.run import build
    loaded = load_recipe(sys.argv[1], output=sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
    build(loaded)
    """
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "rows.jsonl", medical_rows(3_000))
    write_recipe(tmp_path / "recipe.yaml", recipe())
    return tmp_path


@pytest.mark.parametrize("limit", [1_000, 100_000, 400_000])
def test_a_file_system_that_takes_no_more_is_an_error_and_the_next_build_goes_on(
    folder: Path, limit: int
) -> None:
    command: list[str | Path] = [
        sys.executable,
        "-c",
        LIMITED_BUILD,
        folder / "recipe.yaml",
        folder / "run",
    ]
    result = subprocess.run([*command, str(limit)], capture_output=True, text=True, check=False)
    assert "WriteError: File too large" in result.stderr or "cannot be written" in result.stderr
    assert not (folder / "run").exists()
    again = build(load_recipe(folder / "recipe.yaml", output=folder / "run"))
    assert again.is_new
    fresh = load_recipe(folder / "recipe.yaml", output=folder / "other")
    assert run_bytes(build(fresh, fresh=True).path) == run_bytes(again.path)


def test_ctrl_c_leaves_no_run_and_the_same_command_goes_on(folder: Path) -> None:
    command: list[str | Path] = [sys.executable, "-m", "cotdata", "build", folder / "recipe.yaml"]
    command += ["--output", folder / "run"]
    interrupted = 0
    for delay in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert process.returncode == 130, errors
        assert "Traceback" not in errors
        assert not (folder / "run").exists()
        interrupted += 1
    assert interrupted
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert (folder / "run" / "manifest.json").exists()


def test_a_cache_that_cannot_be_made_is_an_error_that_names_the_way_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("x")
    monkeypatch.setenv("COTDATA_CACHE_DIR", str(folder / "file" / "cache"))
    with pytest.raises(WriteError, match="COTDATA_CACHE_DIR"):
        build(load_recipe(folder / "recipe.yaml", output=folder / "run"))


def test_a_checkpoint_whose_file_was_damaged_is_not_silently_used(
    folder: Path, own_cache: Path
) -> None:
    expected = run_bytes(build(load_recipe(folder / "recipe.yaml", output=folder / "run")).path)
    shard = next(own_cache.glob("v1/sources/*/*.arrow"))
    os.truncate(shard, shard.stat().st_size // 2)
    again = load_recipe(folder / "recipe.yaml", output=folder / "again")
    assert run_bytes(build(again).path) == expected
