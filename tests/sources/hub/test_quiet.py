import logging

import datasets
import pytest
from huggingface_hub.utils.tqdm import are_progress_bars_disabled

from cotdata.sources.hub.errors import said
from cotdata.sources.hub.quiet import quiet_hub


def bars() -> tuple[bool, bool]:
    return datasets.are_progress_bars_disabled(), are_progress_bars_disabled()


def test_bars_and_log_lines_are_off_inside_and_as_before_outside() -> None:
    logger = logging.getLogger("datasets")
    before = (bars(), logger.level)
    with quiet_hub():
        assert bars() == (True, True)
        assert not logger.isEnabledFor(logging.ERROR)
    assert (bars(), logger.level) == before


def test_bars_that_were_off_stay_off() -> None:
    datasets.disable_progress_bars()
    try:
        with quiet_hub():
            pass
        assert datasets.are_progress_bars_disabled()
    finally:
        datasets.enable_progress_bars()


def test_settings_come_back_after_an_error() -> None:
    before = bars()
    with pytest.raises(ZeroDivisionError), quiet_hub():
        raise ZeroDivisionError
    assert bars() == before


@pytest.mark.parametrize(
    "secret", ["hf_AbCdEfGhIjKlMnOp", "https://h/f?X-Amz-Signature=abc&Expires=1"]
)
def test_an_error_is_quoted_without_its_secrets(secret: str) -> None:
    quoted = said(ValueError(f"cannot read {secret}\n for   good"))
    assert quoted.startswith("ValueError: cannot read ")
    assert quoted.endswith("… for good")
    assert secret not in quoted
    assert "abc" not in quoted
