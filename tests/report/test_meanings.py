"""Reasons in words."""

import pytest

from cotdata.report.meanings import note_words, source_meaning, stage_meaning
from cotdata.sources.adapters import ADAPTER_REASONS
from cotdata.sources.records import READER_REASONS
from cotdata.stages.exact_dedup import ExactDedup
from cotdata.stages.length import Length
from cotdata.stages.mix import Mix


@pytest.mark.parametrize("reason", [*READER_REASONS, *ADAPTER_REASONS, "invalid_row"])
def test_every_reason_of_a_source_has_a_meaning(reason: str) -> None:
    meaning = source_meaning(reason)
    assert meaning.endswith(".")
    assert "Evidence" not in meaning


@pytest.mark.parametrize("stage", [ExactDedup, Length, Mix])
def test_every_reason_of_a_stage_has_a_meaning(stage: type[ExactDedup | Length | Mix]) -> None:
    for reason in stage.reasons:
        meaning = stage_meaning(stage.model_fields["kind"].default, reason)
        assert meaning
        assert stage.reasons[reason].startswith(meaning)
        assert "Evidence" not in meaning


def test_a_plugins_reason_has_none() -> None:
    assert stage_meaning("plugin", "too_dull") == ""
    assert stage_meaning("length", "too_dull") == ""


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("blank_lines", "blank lines"),
        ("utf16_decoded", "files read as utf-16"),
        ("latin_1_decoded", "files read as latin-1"),
        ("without_value_not_measured", "no value to measure, kept"),
        ("Question: mojibake", "Question: mojibake"),
        ("a_plugins_note", "a_plugins_note"),
    ],
)
def test_notes_are_shown_in_words(note: str, words: str) -> None:
    assert note_words(note) == words
