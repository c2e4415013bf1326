"""The edge to the hubs' packages: quiet, and with errors of ours for theirs."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from cotdata.errors import CotdataError

_LOGGERS: Final = ("datasets", "huggingface_hub", "modelscope", "modelscope_hub")


@contextmanager
def hub_edge(explain: Callable[[Exception], CotdataError]) -> Iterator[None]:
    """Keep the packages quiet, and raise what `explain` makes of their errors."""
    try:
        with quiet_hub():
            yield
    except CotdataError:
        raise
    except Exception as error:
        raise explain(error) from error


@contextmanager
def quiet_hub() -> Iterator[None]:
    """Turn progress bars and log lines off, and back to what they were before.

    Whoever set the packages' own environment variables for progress bars keeps what they say.
    """
    with ExitStack() as stack:
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            # What goes wrong reaches the user as an error of ours.
            logger.setLevel(logging.CRITICAL)
        _stop_bars(stack)
        yield


def _stop_bars(stack: ExitStack) -> None:
    import datasets
    from huggingface_hub import constants
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    # Only where they are on: of two threads in here, the one that turned them off restores them.
    asked = datasets.config.HF_DATASETS_DISABLE_PROGRESS_BARS
    if asked is None and not datasets.are_progress_bars_disabled():
        datasets.disable_progress_bars()
        stack.callback(datasets.enable_progress_bars)
    if constants.HF_HUB_DISABLE_PROGRESS_BARS is None and not are_progress_bars_disabled():
        disable_progress_bars()
        stack.callback(enable_progress_bars)
