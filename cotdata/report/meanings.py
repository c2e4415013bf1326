"""Says in words what a reason means, from the place that defines it."""

from collections.abc import Iterator, Mapping
from typing import Final, get_args

from cotdata.render.proof import REASONS as RENDER_REASONS
from cotdata.sources.adapters import ADAPTER_REASONS
from cotdata.sources.notes import note_words as source_note_words
from cotdata.sources.records import READER_REASONS
from cotdata.stages import DatasetStage, RowStage
from cotdata.stages.base import StageConfig
from cotdata.stages.mix import Mix

#: Notes of stages that are no words yet.
_STAGE_NOTES: Final = {"without_value_not_measured": "no value to measure, kept"}
_CONTRACT: Final = {"invalid_row": "The record breaks the row contract."}


def source_meaning(reason: str) -> str:
    """Return what a source's reason means; empty if nobody says."""
    return _sentence({**READER_REASONS, **ADAPTER_REASONS, **_CONTRACT}, reason)


def stage_meaning(kind: str, reason: str) -> str:
    """Return what a stage's reason means; empty for a plugin's, which may not be installed."""
    meanings = {stage.model_fields["kind"].default: stage.reasons for stage in _stages()}
    return _sentence({**meanings, "render": RENDER_REASONS}.get(kind, {}), reason)


def note_words(name: str) -> str:
    """Return in words what a note counts; a plugin's is left as it is."""
    return _STAGE_NOTES.get(name) or source_note_words(name)


def _stages() -> Iterator[type[StageConfig]]:
    yield from (*get_args(RowStage), *get_args(DatasetStage), Mix)


def _sentence(meanings: Mapping[str, str], reason: str) -> str:
    """Leave out what the evidence holds: the examples show it."""
    return meanings.get(reason, "").split(" Evidence:")[0]
