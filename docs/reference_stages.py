"""Writes the pages about the stages from their configs."""

import inspect
from collections.abc import Mapping
from typing import Final, get_args

from reference_tables import member_comments, paragraphs, reasons_table, settings_table, table

from cotdata.render.proof import CHECKS, REASONS
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
#: What rendering counts besides its rejects.
RENDER_NOTES: Final[Mapping[str, str]] = {
    "boundary_merge": "Rows whose prompt and completion would be other tokens if they were encoded "
    "as one text; they stay as a server makes them.",
    "blanks trimmed: <column>": "Texts whose blanks at the ends the template strips.",
    "control tokens broken up": "Rows with `control_tokens: neutralize` whose text had one.",
    "written without reasoning": "Rows without `Complex_CoT`, in the model's form for them.",
    "template leaves out: <part>": "Rows of which the template does not write a part that they "
    "have, such as a system prompt.",
    "rendered by the template": "Rows whose prompt the template wrote itself, since no segments of "
    "it are known for such conversations.",
    "encoded without the fast library, which differed on a sample": "Rows for which `gigatoken` "
    "gave other ids than `tokenizers` on a sample; the latter's are taken.",
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
        "follows from the sources' `weight`, `max_rows` and `repeat`, and runs after them. Nor is "
        "[`render`](render.md), which runs last.\n\n"
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


def rendering_page() -> str:
    """Return the page about the last step of a recipe that has a section `render`."""
    checks = [[f"`{check}`", meaning] for check, meaning in CHECKS.items()]
    notes = [[f"`{note}`", what] for note, what in RENDER_NOTES.items()]
    return "\n".join(
        [
            "# render\n",
            "Not listed under `stages`: a recipe's [section `render`](../recipe.md#render), or "
            "`cotdata render`, makes it. It runs last, on each row that is left, and stands in the "
            "manifest as a stage; where `cotdata render` made a run of a rendered one, the second "
            "is its own (`render#2`).\n",
            f"- Scope: {_SCOPES['row']}",
            "- Adds: the columns of [rendered rows](../row.md#rendered-rows).\n",
            "## Checks\n",
            "Each kept row passed all of them. One row in 64, or with `proof: full` every one, was "
            "also compared with the chat template's own render.\n",
            table(["check", "what holds"], checks),
            "## Reasons\n",
            reasons_table(REASONS),
            "## Notes\n",
            table(["note", "what is counted"], notes),
        ]
    )


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
