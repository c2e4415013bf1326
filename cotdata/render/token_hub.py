"""Fetches a model's tokenizer from the Hugging Face Hub, at one commit.

The access token is the one that `huggingface_hub` finds (`HF_TOKEN`, or a login); the cache is its
own; `HF_HUB_OFFLINE` and `HF_ENDPOINT` mean what they mean there.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from cotdata.errors import CotdataError, RenderError
from cotdata.render.token_hub_names import COMMIT, PATTERNS, WAY_OUT, HubModel

_TIMEOUT_S: Final = 60.0
_MAX_SAID_CHARS: Final = 300
# What must not reach a log: access tokens, and the signatures in a download address.
_SECRET = re.compile(r"\b(?:hf|api_org|ms)[_-][A-Za-z0-9-]{8,}|\?[^\s'\")]*=[^\s'\")]*")


def fetch_from_hub(model: HubModel) -> tuple[Path, str]:
    """Return the folder in the Hub's cache with a model's files, and their commit.

    With `HF_HUB_OFFLINE` a branch is what the cache last saw of it. Otherwise only a full commit
    is taken from the cache when the Hub does not answer: a branch may have moved.

    Raises:
        RenderError: If the model or its revision does not exist or cannot be accessed, or if the
            Hub cannot be reached and the cache does not hold it.
    """
    from huggingface_hub import constants

    with _edge(model):
        if constants.HF_HUB_OFFLINE:
            folder = _snapshot(model, model.revision, is_local=True)
        else:
            folder = _online(model)
    return folder, folder.name


def said(error: BaseException) -> str:
    """Return an error's kind and what it says, on one line and without anything secret in it."""
    text = _SECRET.sub("…", " ".join(str(error).split()))
    name = type(error).__name__
    return f"{name}: {text[:_MAX_SAID_CHARS].strip()}" if text else name


@contextmanager
def quiet(*loggers: str) -> Iterator[None]:
    """Turn a package's log lines off: what goes wrong reaches the user as an error of ours."""
    found = [logging.getLogger(name) for name in loggers]
    levels = [logger.level for logger in found]
    for logger in found:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(found, levels, strict=True):
            logger.setLevel(level)


def _online(model: HubModel) -> Path:
    from huggingface_hub import HfApi

    if model.revision is not None and COMMIT.fullmatch(model.revision):
        with suppress(Exception):
            return _snapshot(model, model.revision, is_local=True)
        return _snapshot(model, model.revision)
    info = HfApi().model_info(model.model_id, revision=model.revision, timeout=_TIMEOUT_S)
    if info.sha is None:
        raise RenderError(f"`{model.model_id}`: the Hub names no commit")
    return _snapshot(model, str(info.sha))


def _snapshot(model: HubModel, revision: str | None, *, is_local: bool = False) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            model.model_id,
            revision=revision,
            allow_patterns=list(PATTERNS),
            local_files_only=is_local,
        )
    )


@contextmanager
def _edge(model: HubModel) -> Iterator[None]:
    try:
        with quiet("huggingface_hub"), _no_bars():
            yield
    except CotdataError:
        raise
    except Exception as error:
        raise _explained(error, model) from error


@contextmanager
def _no_bars() -> Iterator[None]:
    from huggingface_hub import constants
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    # Whoever set the package's own variable for progress bars keeps what it says.
    if constants.HF_HUB_DISABLE_PROGRESS_BARS is not None or are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


def _explained(error: Exception, model: HubModel) -> RenderError:
    for cause in _chain(error):
        found = _answered(cause, model)
        if found is not None:
            return found
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        at = f" at revision `{model.revision}`" if model.revision else ""
        return RenderError(
            f"`{model.model_id}`: offline (HF_HUB_OFFLINE), and the cache of the Hub does not hold "
            f"its tokenizer{at}",
            fix=f"fetch it once while online, or {WAY_OUT}",
        )
    return RenderError(
        f"`{model.model_id}`: the Hugging Face Hub cannot be reached ({said(error)})",
        fix=f"check the network, or {WAY_OUT}",
    )


def _answered(error: BaseException, model: HubModel) -> RenderError | None:
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    name = model.model_id
    match error:
        case GatedRepoError():
            return RenderError(
                f"`{name}` is gated: its owner's conditions must be accepted first",
                fix=f"ask for access at https://huggingface.co/{name} and set HF_TOKEN to a token "
                f"of that account, or {WAY_OUT}",
            )
        case RevisionNotFoundError():
            return RenderError(
                f"`{name}` has no revision `{model.revision}`",
                fix="name a branch, a tag or a full commit, or leave `render.revision` out",
            )
        case RepositoryNotFoundError():
            return RenderError(
                f"the Hub has no model `{name}`, or it is private",
                fix="check its name, and that a folder meant by it is there; if it is private, set "
                f"HF_TOKEN to a token that may read it; or {WAY_OUT}",
            )
        case HfHubHTTPError() if error.response is not None:
            return _status(name, error.response.status_code)
        case _:
            return None


def _status(name: str, status: int) -> RenderError | None:
    if status in {401, 403}:
        return RenderError(
            f"`{name}`: the Hub refuses the access token (HTTP {status})",
            fix=f"set HF_TOKEN to a valid token that may read this model, or {WAY_OUT}",
        )
    if status == 429:
        return RenderError(
            f"`{name}`: the Hub refuses more requests for now (HTTP 429)",
            fix=f"wait some minutes, set HF_TOKEN for a higher limit, or {WAY_OUT}",
        )
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Return an error and what led to it, outermost first."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__
