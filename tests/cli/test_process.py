"""The command line as a process: its streams, its signals, its exit codes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COTDATA = f"{sys.executable} -m cotdata"
NO_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def shell(
    command: str, folder: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=os.environ | (environment or {}),
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, NO_LOCALE])
def test_a_pipe_gets_utf_8_whatever_the_locale(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "zh.jsonl").write_text(
        '{"问题": "a?", "思考": "b", "回答": "c"}\n', encoding="utf-8"
    )
    done = shell(f"{COTDATA} init zh.jsonl", tmp_path, environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "问题" in done.stdout.decode()


@pytest.mark.parametrize(
    "arguments", ["--version", "--help", "schema", "cache list", "cache list --json"]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_stdout_is_the_users_to_change(
    tmp_path: Path, arguments: str, unbuffered: str
) -> None:
    environment = {"PYTHONUNBUFFERED": unbuffered}
    done = shell(f"{COTDATA} {arguments} >/dev/full", tmp_path, environment)
    assert done.returncode == 2
    assert done.stderr == (
        b"error: No space left on device\n  fix: make room, or write elsewhere\n"
    )


@pytest.mark.parametrize("arguments", ["--version", "schema", "cache list"])
def test_a_closed_stdout_is_the_users_to_change(tmp_path: Path, arguments: str) -> None:
    done = shell(f"{COTDATA} {arguments} >&-", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: stdout is closed\n  fix: ")


@pytest.mark.parametrize("nowhere", ["/dev/full", "&-"])
def test_the_exit_code_does_not_depend_on_stderr(tmp_path: Path, nowhere: str) -> None:
    assert shell(f"{COTDATA} check nope.yaml 2>{nowhere}", tmp_path).returncode == 2
    assert shell(f"{COTDATA} --version 2>{nowhere}", tmp_path).returncode == 0


INTERRUPTED = """
import os, signal, sys
import cotdata.cli as cli

def interrupted(arguments):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        return 0
    except KeyboardInterrupt:
        os.kill(os.getpid(), signal.SIGINT)
        return 1

{ignore}
cli.run = interrupted
cli.main()
"""


def test_a_second_interruption_ends_the_process_without_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(ignore="")], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, b"")


EARLY = """
import os, signal, sys
{ignore}
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
sys.argv = ["cotdata", "--version"]
from cotdata.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("ignore", "code"), [("", 130), ("signal.signal(signal.SIGINT, signal.SIG_IGN)", 0)]
)
def test_an_interruption_before_anything_is_imported_is_no_traceback(
    ignore: str, code: int
) -> None:
    command = [sys.executable, "-c", EARLY.format(ignore=ignore)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (code, b"")


def test_an_ignored_interruption_stays_ignored() -> None:
    code = INTERRUPTED.format(ignore=f"signal.signal({signal.SIGINT:d}, signal.SIG_IGN)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
