"""Writes the pages about the stages from their configs."""

import inspect
from collections.abc import Mapping
from typing import Final, get_args

from reference_tables import member_comments, paragraphs, reasons_table, settings_table, table

from cotdata.stages import DatasetStage, RowStage
from cotdata.stages.base import StageConfig
from cotdata.stages.mix import Mix, Portion
from cotdata.stages.plugin import StagePlugin

_SCOPES: Final = {
    "row": "row: looks at each row alone.",
    "dataset": "dataset: compares or ranks rows of the whole run.",
}
#: What a stage counts besides its rejects, in the manifest's `notes`.
STAGE_NOTES: Final[Mapping[str, Mapping[str, str]]] = {
    "normalize_text": {
        "<column>: mojibake": "Texts in which mis-read UTF-8 was undone.",
        "<column>: newlines": "Texts in which line ends were rewritten.",
        "<column>: control characters": "Texts that lost control characters.",
        "<column>: zero-width characters": "Texts that lost invisible characters.",
        "<column>: Unicode NFC": "Texts in which characters were composed.",
        "Question: blanks at the ends": "Questions that were stripped again after the repairs.",
    },
    "length": {
        "without_value_not_measured": "Rows that have no value in the column; they are kept.",
    },
    "split": {
        "kept on one side with another question": "Rows that `group_by` joined to a row with "
        "another question.",
    },
}
_PORTION: Final[Mapping[str, str]] = {
    "source": "The source's name.",
    "weight": "The source's `weight`.",
    "max_rows": "The source's `max_rows`.",
    "repeat": "The source's `repeat`.",
    "portions": "One for each source that is not used whole and once.",
    "seed": "The recipe's seed.",
}


def stage_classes() -> list[type[StageConfig]]:
    """Return the stages: those that a recipe lists, then the mixing."""
    return [*get_args(RowStage), *get_args(DatasetStage), Mix]


def stages_page() -> str:
    """Return the page that lists the stages."""
    rows = [
        [f"[`{kind_of(stage)}`]({kind_of(stage)}.md)", stage.scope, _summary(stage)]
        for stage in stage_classes()
    ]
    return (
        "# Stages\n\n"
        "A recipe lists them under `stages`, and they run in that order. `mix` is not listed: it "
        "follows from the sources' `weight`, `max_rows` and `repeat`, and runs last.\n\n"
        + table(["stage", "scope", "what it does"], rows)
    )


def stage_page(stage: type[StageConfig]) -> str:
    """Return the page about one stage."""
    kind = kind_of(stage)
    parts = [f"# {kind}\n", paragraphs(stage), f"- Scope: {_SCOPES[stage.scope]}"]
    parts.append(f"- Version: {stage.version}. It goes into the cache key.")
    parts.append(f"- Adds: {_added(stage)}\n")
    if stage is Mix:
        parts += ["Not listed in a recipe: a source's keys make it.\n"]
        parts += ["## Settings\n", settings_table(stage, skip=("kind",), meanings=_PORTION)]
        parts += ["## Portion\n", settings_table(Portion, meanings=_PORTION)]
    else:
        parts += ["## Settings\n", settings_table(stage, skip=("kind",)) or "None.\n"]
    if stage.reasons:
        parts += ["## Reasons\n", reasons_table(stage.reasons)]
    elif kind != "plugin":
        parts += ["## Reasons\n", "None: it rejects no row.\n"]
    if kind in STAGE_NOTES:
        rows = [[f"`{note}`", what] for note, what in STAGE_NOTES[kind].items()]
        parts += ["## Notes\n", table(["note", "what is counted"], rows)]
    if kind == "plugin":
        rows = [[f"`{name}`", what] for name, what in member_comments(StagePlugin).items()]
        rows.append(["`run(rows, config)`", paragraphs(StagePlugin.run).strip()])
        parts += ["## What a plugin offers\n", paragraphs(StagePlugin)]
        parts.append(table(["member", "meaning"], rows))
        parts.append("Its reasons are those that it declares.\n")
    return "\n".join(parts)


def _added(stage: type[StageConfig]) -> str:
    if stage.__name__ == "Plugin":
        return "what the plugin declares."
    if not stage.adds:
        return "no column."
    columns = ", ".join(f"`{name}` ({dtype})" for name, dtype in stage.adds.items())
    return f"{columns}, for the build alone: it is not written."


def kind_of(stage: type[StageConfig]) -> str:
    """Return how a recipe names a stage."""
    return str(stage.model_fields["kind"].default)


def _summary(stage: type[StageConfig]) -> str:
    module = inspect.getmodule(stage)
    return (inspect.getdoc(module) or "").partition("\n")[0]
