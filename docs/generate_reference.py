"""Writes `docs/reference/` from the code that it describes, so that no page can fall behind.

python docs/generate_reference.py            write the pages
python docs/generate_reference.py --check    exit 2 where a page is not what the code says
"""

import argparse
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from reference_commands import cli_page, errors_raised, python_page
from reference_frames import frames_page
from reference_records import manifest_page, row_page
from reference_stages import kind_of, rendering_page, stage_classes, stage_page, stages_page
from reference_tables import (
    beyond_first_line,
    paragraphs,
    reasons_table,
    settings_table,
    table,
)

import cotdata.errors
from cotdata.errors import CotdataError, Location, Problem
from cotdata.recipe.model import Output, Recipe, Train
from cotdata.render.settings import Frame, Render
from cotdata.run.fates import SOURCE_STAGE
from cotdata.sources.adapters import (
    ADAPTER_NAMES,
    ADAPTER_REASONS,
    ColumnMapping,
    MedicalO1,
    NuminaMathCot,
    boxed,
    statement,
)
from cotdata.sources.adapters.medical_o1 import adapt_medical_o1
from cotdata.sources.adapters.numina_math_cot import adapt_numina_math_cot
from cotdata.sources.notes import SOURCE_NOTES
from cotdata.sources.records import READER_REASONS
from cotdata.sources.source import Source
from cotdata.sources.source_file import COMPRESSED_EXTENSIONS, EXTENSIONS

REFERENCE: Final = Path(__file__).parent / "reference"
COMMAND: Final = "python docs/generate_reference.py"
_MADE: Final = f"<!-- Made by `{COMMAND}` from the code: edit the code, not this page. -->\n\n"


def pages() -> dict[str, str]:
    """Return every page of the reference by its path below `docs/reference/`."""
    made = {
        "index.md": _index(),
        "recipe.md": _recipe(),
        "sources.md": _sources(),
        "adapters.md": _adapters(),
        "stages/index.md": stages_page(),
        "cli.md": cli_page(),
        "python.md": python_page(),
        "errors.md": _errors(),
        "row.md": row_page(),
        "manifest.md": manifest_page(),
    }
    made["frames.md"] = frames_page()
    made["stages/render.md"] = rendering_page()
    made |= {f"stages/{kind_of(stage)}.md": stage_page(stage) for stage in stage_classes()}
    return {path: _MADE + page for path, page in made.items()}


def _index() -> str:
    return (
        "# Reference\n\n"
        "These pages are made from the code, and a test fails where they differ from it.\n\n"
        "- [The recipe](recipe.md): every key, its type and its default.\n"
        "- [Sources](sources.md): which files are read, and why a record is refused.\n"
        "- [Adapters](adapters.md): how a record becomes a row.\n"
        "- [Stages](stages/index.md): settings, reasons and evidence of each stage.\n"
        "- [Think frames](frames.md): how model families write reasoning.\n"
        "- [Command line](cli.md): every command and option.\n"
        "- [Python](python.md): the names that `cotdata` exports.\n"
        "- [Errors](errors.md): what can be raised.\n"
        "- [The row](row.md): the columns of kept and of rejected rows.\n"
        "- [The manifest](manifest.md): what `manifest.json` holds.\n"
    )


def _recipe() -> str:
    parts = [
        "# The recipe\n",
        "A recipe is a YAML file. Every key that is not listed here is an error. Input paths are "
        "relative to the recipe; the output folder is relative to where you run cotdata. Booleans "
        "are `true` and `false` alone. `cotdata check RECIPE --explain` prints a recipe with its "
        "defaults.\n",
        settings_table(Recipe, types={"stages": "list of [stages](stages/index.md)"}),
    ]
    for model in (Source, Render, Frame, Output, Train):
        adapter = {"adapter": "[adapter](adapters.md): a name, or a mapping of columns"}
        parts += [f"## {model.__name__}\n", paragraphs(model)]
        parts.append(settings_table(model, types=adapter))
    return "\n".join(parts)


def _sources() -> str:
    known = table(
        ["extension", "format"], [[f"`{end}`", f"`{kind}`"] for end, kind in EXTENSIONS.items()]
    )
    packed = " and ".join(f"`{end}`" for end in COMPRESSED_EXTENSIONS)
    reasons = {
        **READER_REASONS,
        **ADAPTER_REASONS,
        "invalid_row": "The record breaks the [row contract](row.md). Evidence: a list of "
        "`{column, problem}`.",
    }
    rows = [[f"`{name}`", note.meaning] for name, note in SOURCE_NOTES.items()]
    notes = table(["note", "what is counted"], rows)
    return "\n".join(
        [
            "# Sources\n",
            "What a source's keys are stands under [the recipe](recipe.md#source).\n",
            f"## Files\n\nThe format follows from the extension, alone or before {packed}, unless "
            f"`format` says it. gzip and zstd are recognised by their first bytes too.\n\n{known}",
            "## Reasons\n\nA record that cannot become a row is rejected with "
            f"`stage: {SOURCE_STAGE}` and one of these reasons.\n\n{reasons_table(reasons)}",
            f"## Notes\n\nCounted in the manifest under `sources[].notes`.\n\n{notes}",
        ]
    )


def _adapters() -> str:
    parts = [
        "# Adapters\n",
        "A source names one in `adapter`, as `medical_o1` or `{kind: medical_o1}`, or gives a "
        "mapping. Columns that an adapter does not use go to `meta`.\n",
    ]
    known: list[tuple[str, Any, Callable[..., Any]]] = [
        ("medical_o1", MedicalO1, adapt_medical_o1),
        ("numina_math_cot", NuminaMathCot, adapt_numina_math_cot),
    ]
    for name, model, kernel in known:
        needed = ", ".join(f"`{column}`" for column in ADAPTER_NAMES[name])
        parts += [
            f"## {name}\n",
            paragraphs(model),
            beyond_first_line(kernel) + "\n",
            f"Needs the columns {needed}. Version {model.version}.\n",
        ]
    parts += ["### The statement\n", paragraphs(statement), "### The box\n", paragraphs(boxed)]
    parts += [
        "## mapping\n",
        paragraphs(ColumnMapping),
        'A value is the name of a column, or a template: `"{title}\\n\\n{question}"`. In a '
        "template a null is empty text, counted as `null_in_template`; where all its columns are "
        "null, so is the value. A column that alone is the `Question`, the `Complex_CoT` or the "
        "`system` prompt must hold text; elsewhere numbers and booleans are taken too.\n",
        settings_table(ColumnMapping, skip=("kind",)),
        f"Version {ColumnMapping.version}. Reasons of its own:\n",
        reasons_table(ADAPTER_REASONS),
    ]
    return "\n".join(parts)


def _errors() -> str:
    tree = inspect.getdoc(cotdata.errors) or ""
    drawn = "\n".join(line for line in tree.splitlines() if line.startswith("    "))
    parts = [
        "# Errors\n",
        "Everything that cotdata raises on purpose; all of it stands in `cotdata.errors`. The "
        "command line prints it on stderr and exits with 2. A bad row is never an error: it is a "
        "rejected row.\n",
        drawn + "\n",
    ]
    raised = errors_raised()
    classes = [
        item
        for item in vars(cotdata.errors).values()
        if inspect.isclass(item) and issubclass(item, CotdataError)
    ]
    for error in classes:
        parts += [f"## {error.__name__}\n", paragraphs(error)]
        parts += [f"- {when}" for when in raised.get(error.__name__, ())]
        parts += [""] if error.__name__ in raised else []
    parts.append("## Attributes\n")
    parts.append(
        "Every error has `what`, `where` (a `Location` or None) and `fix` (text or None); a "
        "`ProblemsError` has `problems` too, a tuple of `Problem`.\n"
    )
    for record in (Location, Problem):
        fields = ", ".join(f"`{name}`" for name in record._fields)
        parts += [f"## {record.__name__}\n", paragraphs(record), f"Fields: {fields}.\n"]
    return "\n".join(parts)


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    made = pages()
    there = {path.relative_to(REFERENCE).as_posix(): path for path in REFERENCE.rglob("*.md")}
    stale = [
        name
        for name, text in made.items()
        if name not in there or there[name].read_text(encoding="utf-8") != text
    ]
    superfluous = sorted(there.keys() - made.keys())
    if check:
        if stale or superfluous:
            sys.stderr.write(f"not current: {', '.join([*stale, *superfluous])}\nfix: {COMMAND}\n")
        return 2 if stale or superfluous else 0
    for name in stale:
        (REFERENCE / name).parent.mkdir(parents=True, exist_ok=True)
        (REFERENCE / name).write_text(made[name], encoding="utf-8", newline="\n")
    for name in superfluous:
        there[name].unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
