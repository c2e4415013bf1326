"""The command line starts quickly and says what there is."""

import subprocess
import sys
from pathlib import Path

import pytest

from cotdata import __version__
from tests.cli.conftest import CommandLine

HEAVY = ("polars", "pyarrow", "pydantic", "datasets", "numpy", "yaml")


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout


def test_help_imports_no_library() -> None:
    code = f"""
import sys
from cotdata.cli import run
assert run(["--help"]) == 0
print([name for name in {HEAVY} if name in sys.modules])
assert run(["build", "--help"]) == 0
print([name for name in {HEAVY} if name in sys.modules])
"""
    lists = [line for line in python(code).splitlines() if line.startswith("[")]
    # Of a command's arguments typer itself makes pydantic types.
    assert lists[0] == "[]"
    assert lists[1] in {"[]", "['pydantic']"}


def test_the_package_imports_no_library() -> None:
    loaded = python(f"import sys, cotdata; print([n for n in {HEAVY} if n in sys.modules])")
    assert loaded.strip() == "[]"


def test_check_imports_neither_hubs_nor_tokenizers() -> None:
    unneeded = ("transformers", "tokenizers", "datasets", "huggingface_hub", "torch", "pandas")
    code = f"""
import sys
from cotdata.cli import run
assert run(["check", "recipes/medical.yaml"]) == 0
print([name for name in {unneeded} if name in sys.modules])
"""
    assert python(code).splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_command(cotdata: CommandLine, arguments: list[str]) -> None:
    printed = cotdata(*arguments)
    assert printed.code == 0
    for name in ("build", "check", "init", "validate", "verify", "schema", "cache"):
        assert f"\n  {name} " in printed.out
    assert all(len(line) <= 80 for line in printed.out.splitlines())


def test_prints_its_version(cotdata: CommandLine) -> None:
    assert cotdata("--version") == (0, f"cotdata {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "No such command 'nope'"),
        (["build"], "Missing argument"),
        (["build", "a.yaml", "--sorce", "x"], "--source"),
        (["build", "a.yaml", "--workers", "0"], "'--workers': should be greater than or equal"),
        (["schema", "rows"], "Invalid value for 'kind': 'rows' is not one of 'row', 'recipe'"),
        (["cache", "clear", "--kind", "x"], "Invalid value for '--kind': 'x' is not one of"),
        (["validate", "a.jsonl"], "--adapter"),
    ],
)
def test_a_wrong_command_line_is_the_users_to_change(
    cotdata: CommandLine, arguments: list[str], said: str
) -> None:
    printed = cotdata(*arguments)
    assert (printed.code, printed.out) == (2, "")
    assert printed.err.startswith("error: ")
    assert said in printed.err
    words = [word for word in arguments[:2] if word in {"build", "schema", "validate"}]
    if arguments[0] == "cache":
        words = arguments[:2]
    assert printed.err.endswith(f"  fix: see `{' '.join(['cotdata', *words])} --help`\n")


def test_the_reader_of_a_table_may_leave(
    cotdata: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cotdata("build", "recipes/custom.yaml", "--output", "out").code == 0
    command = f"{sys.executable} -m cotdata cache list | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_reader_of_a_pipe_may_leave(tmp_path: Path) -> None:
    command = f"{sys.executable} -m cotdata schema recipe | head -c 10; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout) == 10
