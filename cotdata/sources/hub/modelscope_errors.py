"""Says in the recipe's words why a data set of ModelScope cannot be read, and what to do."""

from cotdata.errors import SourceError
from cotdata.sources.hub.errors import (
    LOCAL_COPY,
    chain_of,
    files_error,
    said,
    unreadable,
)

_PAGE = "https://modelscope.cn/datasets/"


def explain_modelscope_error(error: Exception, dataset_id: str, branch: str) -> SourceError:
    """Return what `modelscope` or `datasets` raised as an error of ours."""
    chain = list(chain_of(error))
    for cause in chain:
        found = _hub(cause, dataset_id, branch) or files_error(cause, dataset_id)
        if found is not None:
            return found
    return unreadable(dataset_id, chain)


def _hub(error: BaseException, dataset_id: str, branch: str) -> SourceError | None:
    # By name: the classes moved between versions of the package.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    if "NotExistError" in kinds or status == 404:
        return SourceError(
            f"ModelScope has no data set `{dataset_id}` with revision `{branch}`, or it is private",
            fix=f"check {_PAGE}{dataset_id}; if it is private, set MODELSCOPE_API_TOKEN",
        )
    if kinds & {"AuthenticationError", "PermissionDeniedError"} or status in {401, 403}:
        return SourceError(
            f"`{dataset_id}`: ModelScope refuses access",
            fix=f"ask for access at {_PAGE}{dataset_id}, and set MODELSCOPE_API_TOKEN",
        )
    if kinds & {"NetworkError", "ConnectionError", "TimeoutError", "ServerError"} or (
        isinstance(status, int) and (status >= 500 or status == 429)
    ):
        return SourceError(
            f"`{dataset_id}`: ModelScope cannot be reached ({said(error)})",
            fix=f"check the network, or {LOCAL_COPY}",
        )
    return None
