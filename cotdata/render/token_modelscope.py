"""Fetches a model's tokenizer from ModelScope, through its own package.

The access token is the one that the package finds (`MODELSCOPE_API_TOKEN`, or a login). ModelScope
lists no commits of models, so the digest of the files stands in a commit's place.
"""

import hashlib
import io
import os
import re
import shutil
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from cotdata.errors import RenderError
from cotdata.render.token_hub import quiet, said
from cotdata.render.token_hub_names import PATTERNS, WAY_OUT, HubModel

_BRANCH: Final = "master"
#: `<branch>+<digest>`: what a revision is resolved to.
_PINNED: Final = re.compile(r"(.+)\+([0-9a-f]{40})")
_PAGE: Final = "https://modelscope.cn/models/"


def fetch_from_modelscope(model: HubModel) -> tuple[Path, str]:
    """Return the folder with a model's files, and `<branch>+<digest>` as their revision.

    The files are kept below `MODELSCOPE_CACHE`, in `cotdata`: complete, or not at all. A revision
    `<branch>+<digest>` that is there makes no request.

    Raises:
        RenderError: If the package `modelscope` is missing; if the model or its revision does not
            exist, cannot be accessed or has changed since; or if ModelScope cannot be reached.
    """
    pinned = _PINNED.fullmatch(model.revision or "")
    branch = pinned[1] if pinned else model.revision or _BRANCH
    root = _cache() / "cotdata" / "models" / model.model_id
    if pinned and (root / pinned[2]).is_dir():
        return root / pinned[2], pinned[0]
    root.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=root, prefix="part-"))
    try:
        _download(model.model_id, branch, part / "fetched")
        digest = _take(part / "fetched", part / "complete")
        if pinned and digest != pinned[2]:
            raise RenderError(
                f"`{model.model_id}` has changed: `{branch}` is no longer `{model.revision}`",
                fix=f"set `render.revision: {branch}` to take what is there now",
            )
        if not (root / digest).is_dir():
            (part / "complete").rename(root / digest)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return root / digest, f"{branch}+{digest}"


def _cache() -> Path:
    return Path(os.environ.get("MODELSCOPE_CACHE") or "~/.cache/modelscope").expanduser()


def _download(model_id: str, branch: str, folder: Path) -> None:
    download = _package()
    try:
        # Its progress bars know no other way to be turned off.
        with (
            quiet("modelscope", "modelscope_hub"),
            redirect_stderr(io.StringIO()),
            redirect_stdout(io.StringIO()),
        ):
            download(
                model_id, revision=branch, local_dir=str(folder), allow_patterns=list(PATTERNS)
            )
    except Exception as error:
        raise _explained(error, model_id, branch) from error


def _take(fetched: Path, complete: Path) -> str:
    """Move the tokenizer's files to a folder of their own, and return what identifies them.

    It is the SHA-256 of a line `<sha256>  <name>` for each file, as `sha256sum` writes them, in
    order of the names; the first 40 hex digits of it.
    """
    complete.mkdir()
    lines = []
    for path in sorted(fetched.iterdir() if fetched.is_dir() else []):
        if path.is_file() and any(fnmatch(path.name, pattern) for pattern in PATTERNS):
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
            path.rename(complete / path.name)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:40]


def _package() -> Any:  # noqa: ANN401
    from importlib import import_module

    try:
        return import_module("modelscope.hub.snapshot_download").snapshot_download
    except ImportError as error:
        raise RenderError(
            f"a modelscope:// model needs the package `modelscope` ({error})",
            fix=f"pip install 'cotdata[modelscope]', or {WAY_OUT}",
        ) from error


def _explained(error: Exception, model_id: str, branch: str) -> RenderError:
    # By name: the classes moved between versions of the package.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    if "NotExistError" in kinds or status == 404:
        return RenderError(
            f"ModelScope has no model `{model_id}` with revision `{branch}`, or it is private",
            fix=f"check {_PAGE}{model_id}; if it is private, set MODELSCOPE_API_TOKEN; or "
            f"{WAY_OUT}",
        )
    if kinds & {"AuthenticationError", "PermissionDeniedError"} or status in {401, 403}:
        return RenderError(
            f"`{model_id}`: ModelScope refuses access",
            fix=f"ask for access at {_PAGE}{model_id} and set MODELSCOPE_API_TOKEN, or {WAY_OUT}",
        )
    return RenderError(
        f"`{model_id}`: ModelScope cannot be reached ({said(error)})",
        fix=f"check the network, or {WAY_OUT}",
    )
