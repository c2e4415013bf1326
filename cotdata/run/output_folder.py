"""A run's folder appears whole or not at all, and another run's is never overwritten unasked."""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from filelock import Timeout
from pydantic import ValidationError

from cotdata.errors import WriteError
from cotdata.manifest import MANIFEST_NAME, UNHASHED, Manifest
from cotdata.run.checkpoints import cache_lock, content_key

_NAMED: Final = 5


@dataclass(frozen=True)
class OutputFolder:
    """The folder that a build fills, and its hidden siblings while it does."""

    path: Path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second build away from this folder.

        Raises:
            WriteError: If one is running, the folder's parent cannot be written, or its path is no
                text, which neither polars nor DuckDB could open.
        """
        self._check_is_text()
        parent = self._place.parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
            if not os.access(parent, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise WriteError(
                f"{parent} cannot be written: {error.strerror}",
                fix="choose another folder with --output",
            ) from error
        try:
            # The lock lies in the cache, so that nothing of it is left beside the run.
            with cache_lock(f"output-{content_key(os.fsencode(self._place).hex())}", None):
                self._restore()
                yield
        except Timeout as error:
            raise WriteError(
                f"another build is writing {self.path}",
                fix="wait for it, or choose another folder with --output",
            ) from error

    def _check_is_text(self) -> None:
        try:
            os.fspath(self._place).encode()
        except UnicodeEncodeError as error:
            raise WriteError(
                f"the path {self._place} holds bytes that are not UTF-8, and what reads parquet "
                "files could not open it",
                fix="choose another folder with --output",
            ) from error

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
        if self._place == Path.cwd() or self.path.is_mount():
            what = "the folder that you are in" if self._place == Path.cwd() else "a mount point"
            raise WriteError(
                f"{self.path} is {what}: a run's folder is put in its place whole, when it is done",
                fix=f"choose a folder in it: --output {self.path / 'run'}",
            )
        is_folder = self.path.is_dir() and not self.path.is_symlink()
        if is_folder and not any(self.path.iterdir()):
            return
        if not is_folder or not self._is_run():
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
        """Return the folder of work in progress; those of other builds are removed.

        Raises:
            WriteError: If none can be made.
        """
        folder = self._sibling(f"partial-{key}")
        prefix = self._sibling("partial-").name
        for other in folder.parent.iterdir():
            if other.name.startswith(prefix) and other != folder:
                shutil.rmtree(other, ignore_errors=True)
        try:
            folder.mkdir(exist_ok=True)
        except FileNotFoundError as error:  # what /proc answers
            raise WriteError(
                f"no folder can be made in {folder.parent}",
                fix="choose another folder with --output",
            ) from error
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

    def check_inputs(self, inputs: Iterable[Path]) -> None:
        """Refuse to build over what the build reads.

        Raises:
            WriteError: If one of these files lies in the folder, or would once it is filled.
        """
        place = self.path.resolve()
        for path in inputs:
            if path.resolve().is_relative_to(place):
                raise WriteError(
                    f"{path} is read by this build and lies in its output folder {self.path}",
                    fix="choose another folder with --output",
                )

    def check_folders(self, folders: Iterable[Path]) -> None:
        """Refuse to build into a folder that is read whole: the next build would read this one.

        Raises:
            WriteError: If the output lies beneath one of these folders.
        """
        place = self.path.resolve()
        for folder in folders:
            if place.is_relative_to(folder.resolve()):
                raise WriteError(
                    f"the output folder {self.path} lies in {folder}, which this build reads whole",
                    fix="choose another folder with --output",
                )

    def _is_run(self) -> bool:
        try:
            Manifest.model_validate_json((self.path / MANIFEST_NAME).read_bytes())
        except (OSError, ValidationError):
            return False
        return True

    @property
    def _place(self) -> Path:
        # Not resolved: a link is replaced by name, never followed.
        return Path(os.path.abspath(self.path))  # noqa: PTH100

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
        return self._place.parent / f".{self._place.name}.{what}"
