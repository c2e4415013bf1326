"""The dataset card: the run's README.md, with the header that the Hugging Face Hub reads.

Header keys: https://huggingface.co/docs/hub/datasets-cards (license, language, size_categories,
configs with data_files by split).
"""

from typing import Any, Final

import yaml

from cotdata.manifest import Manifest, RenderRecord, SourceRecord, StageRecord

_SIZES: Final = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
)


def dataset_card(manifest: Manifest) -> str:
    """Return the card of a run: the Hub's header, and how the rows came to be."""
    header = yaml.safe_dump(_header(manifest), sort_keys=False, allow_unicode=True)
    parts = [
        f"---\n{header}---\n",
        f"# {_plain(manifest.name)}\n",
        _opening(manifest),
        "## Splits\n\n" + _splits(manifest),
        "## Sources\n\n" + _sources(manifest),
        "## Stages\n\n" + _stages(manifest),
        *([_rendering(manifest.render)] if manifest.render is not None else []),
        "## Columns\n\n" + _columns(manifest),
        _closing(manifest),
    ]
    return "\n".join(parts)


def _header(manifest: Manifest) -> dict[str, Any]:
    licenses = sorted({source.license for source in manifest.sources if source.license})
    languages = sorted(name for name in manifest.after.languages if len(name) == 2)
    # `datasets` refuses a split without rows.
    filled = [name for name, split in manifest.splits.items() if split.rows] or ["train"]
    files = [{"split": name, "path": f"data/{name}-*.parquet"} for name in filled]
    header: dict[str, Any] = {"pretty_name": manifest.name}
    if licenses:
        header["license"] = licenses[0] if len(licenses) == 1 else "other"
        if len(licenses) > 1:
            header["license_name"] = ", ".join(licenses)
    if languages:
        header["language"] = languages
    return header | {
        "task_categories": ["text-generation"],
        "size_categories": [_size(manifest.after.rows)],
        "tags": ["cotdata", "chain-of-thought", "reasoning"],
        "configs": [
            {"config_name": "default", "data_files": files},
            *_packed_config(manifest.render),
        ],
    }


def _packed_config(render: RenderRecord | None) -> list[dict[str, Any]]:
    if render is None or render.packing is None or not render.packing.sequences:
        return []
    names = [name for name, count in render.packing.sequences.items() if count]
    files = [{"split": name, "path": f"packed/{name}-*.parquet"} for name in names]
    return [{"config_name": "packed", "data_files": files}]


def _size(rows: int) -> str:
    return next((name for bound, name in _SIZES if rows < bound), "n>1T")


def _opening(manifest: Manifest) -> str:
    read = sum(source.read for source in manifest.sources)
    made = sum(stage.made for stage in manifest.stages)
    kept = f"{manifest.after.rows - made:,} of {read:,} rows were kept"
    if made and any(stage.kind == "render" and stage.rejected for stage in manifest.stages):
        kept = f"{manifest.after.rows:,} of {read + made:,} rows were kept"
        repeats = f", {made:,} of the latter were made by repeating others"
    else:
        repeats = f", {made:,} more were made by repeating them" if made else ""
    child = (
        f" Rendered from the rows of the run `{manifest.parent.fingerprint}`."
        if manifest.parent is not None
        else ""
    )
    sample = (
        "\n**These are the sample rows that ship with cotdata, not real data.**\n"
        if manifest.sample
        else ""
    )
    return (
        f"{kept}{repeats}; "
        f"{manifest.rejected:,} were rejected, each with its reason, and stand in `rejected/`.\n"
        f"{sample}\n"
        f"Built by cotdata {manifest.versions.get('cotdata', '')}; fingerprint "
        f"`{manifest.fingerprint}`.{child} `manifest.json` holds every count and hash, "
        "`report.html` shows them, `cotdata verify` checks them.\n"
    )


def _splits(manifest: Manifest) -> str:
    rows = [[name, f"{split.rows:,}"] for name, split in manifest.splits.items()]
    return _table(["split", "rows"], rows)


def _sources(manifest: Manifest) -> str:
    head = ["source", "from", "revision", "license", "read", "kept", "rejected"]
    return _table(head, [_source(source) for source in manifest.sources])


def _source(source: SourceRecord) -> list[str]:
    read = f"{source.read:,}"
    if source.read != source.available:
        read += f" of {source.available:,}"
    return [
        source.name,
        source.origin,
        source.revision or "",
        source.license or "",
        read,
        f"{source.kept:,}",
        f"{source.rejected:,}",
    ]


def _stages(manifest: Manifest) -> str:
    head = ["stage", "in", "made", "kept", "rejected", "why"]
    return _table(head, [_stage(stage) for stage in manifest.stages])


def _stage(stage: StageRecord) -> list[str]:
    why = ", ".join(f"{reason} {count:,}" for reason, count in stage.reasons.items())
    counts = (stage.rows_in, stage.made, stage.kept, stage.rejected)
    return [stage.kind, *[f"{count:,}" for count in counts], why]


def _rendering(render: RenderRecord) -> str:
    """Return the section on how rows became tokens, and what was proven of them."""
    facts = [
        ["model", render.model],
        ["revision", render.revision or ""],
        ["frame", render.frame],
        ["stop token", render.stop],
        *_tokens(render),
    ]
    checks = [[name, f"{rows:,}"] for name, rows in render.checks.items()]
    checks += [["compared with the chat template's own render", f"{render.compared:,}"]]
    own = (
        "\n**This is the small tokenizer that ships with cotdata, no model's.**\n"
        if render.sample
        else ""
    )
    return (
        "## Rendering\n\n"
        "`tokenizer/` holds the tokenizer and the chat template that the rows were rendered with; "
        f"`cotdata verify` proves every row again.\n{own}\n"
        f"{_table(['', ''], [fact for fact in facts if fact[1]])}\n"
        f"{_table(['check', 'rows that passed'], checks)}"
    )


def _tokens(render: RenderRecord) -> list[list[str]]:
    if render.tokens is None or render.trained is None:
        return [["tokens, estimated", f"{render.tokens_estimate or 0:,}"]]
    found = [["tokens", f"{render.tokens:,}"], ["trained tokens", f"{render.trained:,}"]]
    if render.packing is not None:
        count = sum(render.packing.sequences.values())
        filled = f"{100 * render.packing.utilisation:.1f}% of {render.packing.max_tokens:,} tokens"
        found.append(["packed sequences", f"{count:,}, filled to {filled}"])
    return found


def _columns(manifest: Manifest) -> str:
    rows = [[f"`{c.name}`", c.dtype, c.added_by or ""] for c in manifest.columns]
    return _table(["column", "type", "added by"], rows)


def _closing(manifest: Manifest) -> str:
    files = "\n".join(f"- `{output.path}`" for output in manifest.outputs)
    return f"## Files\n\n{files}\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(_plain(cell) for cell in line) + " |\n" for line in lines)


def _plain(text: str) -> str:
    """Return text as one table cell: names come from recipes and may hold anything."""
    visible = "".join(char if char.isprintable() else " " for char in text)
    for special in ("\\", "|", "<", "["):
        visible = visible.replace(special, f"\\{special}")
    return visible
