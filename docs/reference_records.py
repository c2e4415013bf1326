"""Writes the pages about what a run holds: the row's columns and the manifest's records."""

from collections.abc import Mapping
from typing import Final

from reference_tables import fields_table, paragraphs, table

from cotdata import manifest
from cotdata.render.columns import render_schema
from cotdata.row import ROW_SCHEMA, Row
from cotdata.run.fates import SOURCE_STAGE, Assembly
from cotdata.run.replay import Shards

#: What the manifest's fields mean whose names say nearly all; the others say it themselves.
_RECORDS: Final[Mapping[str, str]] = {
    "schema": "The version of the manifest's form.",
    "name": "The recipe's, the source's or the column's name.",
    "seed": "The recipe's seed.",
    "recipe": "The recipe as it ran, defaults included.",
    "sources": "One record for each source, in the recipe's order; in a profile, rows by source.",
    "stages": "One record for each stage, in the order in which they ran.",
    "splits": "By the split's name.",
    "columns": "Of the kept rows, in their order.",
    "length_edges": "Upper edges of the [length bins](#length-bins).",
    "outputs": "Every file of the run but `manifest.json` and `timings.json`.",
    "adapter": "The adapter's name, or `mapping`.",
    "license": "The source's license, as the recipe has it.",
    "files": "What was read, in its order.",
    "kept": "Rows that went on.",
    "rejected": "Rows that were rejected.",
    "kind": "The stage's kind.",
    "rows_in": "Rows that the stage got.",
    "made": "Rows that it made: repeats.",
    "rows": "How many rows there are.",
    "dtype": "The column's polars type.",
    "path": "Below the run's folder.",
    "bytes": "The file's size.",
    "sha256": "Of the file's bytes.",
}
_REJECTED_COLUMNS: Final[Mapping[str, str]] = {
    "stage": f"The stage that rejected it; `{SOURCE_STAGE}` for a record that never became a row. "
    "The second stage of a kind is `kind#2`, a plugin `plugin:name`.",
    "reason": "Why, in a word from the stage's list.",
    "evidence": "JSON: what was measured or found; each reason says what it holds.",
    "raw": "The bytes of a record that could not be read; null else.",
}

_RENDERED_COLUMNS: Final[Mapping[str, str]] = {
    "prompt": "What a server gives the model for the conversation, up to where it begins to write.",
    "completion": "What the model writes: reasoning, answer, and the stop token.",
    "text": "Both, one after the other.",
    "messages": "The conversation with its answer, for trainers that render themselves.",
    "input_ids": "The ids of the prompt, then those of the completion, each encoded by itself.",
    "labels": "The ids of what is trained, -100 for the prompt.",
    "n_tokens": "How many ids there are.",
    "n_trained": "How many of them are trained.",
    "n_tokens_estimate": "About how many tokens the text has; nothing is proven by it.",
}


def row_page() -> str:
    """Return the page about the columns of kept and of rejected rows."""
    rows = []
    for name, field in Row.model_fields.items():
        null = "no" if field.is_required() else "yes"
        rows.append([f"`{name}`", str(ROW_SCHEMA[name]), null, field.description or ""])
    rejected = Assembly(Shards(()), (), (), 1).rejected_schema()
    more = [
        [f"`{name}`", str(dtype), _REJECTED_COLUMNS[name]]
        for name, dtype in rejected.items()
        if name not in ROW_SCHEMA
    ]
    columns = {**render_schema(tokens=True), **render_schema(tokens=False)}
    rendered = [
        [f"`{name}`", str(dtype), _RENDERED_COLUMNS[name]] for name, dtype in columns.items()
    ]
    return "\n".join(
        [
            "# The row\n",
            paragraphs(Row),
            table(["column", "type", "null", "meaning"], rows),
            "`data/*.parquet` has these columns, those that plugins add, and after them those of "
            "the [rendering](#rendered-rows).\n",
            "## Rejected rows\n",
            "`rejected/*.parquet` has the same columns but those of the rendering (null where the "
            "record never got so far), and these:\n",
            table(["column", "type", "meaning"], more),
            "## Rendered rows\n",
            "Where the recipe has `render`, or the run is of `cotdata render`, `data/*.parquet` "
            "has these columns too. Without tokens (`tokens: false`) `n_tokens_estimate` stands in "
            "place of the last four.\n",
            table(["column", "type", "meaning"], rendered),
        ]
    )


def manifest_page() -> str:
    """Return the page about `manifest.json` and `timings.json`."""
    records = (
        *(manifest.SourceRecord, manifest.InputFile, manifest.StageRecord, manifest.SplitRecord),
        *(manifest.ColumnRecord, manifest.Profile, manifest.OutputFile),
        *(manifest.RenderRecord, manifest.Fit, manifest.Evidence, manifest.PackingRecord),
        manifest.ParentRecord,
    )
    edges = ", ".join(str(edge) for edge in manifest.LENGTH_EDGES)
    parts = [
        "# The manifest\n",
        paragraphs(manifest) + "\n`manifest.json` is UTF-8 with sorted keys.\n",
        fields_table(manifest.Manifest, _RECORDS),
    ]
    for record in records:
        parts += [f"## {record.__name__}\n", paragraphs(record), fields_table(record, _RECORDS)]
    parts += [
        "## Length bins\n",
        f"Upper edges, inclusive, in characters; the last bin is open: {edges}.\n",
        "## timings.json\n",
        "What may differ from machine to machine, and is therefore hashed nowhere: `started`, "
        "`seconds` (by step), `from_cache` (the sources that were not read again), `python`, "
        "`platform`, `recipe` (its path).\n",
    ]
    return "\n".join(parts)
