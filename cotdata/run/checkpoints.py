"""Work in progress, kept by content: what a build reuses when it is started again."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal, get_args

import orjson
import platformdirs
from filelock import FileLock, Timeout

from cotdata.engine.progress import Progress
from cotdata.errors import WriteError

CheckpointKind = Literal["sources", "decisions", "renders"]
#: Raised when a cache's files change their form: what older versions left is then not read.
LAYOUT: Final = 1
#: Packages whose version can change a run's bytes.
SHAPING_PACKAGES: Final = ("cotdata", "ftfy", "polars", "polars-hash", "pyarrow")
_DONE: Final = "done.json"


@dataclass(frozen=True)
class CacheEntry:
    """One checkpoint in the cache."""

    kind: CheckpointKind
    key: str
    path: Path
    bytes: int
    rows: int
    used: datetime
    is_done: bool
    #: What it holds: a source and where it comes from, or the stages that decided.
    content: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """A folder of the cache that is filled while a build runs and sealed when its part is done."""

    path: Path

    def read(self) -> dict[str, Any] | None:
        """Return what it was sealed with, or None where it is not done.

        A checkpoint that lacks a file, or has one of another size (a disk that filled, a cleaner
        that took some of it), is emptied and is not done.
        """
        sealed = _sealed(self.path)
        if sealed is None:
            return None
        if not _is_whole(self.path, sealed.get("files")):
            self.empty()
            return None
        # When it was used last; a cache that may only be read serves as well.
        with contextlib.suppress(OSError):
            os.utime(self.path / _DONE)
        summary: dict[str, Any] = sealed["summary"]
        return summary

    def empty(self) -> None:
        """Remove all that it holds."""
        _remove(self.path)
        self.path.mkdir(parents=True, exist_ok=True)

    def drop_if_empty(self) -> None:
        """Remove the folder if nothing was put into it."""
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def seal(self, summary: dict[str, Any], files: Iterable[Path]) -> None:
        """Mark it as done.

        Args:
            summary: Small, and what `read` returns.
            files: What it consists of.
        """
        sizes = {os.path.relpath(file, self.path): file.stat().st_size for file in files}
        scratch = self.path / f".{_DONE}.{os.getpid()}"
        content = {"summary": summary, "files": sizes}
        scratch.write_bytes(orjson.dumps(content, option=orjson.OPT_SORT_KEYS))
        scratch.replace(self.path / _DONE)


def cache_folder() -> Path:
    """Return the cache: `COTDATA_CACHE_DIR`, else the user's cache folder."""
    chosen = os.environ.get("COTDATA_CACHE_DIR")
    root = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("cotdata"))
    return root.absolute() / f"v{LAYOUT}"


def shaping_versions() -> dict[str, str]:
    """Return the versions of the packages that shape the bytes of checkpoints and runs."""
    return {name: version(name) for name in SHAPING_PACKAGES}


def content_key(content: object) -> str:
    """Return the key of some content: the SHA-256 of its JSON, 32 hexadecimal digits of it."""
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:32]


@contextlib.contextmanager
def open_checkpoint(
    kind: CheckpointKind, key: str, progress: Progress, *, fresh: bool = False
) -> Iterator[Checkpoint]:
    """Open the checkpoint of that key, made if need be, for one build at a time.

    A build that comes while another one fills the checkpoint waits, and finds it done.

    Args:
        kind: What it holds.
        key: What decides its content.
        progress: Is told where the build has to wait.
        fresh: Empty it first.

    Raises:
        WriteError: If the cache cannot be written.
    """
    with cache_lock(f"{kind}-{key}", progress):
        yield _opened(cache_folder() / kind / key, fresh=fresh)


@contextlib.contextmanager
def cache_lock(name: str, progress: Progress | None) -> Iterator[None]:
    """Hold a lock that lies in the cache; wait for it, or, without `progress`, don't.

    Raises:
        WriteError: If the cache cannot be written.
        Timeout: If another process holds it, and nobody is to wait.
    """
    folder = cache_folder() / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{name}.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            if progress is None:
                raise
            progress.say("waiting for another build that works on the same rows")
            lock.acquire()
    except OSError as error:
        if isinstance(error, Timeout):
            raise
        raise _unwritable(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _opened(path: Path, *, fresh: bool) -> Checkpoint:
    try:
        if fresh:
            _remove(path)
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    return Checkpoint(path)


def _unwritable(path: Path, error: OSError) -> WriteError:
    return WriteError(
        f"the cache cannot be written: {error.strerror}: {path}",
        fix="set COTDATA_CACHE_DIR to a folder that you may write",
    )


def cache_entries() -> list[CacheEntry]:
    """Return every checkpoint in the cache, the one used last first."""
    entries = [_entry(kind, path) for kind in get_args(CheckpointKind) for path in _folders(kind)]
    return sorted(entries, key=lambda entry: entry.used, reverse=True)


def clear_cache(kind: CheckpointKind | None = None) -> int:
    """Remove all checkpoints, or those of one kind; return the bytes that they held."""
    freed = 0
    for entry in cache_entries():
        if kind not in {None, entry.kind}:
            continue
        try:
            _remove(entry.path)
        except OSError as error:
            raise _unwritable(entry.path, error) from error
        freed += entry.bytes
    return freed


def _sealed(folder: Path) -> dict[str, Any] | None:
    """Return what a checkpoint was sealed with; None if it is not done, {} if it can't be read."""
    try:
        sealed = orjson.loads((folder / _DONE).read_bytes())
    except FileNotFoundError:
        return None
    except orjson.JSONDecodeError:
        return {}
    return sealed if isinstance(sealed, dict) and isinstance(sealed.get("summary"), dict) else {}


def _is_whole(folder: Path, sizes: object) -> bool:
    if not isinstance(sizes, dict):
        return False
    try:
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except OSError:
        return False


def _folders(kind: CheckpointKind) -> Iterator[Path]:
    folder = cache_folder() / kind
    return (path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else iter(())


def _entry(kind: CheckpointKind, path: Path) -> CacheEntry:
    seal = path / _DONE
    sealed = _sealed(path)
    is_done = bool(sealed)
    summary = sealed["summary"] if sealed else {}
    files = [file.stat() for file in path.rglob("*") if file.is_file()]
    used = (seal if seal.exists() else path).stat().st_mtime
    return CacheEntry(
        kind=kind,
        key=path.name,
        path=path,
        bytes=sum(file.st_size for file in files),
        rows=int(summary.get("rows", 0)),
        used=datetime.fromtimestamp(used, tz=UTC),
        is_done=is_done,
        content=_content(summary),
    )


def _content(summary: dict[str, Any]) -> str:
    record = summary.get("record")
    if isinstance(record, dict):
        return f"{record.get('name')} ({record.get('origin')})"
    return str(summary.get("stages", ""))


def _remove(path: Path) -> None:
    # The seal goes first: a removal that is killed must not leave a checkpoint that looks whole.
    (path / _DONE).unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
