"""A run's folder appears whole or not at all, and another run's is never overwritten unasked."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from filelock import FileLock, Timeout

from cotdata.errors import WriteError
from cotdata.manifest import MANIFEST_NAME, UNHASHED

_NAMED: Final = 5


@dataclass(frozen=True)
class OutputFolder:
    """The folder that a build fills, and its hidden siblings while it does."""

    path: Path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second build away from this folder.

        Raises:
            WriteError: If one is running, or the folder's parent cannot be written.
        """
        parent = self.path.parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._sibling("lock"), blocking=False)
            lock.acquire()
        except Timeout as error:
            raise WriteError(
                f"another build is writing {self.path}",
                fix="wait for it, or choose another folder with --output",
            ) from error
        except OSError as error:
            raise WriteError(
                f"{parent} cannot be written: {error.strerror}",
                fix="choose another folder with --output",
            ) from error
        try:
            self._restore()
            yield
        finally:
            lock.release()
            self._sibling("lock").unlink(missing_ok=True)

    def holds(self, fingerprint: str) -> bool:
        """Say whether a finished run with this fingerprint stands here."""
        return self._fingerprint() == fingerprint

    def check_may_write(self, *, force: bool) -> None:
        """Refuse to overwrite what is not ours to overwrite.

        Raises:
            WriteError: If a run stands here and `force` is not given, or something that is no run,
                or a run with files beside its own.
        """
        if not self.path.exists() and not self.path.is_symlink():
            return
        is_folder = self.path.is_dir() and not self.path.is_symlink()
        if is_folder and not any(self.path.iterdir()):
            return
        if not is_folder or self._fingerprint() is None:
            raise WriteError(
                f"{self.path} exists and is not a run of cotdata: it is left as it is",
                fix="choose another folder with --output",
            )
        if strangers := self._strangers():
            named = ", ".join(strangers[:_NAMED]) + (", …" if len(strangers) > _NAMED else "")
            raise WriteError(
                f"{self.path} also holds files that are not the run's: {named}",
                fix="move them out of it, or choose another folder with --output",
            )
        if not force:
            raise WriteError(
                f"{self.path} holds another run",
                fix="replace it with --force, or choose another folder with --output",
            )

    def scratch(self, key: str) -> Path:
        """Return the folder of work in progress; those of other builds are removed."""
        folder = self._sibling(f"partial-{key}")
        for other in self.path.parent.glob(f"{self._sibling('partial-').name}*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        shutil.rmtree(folder / "run", ignore_errors=True)
        return folder

    def publish(self, scratch: Path) -> None:
        """Put the finished run in its place and remove the work in progress."""
        replaced = self._sibling("replaced")
        shutil.rmtree(replaced, ignore_errors=True)
        if self.path.exists():
            self.path.rename(replaced)
        (scratch / "run").rename(self.path)
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)

    def _restore(self) -> None:
        """Undo a replacement that was killed between its two renames."""
        replaced = self._sibling("replaced")
        if replaced.exists() and not self.path.exists():
            replaced.rename(self.path)

    def _strangers(self) -> list[str]:
        """Return the files in the folder that its manifest does not name."""
        outputs = self._manifest().get("outputs")
        named = {output.get("path") for output in outputs} if isinstance(outputs, list) else set()
        found = (path for path in self.path.rglob("*") if not path.is_dir() or path.is_symlink())
        names = {path.relative_to(self.path).as_posix() for path in found}
        return sorted(names - named - UNHASHED)

    def _fingerprint(self) -> str | None:
        found = self._manifest().get("fingerprint")
        return found if isinstance(found, str) else None

    def _manifest(self) -> dict[str, Any]:
        try:
            manifest = orjson.loads((self.path / MANIFEST_NAME).read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return {}
        return manifest if isinstance(manifest, dict) else {}

    def _sibling(self, what: str) -> Path:
        return self.path.parent / f".{self.path.name}.{what}"
