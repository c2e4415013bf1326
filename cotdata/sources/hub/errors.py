"""Says in the recipe's words why a hub's data set cannot be read, and what to do about it."""

import re
from collections.abc import Iterator
from typing import Final

from cotdata.errors import SourceError

LOCAL_COPY: Final = "use a local copy (`--source NAME=PATH`), or try the build with `--sample`"
_MAX_SAID_CHARS: Final = 300
# What must not reach a log: access tokens, and the signatures in a download address.
_SECRET = re.compile(r"\b(?:hf|api_org|ms)[_-][A-Za-z0-9-]{8,}|\?[^\s'\")]*=[^\s'\")]*")


def explain_hub_error(error: Exception, dataset_id: str, revision: str | None) -> SourceError:
    """Return what `huggingface_hub` or `datasets` raised as an error of ours."""
    chain = list(chain_of(error))
    for cause in chain:
        found = _http(cause, dataset_id, revision) or _dataset(cause, dataset_id, revision)
        if found is not None:
            return found
    if any(is_network_error(cause) for cause in chain):
        return unreachable("the Hugging Face Hub", dataset_id, said(error))
    return unreadable(dataset_id, chain)


def unreachable(hub: str, dataset_id: str, why: str) -> SourceError:
    """Return the error for a hub that does not answer."""
    return SourceError(
        f"`{dataset_id}`: {hub} cannot be reached ({why})",
        fix=f"check the network and HF_HUB_OFFLINE, or {LOCAL_COPY}",
    )


def unreadable(dataset_id: str, chain: list[BaseException]) -> SourceError:
    """Return the error for what no rule here knows; the innermost cause says most."""
    innermost = next((cause for cause in reversed(chain) if str(cause)), chain[0])
    return SourceError(
        f"`{dataset_id}` cannot be read: {said(innermost)}",
        fix=f"check that the data set viewer on its page shows it, or {LOCAL_COPY}",
    )


def files_error(error: BaseException, dataset_id: str) -> SourceError | None:
    """Return the error for files of which `datasets` makes no data set."""
    from datasets.exceptions import DataFilesNotFoundError

    if isinstance(error, RuntimeError) and "scripts are no longer supported" in str(error):
        return SourceError(
            f"`{dataset_id}` is made by a loading script, which is not run",
            fix="on the Hugging Face Hub, read its conversion (`revision: refs/convert/parquet`) "
            f"if there is one; else {LOCAL_COPY}",
        )
    if isinstance(error, DataFilesNotFoundError) or type(error).__name__ == "EmptyDatasetError":
        return SourceError(
            f"`{dataset_id}` has no data files that `datasets` knows",
            fix=f"check the files on its page and `revision`, or {LOCAL_COPY}",
        )
    return None


def is_network_error(error: BaseException) -> bool:
    """Say whether a connection failed, as opposed to an answer that says no."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    if isinstance(error, ConnectionError | TimeoutError | LocalEntryNotFoundError):
        return True
    # By name: which of httpx and httpx2 it comes from depends on the version of huggingface_hub.
    kinds = ((kind.__module__, kind.__name__) for kind in type(error).__mro__)
    return any(module.startswith("httpx") and name == "TransportError" for module, name in kinds)


def said(error: BaseException) -> str:
    """Return an error's kind and what it says, on one line and without anything secret in it."""
    text = _SECRET.sub("…", " ".join(str(error).split()))
    name = type(error).__name__
    return f"{name}: {text[:_MAX_SAID_CHARS].strip()}" if text else name


def _http(error: BaseException, dataset_id: str, revision: str | None) -> SourceError | None:
    from huggingface_hub.errors import (
        DisabledRepoError,
        GatedRepoError,
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    match error:
        case GatedRepoError():
            return _gated(dataset_id)
        case RevisionNotFoundError():
            return _no_revision(dataset_id, revision)
        case RepositoryNotFoundError():
            return _not_found(dataset_id)
        case DisabledRepoError():
            return SourceError(f"`{dataset_id}` is disabled on the Hub", fix=LOCAL_COPY)
        case HfHubHTTPError() if error.response is not None:
            return _status(dataset_id, error.response.status_code)
        case _:
            return None


def _status(dataset_id: str, status: int) -> SourceError | None:
    if status in {401, 403}:
        return SourceError(
            f"`{dataset_id}`: the Hub refuses the access token (HTTP {status})",
            fix="set HF_TOKEN to a valid token that may read this data set",
        )
    if status == 429:
        return SourceError(
            f"`{dataset_id}`: the Hub refuses more requests for now (HTTP 429)",
            fix=f"wait some minutes, set HF_TOKEN for a higher limit, or {LOCAL_COPY}",
        )
    if status >= 500:
        return unreachable("the Hugging Face Hub", dataset_id, f"HTTP {status}")
    return None


def _dataset(error: BaseException, dataset_id: str, revision: str | None) -> SourceError | None:
    from datasets.exceptions import DatasetNotFoundError

    text = str(error)
    if isinstance(error, DatasetNotFoundError):
        if text.startswith("Revision "):
            return _no_revision(dataset_id, revision)
        return _gated(dataset_id) if "is a gated dataset" in text else _not_found(dataset_id)
    return files_error(error, dataset_id)


def _no_revision(dataset_id: str, revision: str | None) -> SourceError:
    return SourceError(
        f"`{dataset_id}` has no revision `{revision}`",
        fix="name a branch, a tag or a full commit, or leave `revision` out",
    )


def _gated(dataset_id: str) -> SourceError:
    return SourceError(
        f"`{dataset_id}` is gated: its owner's conditions must be accepted first",
        fix=f"ask for access at https://huggingface.co/datasets/{dataset_id}, then set HF_TOKEN to "
        "a token of that account",
    )


def _not_found(dataset_id: str) -> SourceError:
    return SourceError(
        f"the Hub has no data set `{dataset_id}`, or it is private",
        fix="check its name; if it is private, set HF_TOKEN to a token that may read it",
    )


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """Return an error and what led to it, outermost first."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__
