import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cotdata.sources.adapters.yaml_scalar import yaml_scalar


@given(st.text())
def test_reads_back_in_block_and_flow_style_and_fits_on_a_line(text: str) -> None:
    written = yaml_scalar(text)
    assert yaml.safe_load(f"a: {written}\n") == {"a": text}
    assert yaml.safe_load("{a: " + written + ", b: 1}") == {"a": text, "b": 1}
    assert written.isprintable()
    written.encode()


@pytest.mark.parametrize("text", ["yes", "null", "1", "1e3", "~", "-", "a: b", "# x", "0x1f", ""])
def test_quotes_what_yaml_would_misread(text: str) -> None:
    assert yaml_scalar(text).startswith('"')


def test_leaves_plain_words_plain_and_letters_readable() -> None:
    assert yaml_scalar("data/notes.jsonl") == "data/notes.jsonl"
    assert yaml_scalar("问题 一") == '"问题 一"'


def test_long_text_stays_on_one_line() -> None:
    assert "\n" not in yaml_scalar("word and " * 500)
