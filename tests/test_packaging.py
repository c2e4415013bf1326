"""The wheel holds what a user needs, however it was built, and runs where no checkout is."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


def run_build(source: Path, target: Path, kind: str) -> Path:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        f"--{kind}",
        "--outdir",
        target,
    ]
    subprocess.run([*command, source], check=True, capture_output=True)
    (made,) = target.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_build(CHECKOUT, tmp_path_factory.mktemp("wheel"), "wheel")


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/RECORD")}


def test_the_wheel_is_the_same_from_the_checkout_and_from_the_sdist(
    wheel: Path, tmp_path: Path
) -> None:
    sdist = run_build(CHECKOUT, tmp_path / "sdist", "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    assert names_in(run_build(source, tmp_path / "wheel", "wheel")) == names_in(wheel)


def test_the_wheel_holds_every_module_recipe_and_sample(wheel: Path) -> None:
    expected = {
        path.relative_to(CHECKOUT).as_posix()
        for path in (CHECKOUT / "cotdata").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "_bundled" not in path.parts
    }
    expected |= {
        f"cotdata/_bundled/{path.relative_to(CHECKOUT).as_posix()}"
        for path in (CHECKOUT / "recipes").rglob("*")
        if path.is_file()
    }
    missing = expected - names_in(wheel)
    assert not missing
    stray = {
        name
        for name in names_in(wheel)
        if not name.startswith(("cotdata/", "cotdata-")) or "__pycache__" in name
    }
    assert not stray


def test_the_installed_wheel_builds_a_sample_where_no_checkout_is(
    wheel: Path, tmp_path: Path
) -> None:
    target, work = tmp_path / "target", tmp_path / "work"
    work.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*install, "--target", target, wheel], check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    command = [sys.executable, "-m", "cotdata", "build", "recipes/medical.yaml", "--sample"]
    result = subprocess.run(
        command, cwd=work, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "build/medical-sample"
    assert (work / "build" / "medical-sample" / "report.html").exists()
    where = [sys.executable, "-c", "import cotdata; print(cotdata.__file__)"]
    imported = subprocess.check_output(where, cwd=work, env=environment, text=True)
    assert Path(imported.strip()).is_relative_to(target)
