"""Reads data sets in a process of its own: the hubs' clients take their settings when imported.

One JSON request a line on stdin, one JSON answer a line on stdout: `{"ok": …}` or `{"error": …}`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parents[3]


class HubClient:
    """The other end of the pipe."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, action: str, **request: Any) -> dict[str, Any]:
        """Return the answer to one request."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"action": action, **request}) + "\n")
        stdin.flush()
        return cast("dict[str, Any]", json.loads(stdout.readline()))


@contextmanager
def client(url: str, caches: Path, **environment: str) -> Iterator[HubClient]:
    """Start a process that talks to the hub at `url` and keeps its caches in a folder."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    settings |= {
        "HF_ENDPOINT": url,
        "HF_HOME": str(caches / "hf"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": str(ROOT),
        **environment,
    }
    log = caches / "stderr.txt"
    caches.mkdir(parents=True, exist_ok=True)
    with log.open("a") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.sources.hub.hub_client"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=settings,
            cwd=caches,
        )
        with process:
            yield HubClient(process)
            assert process.stdin is not None
            process.stdin.close()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    from dataclasses import asdict

    from cotdata.errors import SourceError
    from cotdata.sources.hub.huggingface import HubReader
    from cotdata.sources.records import Wanted

    reader = HubReader(**request["reader"])
    try:
        match request["action"]:
            case "resolve":
                return {"ok": asdict(reader.resolve())}
            case "peek":
                peek = reader.peek()
                columns = {name: sorted(kinds) for name, kinds in peek.columns.items()}
                return {"ok": {"columns": columns, "examples": peek.examples}}
            case _:
                wanted = Wanted(**{key: tuple(value) for key, value in request["wanted"].items()})
                batches = list(reader.batches(wanted, request["first"], request["stop"]))
                frames = [batch.frame for batch in batches if batch.frame is not None]
                return {
                    "ok": {
                        "records": sum(batch.records for batch in batches),
                        "rows": [row for frame in frames for row in frame.to_dicts()],
                    }
                }
    except SourceError as error:
        return {"error": error.what, "fix": error.fix}


def _main() -> None:
    out = os.fdopen(os.dup(1), "w")
    # Whatever else is printed must not come between the answers.
    os.dup2(2, 1)
    for line in sys.stdin:
        answer = json.dumps(_answer(json.loads(line)), default=lambda value: value.decode())
        out.write(answer + "\n")
        out.flush()


if __name__ == "__main__":
    _main()
