"""Fetches the files of a ModelScope data set, and checks that they are what was listed."""

import hashlib
import io
import os
import shutil
import tempfile
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from cotdata.errors import SourceError

_PAGE_FILES: Final = 200
# ModelScope's word for a data set that is a repository of files. The older kinds keep their files
# elsewhere, and have a JSON file that names them and must not be read as records.
_GENERAL: Final = "4"


@dataclass(frozen=True)
class HubFile:
    """One file of a data set as ModelScope lists it."""

    path: str
    bytes: int
    #: Empty where ModelScope lists none.
    sha256: str


def list_files(dataset_id: str, branch: str) -> list[HubFile]:
    """Return all files of a data set.

    Raises:
        SourceError: If the package `modelscope` is missing, or the data set is of an old kind.
    """
    api = _package("modelscope.hub.api").HubApi()
    owner, name = dataset_id.split("/")
    _, kind = api.get_dataset_id_and_type(dataset_name=name, namespace=owner)
    if str(kind) != _GENERAL:
        raise SourceError(
            f"`{dataset_id}` is of an old kind (type {kind}): its repository lacks its files",
            fix="download it from its page, and use that copy (`--source NAME=PATH`)",
        )
    found: list[dict[str, Any]] = []
    page = 1
    while len(found) == (page - 1) * _PAGE_FILES:
        found += api.get_dataset_files(
            dataset_id,
            revision=branch,
            root_path="/",
            recursive=True,
            page_number=page,
            page_size=_PAGE_FILES,
        )
        page += 1
    return [
        HubFile(str(entry["Path"]), int(entry["Size"]), str(entry.get("Sha256") or ""))
        for entry in found
        if entry["Type"] != "tree"
    ]


def snapshot_folder(dataset_id: str, digest: str) -> Path:
    """Return where a state of a data set lies: complete and checked, or not at all."""
    root = os.environ.get("MODELSCOPE_CACHE") or "~/.cache/modelscope"
    owner, name = dataset_id.split("/")
    # The last part is what `datasets` takes for the data set's name.
    return Path(root).expanduser() / "cotdata" / owner / name / digest / name


def fetch_files(dataset_id: str, branch: str, files: list[HubFile], folder: Path) -> None:
    """Fetch the files into a folder that appears when all of them are there and checked.

    Raises:
        SourceError: If a file is missing, or other than it was listed.
    """
    download = _package("modelscope.hub.snapshot_download").dataset_snapshot_download
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix="part-"))
    try:
        # Its progress bars know no other way to be turned off.
        with redirect_stderr(io.StringIO()):
            download(dataset_id, revision=branch, local_dir=str(part / "files"))
        complete = part / "complete"
        for file in files:
            _take(file, part / "files", complete, dataset_id)
        if not folder.is_dir():
            complete.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _take(file: HubFile, fetched: Path, complete: Path, dataset_id: str) -> None:
    """Move a file to the checked ones, and so leave behind whatever was not listed."""
    inside = PurePosixPath(file.path)
    if inside.is_absolute() or ".." in inside.parts:
        raise SourceError(f"`{dataset_id}` has a file outside of its folder: `{file.path}`")
    source, target = fetched / inside, complete / inside
    is_there = source.is_file() and source.stat().st_size == file.bytes
    if not is_there or (file.sha256 and _sha256(source) != file.sha256):
        raise SourceError(
            f"`{dataset_id}`: `{file.path}` is not what ModelScope listed",
            fix="the data set changed while it was fetched, or the transfer broke: try again",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _package(module: str) -> Any:  # noqa: ANN401
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise SourceError(
            f"a modelscope:// source needs the package `modelscope` ({error})",
            fix="pip install 'cotdata[modelscope]'",
        ) from error
