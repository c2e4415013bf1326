"""What a build did, on one screen: sources, stages, splits, and where the run lies."""

import sys
from collections.abc import Mapping
from typing import Final

import orjson

from cotdata.cli.tables import print_table
from cotdata.cli.terminal import counted, path_text, write_line, write_path, write_text
from cotdata.manifest import Manifest, SourceRecord, StageRecord
from cotdata.report.examples import rejected_by_source, stage_labels_of
from cotdata.report.meanings import note_words
from cotdata.run import Run

REPORT_NAME: Final = "report.html"
_SHOWN_REASONS: Final = 3
_SHOWN_NOTES: Final = 6
_DUPLICATE: Final = "exact_duplicate"


def print_run(run: Run, *, as_json: bool, quiet: bool) -> None:
    """Print a run: to a person a summary, to a program its folder (or JSON) and nothing else."""
    if as_json:
        write_text(_json(run))
        return
    if sys.stdout.isatty() and not quiet:
        _print_summary(run)
    write_path(run.path)
    if sys.stdout.isatty() and not quiet:
        write_path(run.path / REPORT_NAME)


def _json(run: Run) -> bytes:
    manifest = orjson.Fragment(run.manifest.model_dump_json(by_alias=True))
    return orjson.dumps(
        {
            "path": path_text(run.path),
            "report": path_text(run.path / REPORT_NAME),
            "is_new": run.is_new,
            "manifest": manifest,
        }
    )


def _print_summary(run: Run) -> None:
    manifest = run.manifest
    if not run.is_new:
        write_line("This run exists already; every file of it was verified.")
        write_line("")
    if manifest.sample:
        write_line("Sample rows of the package, not real data.")
        write_line("")
    has_made = any(stage.made for stage in manifest.stages)
    columns = ["", ">in", ">made", ">kept", ">rejected", "why"]
    labelled = list(zip(stage_labels_of(manifest.stages), manifest.stages, strict=True))
    steps = [*map(_source, manifest.sources), *(_stage(*pair) for pair in labelled)]
    shown = [place for place, name in enumerate(columns) if has_made or name != ">made"]
    print_table(
        [columns[place] for place in shown], [[step[place] for place in shown] for step in steps]
    )
    notes = [[step.name, _notes(step.notes)] for step in manifest.sources if step.notes]
    notes += [[label, _notes(stage.notes)] for label, stage in labelled if stage.notes]
    if notes:
        write_line("")
        print_table(["", "changed or passed over"], notes)
    write_line("")
    for sentence in _sentences(run):
        write_line(sentence)
    write_line("")


def _source(source: SourceRecord) -> list[str]:
    name, why = f"read {source.name}", _top(source.reasons)
    return [name, f"{source.read:,}", "", f"{source.kept:,}", _count(source.rejected), why]


def _stage(label: str, stage: StageRecord) -> list[str]:
    rows_in, kept, why = f"{stage.rows_in:,}", f"{stage.kept:,}", _top(stage.reasons)
    return [label, rows_in, _count(stage.made), kept, _count(stage.rejected), why]


def _count(count: int) -> str:
    return f"{count:,}" if count else "·"


def _notes(notes: Mapping[str, int]) -> str:
    return _top({note_words(name): count for name, count in notes.items()}, _SHOWN_NOTES)


def _top(counts: Mapping[str, int], most: int = _SHOWN_REASONS) -> str:
    """Return the most frequent, and how many more there are."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{name} {count:,}" for name, count in ordered[:most])
    more = len(ordered) - most
    return f"{shown} and {more} more" if more > 0 else shown


def _sentences(run: Run) -> list[str]:
    manifest = run.manifest
    said = [
        f"{source.name}: {source.read:,} of {source.available:,} records were read"
        for source in manifest.sources
        if source.read < source.available
    ]
    for label, stage in zip(stage_labels_of(manifest.stages), manifest.stages, strict=True):
        if twins := stage.reasons.get(_DUPLICATE):
            rows = counted(stage.rows_in, "row")
            of = _top(rejected_by_source(run.path).get((label, _DUPLICATE), {}), _SHOWN_NOTES)
            what = f"{twins:,} of {rows} were exact duplicates" + (f" ({of})" if of else "")
            said.append(f"{label}: {what}; rejected/ names the kept twins")
    if manifest.parent is not None:
        said += [
            f"{counted(stage.rejected, 'row')} that the parent run's rendering for "
            f"{stage.config.get('model', 'its model')} rejected stay rejected"
            for stage in manifest.stages[:-1]
            if stage.kind == "render" and stage.rejected
        ]
    splits = ", ".join(f"{name} {split.rows:,}" for name, split in manifest.splits.items())
    kept = counted(sum(split.rows for split in manifest.splits.values()), "row")
    said.append(f"{kept} kept ({splits}), {manifest.rejected:,} rejected")
    return [*said, *_rendered(manifest)]


def _rendered(manifest: Manifest) -> list[str]:
    """Say for which model rows were rendered, and what was proven of them."""
    render = manifest.render
    if render is None:
        return []
    model = "the package's own small tokenizer" if render.sample else render.model
    said = [f"rendered for {model} (frame {render.frame})"]
    if render.tokens is None:
        said.append(
            f"about {render.tokens_estimate or 0:,} tokens: an estimate, nothing is proven on them"
        )
        return said
    said.append(f"{render.tokens:,} tokens, {render.trained or 0:,} of them trained")
    if not manifest.after.rows:
        return [*said[:1], "nothing is left to train on: rejected/ says why, row by row"]
    rows = counted(manifest.after.rows, "row")
    checks = counted(len(render.checks), "check")
    said.append(
        f"all {checks} hold for all {rows}; {render.compared:,} also compared with the template's "
        "own render"
    )
    if render.packing is not None:
        sequences = counted(sum(render.packing.sequences.values()), "sequence")
        filled = f"{100 * render.packing.utilisation:.1f}%"
        said.append(
            f"packed into {sequences} of {render.packing.max_tokens:,} tokens, {filled} filled"
        )
    return said
