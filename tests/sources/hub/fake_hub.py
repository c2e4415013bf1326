"""A Hugging Face Hub on loopback: just enough of its HTTP for the real clients to work with."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PREFIXES = ("api/datasets/", "datasets/")


@dataclass
class FakeDataset:
    """One data set: its commits, newest last, and who may read it."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    gated: bool = False
    private: bool = False

    def commit_of(self, revision: str) -> str | None:
        if revision == "main":
            return list(self.commits)[-1]
        revision = self.tags.get(revision, revision)
        return revision if revision in self.commits else None


@dataclass
class FakeHub:
    """What the server serves, and what it was asked."""

    url: str = ""
    datasets: dict[str, FakeDataset] = field(default_factory=dict)
    token: str = "hf_aTokenOfTheFakeHub1234"
    requests: list[str] = field(default_factory=list)
    #: Data set → status that is answered to whatever is asked about it; with `@path`: for a file.
    failures: dict[str, int] = field(default_factory=dict)
    #: File → size that the hub says it has.
    sizes: dict[str, int] = field(default_factory=dict)

    def add(self, dataset_id: str, files: dict[str, bytes], **settings: Any) -> str:
        """Add a commit to a data set, and return its hash."""
        dataset = self.datasets.setdefault(dataset_id, FakeDataset(**settings))
        content = json.dumps([dataset_id, len(dataset.commits), sorted(files)])
        commit = hashlib.sha1(content.encode(), usedforsecurity=False).hexdigest()
        dataset.commits[commit] = files
        return commit


@contextmanager
def serving() -> Iterator[FakeHub]:
    """Serve a new, empty hub."""
    hub = FakeHub()

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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: FakeHub

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        self.served.requests.append(f"{self.command} {self.path}")
        path = unquote(urlsplit(self.path).path).lstrip("/")
        prefix = next((known for known in PREFIXES if path.startswith(known)), None)
        if prefix is None:
            self._refuse(404, "RepoNotFound")
            return
        owner, name, *rest = path.removeprefix(prefix).split("/")
        dataset_id = f"{owner}/{name}"
        dataset = self.served.datasets.get(dataset_id)
        token = self.headers.get("Authorization")
        is_known = token == f"Bearer {self.served.token}"
        file = f"{dataset_id}@{'/'.join(rest[2:])}"
        failure = self.served.failures.get(dataset_id) or self.served.failures.get(file)
        if failure:
            self._refuse(failure)
        elif token and not is_known:
            self._refuse(401, message="Invalid credentials in Authorization header")
        elif dataset is None or (dataset.private and not is_known):
            self._refuse(404 if is_known else 401, "RepoNotFound")
        elif prefix == "datasets/":
            self._resolve(dataset, rest, is_known=is_known)
        else:
            self._api(dataset, dataset_id, rest, body)

    def _api(self, dataset: FakeDataset, dataset_id: str, rest: list[str], body: bytes) -> None:
        kind, revision = (rest[0], rest[1]) if len(rest) > 1 else ("revision", "main")
        commit = dataset.commit_of(revision)
        if commit is None:
            self._refuse(404, "RevisionNotFound")
            return
        files = dataset.commits[commit]
        match kind:
            case "revision":
                siblings = [{"rfilename": path, "size": len(files[path])} for path in files]
                self._json({"id": dataset_id, "sha": commit, "siblings": siblings, "tags": []})
            case "tree":
                is_recursive = parse_qs(urlsplit(self.path).query).get("recursive") == ["True"]
                self._json(_tree(files, "/".join(rest[2:]), is_recursive=is_recursive))
            case "paths-info":
                asked = _paths(body, self.headers.get("Content-Type", ""))
                found = [_entry(path, files[path]) for path in asked if path in files]
                sizes = self.served.sizes
                self._json([e | {"size": sizes.get(str(e["path"]), e["size"])} for e in found])
            case _:
                self._refuse(404, "EntryNotFound")

    def _resolve(self, dataset: FakeDataset, rest: list[str], *, is_known: bool) -> None:
        commit, path = dataset.commit_of(rest[1]), "/".join(rest[2:])
        if commit is None:
            self._refuse(404, "RevisionNotFound")
        elif path not in dataset.commits[commit]:
            self._refuse(404, "EntryNotFound", commit)
        elif dataset.gated and not is_known and path != "README.md":
            self._refuse(401, "GatedRepo", commit)
        else:
            self._file(dataset.commits[commit][path], commit)

    def _file(self, content: bytes, commit: str) -> None:
        total, start, end = len(content), 0, len(content)
        wanted = self.headers.get("Range")
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or total - 1) + 1, total)
        self.send_response(HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK)
        self.send_header("X-Repo-Commit", commit)
        self.send_header("ETag", f'"{_oid(content)}"')
        self.send_header("Accept-Ranges", "bytes")
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{total}")
        self._finish(content[start:end], "application/octet-stream")

    def _json(self, value: object) -> None:
        self.send_response(HTTPStatus.OK)
        self._finish(json.dumps(value).encode(), "application/json")

    def _refuse(self, status: int, code: str = "", commit: str = "", message: str = "") -> None:
        self.send_response(status)
        named = {"X-Error-Code": code, "X-Repo-Commit": commit, "X-Error-Message": message}
        for name, value in named.items():
            if value:
                self.send_header(name, value)
        self._finish(b"{}", "application/json")

    def _finish(self, body: bytes, kind: str) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _tree(files: dict[str, bytes], folder: str, *, is_recursive: bool) -> list[dict[str, object]]:
    prefix = f"{folder}/" if folder else ""
    entries: dict[str, dict[str, object]] = {}
    for path, content in files.items():
        if not path.startswith(prefix):
            continue
        parents = path.removeprefix(prefix).split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            parent = prefix + "/".join(parents[:depth])
            entries[parent] = {"type": "directory", "path": parent, "oid": "0" * 40, "size": 0}
        entries[path] = _entry(path, content)
    if is_recursive:
        return list(entries.values())
    return [entry for path, entry in entries.items() if "/" not in path.removeprefix(prefix)]


def _entry(path: str, content: bytes) -> dict[str, object]:
    return {"type": "file", "path": path, "oid": _oid(content), "size": len(content)}


def _oid(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _paths(body: bytes, kind: str) -> list[str]:
    if "json" in kind:
        return list(json.loads(body)["paths"])
    return parse_qs(body.decode()).get("paths", [])
