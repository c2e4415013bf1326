"""What a build did, on one screen: sources, stages, splits, and where the run lies."""

import sys
from collections.abc import Mapping
from typing import Final

import orjson

from cotdata.cli.tables import print_table
from cotdata.cli.terminal import counted, path_text, write_line, write_path, write_text
from cotdata.manifest import Manifest, SourceRecord, StageRecord
from cotdata.run import Run

REPORT_NAME: Final = "report.html"
_SHOWN_REASONS: Final = 3
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
    steps = [*map(_source, manifest.sources), *map(_stage, manifest.stages)]
    shown = [place for place, name in enumerate(columns) if has_made or name != ">made"]
    print_table(
        [columns[place] for place in shown], [[step[place] for place in shown] for step in steps]
    )
    notes = [[step.name, _top(step.notes)] for step in manifest.sources if step.notes]
    notes += [[step.kind, _top(step.notes)] for step in manifest.stages if step.notes]
    if notes:
        write_line("")
        print_table(["", "changed or noted"], notes)
    write_line("")
    for sentence in _sentences(manifest):
        write_line(sentence)
    write_line("")


def _source(source: SourceRecord) -> list[str]:
    name, why = f"read {source.name}", _top(source.reasons)
    return [name, f"{source.read:,}", "", f"{source.kept:,}", _count(source.rejected), why]


def _stage(stage: StageRecord) -> list[str]:
    rows_in, kept, why = f"{stage.rows_in:,}", f"{stage.kept:,}", _top(stage.reasons)
    return [stage.kind, rows_in, _count(stage.made), kept, _count(stage.rejected), why]


def _count(count: int) -> str:
    return f"{count:,}" if count else "·"


def _top(counts: Mapping[str, int]) -> str:
    """Return the most frequent, and how many more there are."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{name} {count:,}" for name, count in ordered[:_SHOWN_REASONS])
    more = len(ordered) - _SHOWN_REASONS
    return f"{shown} and {more} more" if more > 0 else shown


def _sentences(manifest: Manifest) -> list[str]:
    said = [
        f"{source.name}: {source.read:,} of {source.available:,} records were read"
        for source in manifest.sources
        if source.read < source.available
    ]
    for stage in manifest.stages:
        if twins := stage.reasons.get(_DUPLICATE):
            rows = counted(stage.rows_in, "row")
            said.append(f"{stage.kind}: {twins:,} of {rows} were exact duplicates; see rejected/")
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
