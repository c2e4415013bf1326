"""Renders the report: one HTML file without script, fonts or requests, the same everywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from cotdata.manifest import Manifest, StageRecord
from cotdata.render.view import RowView
from cotdata.report.evidence import read_evidence
from cotdata.report.examples import ExampleRow, Examples, source_label, stage_labels_of
from cotdata.report.funnel import funnel
from cotdata.report.lengths import HEIGHT, WIDTH, bin_table, histograms
from cotdata.report.meanings import note_words, source_meaning, stage_meaning
from cotdata.report.proof import proof
from cotdata.report.rendered import shown_rows
from cotdata.report.shares import language_groups, source_groups, split_shares
from cotdata.report.text import Excerpt, label, share
from cotdata.report.token_lengths import token_lengths

SHORT_HASH: Final = 12
RECIPE_CHARS: Final = 40_000
#: One text in a recipe; a column mapping's template may be long.
SETTING_CHARS: Final = 4_000
_BREAK: Final = Markup('<i class="break">↵</i>\n')


@dataclass(frozen=True)
class Reason:
    """Why some rows were rejected, with rows to look at."""

    name: str
    meaning: str
    rows: int
    examples: Sequence[ExampleRow]
    #: Its rows by source, where the run has several and a stage rejected them.
    sources: Mapping[str, int]


@dataclass(frozen=True)
class StepReasons:
    """One source or stage that rejected rows, its most frequent reason first."""

    label: str
    rejected: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Note:
    """Something that a source or a stage changed or passed over."""

    step: str
    what: str
    count: int


def render_report(manifest: Manifest, examples: Examples, rendered: Sequence[RowView] = ()) -> str:
    """Return the report of a run as HTML that needs nothing else.

    Every text is escaped; hidden characters are shown as code points; long texts are cut and say
    how long they are.

    Args:
        manifest: What the run did.
        examples: Rows to look at.
        rendered: Rows to look at as they are trained (`collect_rendered`), of a rendered run.
    """
    labels = stage_labels_of(manifest.stages)
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            manifest=manifest,
            result=result_sentence(manifest),
            read=sum(source.read for source in manifest.sources),
            available=sum(source.available for source in manifest.sources),
            funnel=funnel(manifest),
            stages=list(zip(labels, manifest.stages, strict=True)),
            steps=_reasons(manifest, labels, examples),
            histograms=histograms(manifest),
            bins=bin_table(manifest),
            chart={"width": WIDTH, "height": HEIGHT},
            sources=source_groups(manifest),
            languages=language_groups(manifest),
            splits=split_shares(manifest),
            notes=_notes(manifest, labels),
            proof=proof(manifest),
            token_lengths=token_lengths(manifest),
            rendered=shown_rows(rendered),
            kept=examples.kept,
            recipe=_yaml(manifest.model_dump(mode="json", include={"recipe"})["recipe"]),
            overrides=_yaml(manifest.overrides) if manifest.overrides else None,
        )
    )


def result_sentence(manifest: Manifest) -> str:
    """Return what came of the run, in one sentence."""
    read = sum(source.read for source in manifest.sources)
    made = sum(stage.made for stage in manifest.stages)
    kept = f"{manifest.after.rows - made:,} of {read:,} rows kept"
    if made:
        kept += f", {made:,} more made of them"
    splits = ", ".join(f"{name} {split.rows:,}" for name, split in manifest.splits.items())
    rejected = "none rejected"
    if manifest.rejected:
        rejected = f"{manifest.rejected:,} rejected, each with its reason"
    return f"{kept}: {splits}; {rejected}" if splits else f"{kept}; {rejected}"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cotdata.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["short"] = lambda digest: digest[:SHORT_HASH]
    environment.filters["evidence"] = read_evidence
    environment.filters["excerpt"] = Excerpt.of
    environment.filters["breaks"] = _breaks
    environment.globals["share"] = share
    return environment


def _breaks(text: Excerpt) -> Markup:
    """Return a text, escaped, with a mark wherever a line ends: a model sees those too."""
    return escape(str(text)).replace("\n", _BREAK)


def _shown(value: object) -> Markup | str:
    """Pass every value that a template prints through `text`, before it is escaped."""
    if isinstance(value, Markup):
        return value
    return str(value) if isinstance(value, Excerpt) else label(str(value))


def _reasons(manifest: Manifest, labels: Sequence[str], examples: Examples) -> list[StepReasons]:
    steps = [
        _step(
            source_label(source.name),
            source.reasons,
            {reason: source_meaning(reason) for reason in source.reasons},
            examples,
        )
        for source in manifest.sources
    ]
    steps += [
        _step(
            name,
            stage.reasons,
            _stage_meanings(stage),
            examples,
            has_sources=len(manifest.sources) > 1,
        )
        for name, stage in zip(labels, manifest.stages, strict=True)
    ]
    return [step for step in steps if step.reasons]


def _stage_meanings(stage: StageRecord) -> dict[str, str]:
    return {reason: stage_meaning(stage.kind, reason) for reason in stage.reasons}


def _step(
    name: str,
    counts: dict[str, int],
    meanings: dict[str, str],
    examples: Examples,
    *,
    has_sources: bool = False,
) -> StepReasons:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    reasons = tuple(
        Reason(
            reason,
            meanings[reason],
            rows,
            examples.rejected.get((name, reason), ()),
            examples.sources.get((name, reason), {}) if has_sources else {},
        )
        for reason, rows in ordered
    )
    return StepReasons(name, sum(counts.values()), reasons)


def _notes(manifest: Manifest, labels: Sequence[str]) -> list[Note]:
    steps: list[tuple[str, dict[str, int]]] = [
        (source_label(source.name), source.notes) for source in manifest.sources
    ]
    steps += [(name, stage.notes) for name, stage in zip(labels, manifest.stages, strict=True)]
    return [
        Note(name, note_words(what), count)
        for name, notes in steps
        for what, count in notes.items()
    ]


def _yaml(settings: dict[str, Any]) -> Excerpt:
    text = yaml.safe_dump(_cut(settings), sort_keys=False, allow_unicode=True, width=88)
    return Excerpt.of(text, RECIPE_CHARS)


def _cut(value: Any) -> Any:  # noqa: ANN401 - whatever a recipe may hold
    """Cut long texts before YAML writes them, which takes seconds for a few million characters."""
    match value:
        case str():
            return str(Excerpt.of(value, SETTING_CHARS))
        case dict():
            return {_cut(key): _cut(part) for key, part in value.items()}
        case list():
            return [_cut(part) for part in value]
        case _:
            return value
