"""A hub of models on loopback, and a process of its own that asks it.

The Hub's client takes its settings when it is imported, so each question is a new process.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
COMMITS = ("1" * 40, "2" * 40)
ASK = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from cotdata.errors import RenderError
from cotdata.render.model_files import open_model
answers = []
for model, revision in json.loads(sys.argv[1]):
    try:
        answers.append({"ok": asdict(open_model(model, Path(), revision))})
    except RenderError as error:
        answers.append({"error": error.what, "fix": error.fix})
print(json.dumps(answers, default=str))
"""


@dataclass
class ModelHub:
    """What the server serves: one model, `own/model`, in two commits; and what it was asked."""

    url: str = ""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    #: Name of a model → status and error code that are answered to whatever is asked about it.
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[ModelHub]:
    """Serve a model with these files; its first commit lacks the last of them."""
    older = dict(list(files.items())[:-1])
    hub = ModelHub(files={COMMITS[0]: older, COMMITS[1]: files})

    class Handler(_Handler):
        served = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(
    url: str, caches: Path, *models: tuple[str, str | None], **environment: str
) -> list[dict[str, Any]]:
    """Return what opening each of the models gives, in a new process."""
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
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(models)],
        capture_output=True,
        text=True,
        env=settings,
        cwd=caches,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return cast("list[dict[str, Any]]", json.loads(done.stdout))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: ModelHub

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path).lstrip("/")
        self.served.requests.append(path)
        owner, name, *rest = path.removeprefix("api/models/").split("/")
        model = f"{owner}/{name}"
        if model in self.served.refused:
            self._refuse(*self.served.refused[model])
        elif model != "own/model":
            self._refuse(404, "RepoNotFound")
        elif path.startswith("api/"):
            self._api(rest)
        else:
            self._file(rest)

    def _api(self, rest: list[str]) -> None:
        revision = rest[1] if len(rest) > 1 else "main"
        commit = {"main": COMMITS[1], "v1": COMMITS[0]}.get(revision, revision)
        files = self.served.files.get(commit)
        if files is None:
            self._refuse(404, "RevisionNotFound")
        elif rest[:1] == ["tree"]:
            entries = [
                {"type": "file", "path": path, "oid": _oid(content), "size": len(content)}
                for path, content in files.items()
            ]
            self._answer(json.dumps(entries).encode())
        else:
            siblings = [{"rfilename": path} for path in files]
            found = {"id": "own/model", "sha": commit, "siblings": siblings, "tags": []}
            self._answer(json.dumps(found).encode())

    def _file(self, rest: list[str]) -> None:
        commit, path = rest[1], "/".join(rest[2:])
        content = self.served.files[commit].get(path)
        if content is None:
            self._refuse(404, "EntryNotFound")
            return
        self._answer(content, {"X-Repo-Commit": commit, "ETag": f'"{_oid(content)}"'})

    def _refuse(self, status: int, code: str = "") -> None:
        self._answer(b"{}", {"X-Error-Code": code} if code else {}, status)

    def _answer(
        self, body: bytes, headers: dict[str, str] | None = None, status: int = 200
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _oid(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
