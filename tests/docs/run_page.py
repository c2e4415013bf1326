"""Runs the blocks of one page in their order; a process of its own: `run_page.py BLOCKS.json`.

Reads a list of `{line, language, title, code, exit_code}`. A block with a title is written to that
file; Python blocks share their names; Bash blocks print to a terminal of 80 columns; YAML blocks
that are recipes are loaded, parts of recipes within a recipe. A `text` block must stand in what
the block before it printed: its lines, in their order, blanks aside; `…` stands for anything.
"""

import contextlib
import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import traceback
from pathlib import Path
from typing import Any

import yaml

from cotdata.recipe import load_recipe

_ROW = {"name": "rows", "from": "rows.jsonl", "adapter": "medical_o1"}


def run_blocks(blocks: list[dict[str, Any]]) -> list[str]:
    """Run the blocks and return what failed; the first failure ends it."""
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    for block in blocks:
        try:
            printed = _run(block, names, printed)
        except Exception:
            return [f"line {block['line']}: {traceback.format_exc()}"]
    return []


def _run(block: dict[str, Any], names: dict[str, Any], printed: str) -> str:
    if block["title"]:
        Path(block["title"]).write_text(block["code"], encoding="utf-8")
    match block["language"]:
        case "python":
            return _python(block["code"], names)
        case "bash":
            return _bash(block["code"], block["exit_code"])
        case "yaml":
            _yaml(block["code"])
        case "text":
            _check_printed(block["code"], printed)
        case _:  # a file's text, or one that is only to be read
            pass
    return printed


def _python(code: str, names: dict[str, Any]) -> str:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        exec(compile(code, "page", "exec"), names)
    return stream.getvalue()


def _bash(code: str, exit_code: int) -> str:
    leader, follower = pty.openpty()
    fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    command = ["bash", "-euo", "pipefail", "-c", code]
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(command, stdout=follower, stderr=errors) as process:
            os.close(follower)
            printed = _drain(leader)
        errors.seek(0)
        said = errors.read().decode()
    os.close(leader)
    if process.returncode != exit_code:
        message = f"exit code {process.returncode} instead of {exit_code}: {code}{printed}{said}"
        raise RuntimeError(message)
    return printed + said


def _drain(leader: int) -> str:
    printed = b""
    # Linux says EIO where the other end of a terminal is closed.
    with contextlib.suppress(OSError):
        while piece := os.read(leader, 65536):
            printed += piece
    return printed.decode().replace("\r\n", "\n")


def _yaml(code: str) -> None:
    value = yaml.safe_load(code)
    if isinstance(value, list):
        is_stages = all("kind" in entry for entry in value)
        recipe = {"schema": 1, "name": "part", "sources": value if not is_stages else [_ROW]}
        code = yaml.safe_dump(recipe | ({"stages": value} if is_stages else {}))
    elif value.keys() == {"render"}:
        code = yaml.safe_dump({"schema": 1, "name": "part", "sources": [_ROW], **value})
    path = Path("block.yaml")
    path.write_text(code, encoding="utf-8")
    load_recipe(path)
    path.unlink()


def _check_printed(expected: str, printed: str) -> None:
    left = [" ".join(line.split()) for line in printed.splitlines()]
    for line in filter(None, (" ".join(line.split()) for line in expected.splitlines())):
        if line == "…":
            continue
        found = next((at for at, said in enumerate(left) if line in said), None)
        if found is None:
            message = f"not printed: {line!r}; printed was:\n{printed}"
            raise RuntimeError(message)
        left = left[found + 1 :]


if __name__ == "__main__":
    failed = run_blocks(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    sys.stderr.write("\n".join(failed))
    sys.exit(1 if failed else 0)
