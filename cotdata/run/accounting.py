"""Law 1, checked while a build runs: in + made = kept + rejected, at every step."""

from collections.abc import Sequence

from cotdata.errors import StageError
from cotdata.manifest import Manifest, SourceRecord, StageRecord


def check_flow(sources: Sequence[SourceRecord], stages: Sequence[StageRecord]) -> int:
    """Follow the rows from the sources through every stage; return how many are left.

    Raises:
        StageError: If a row was lost or made without being counted.
    """
    for source in sources:
        if source.read != source.kept + source.rejected:
            _broken(
                f"source '{source.name}'",
                f"{source.read} read, {source.kept} kept, {source.rejected} rejected",
            )
        _check_reasons(f"source '{source.name}'", source.rejected, source.reasons)
    rows = sum(source.kept for source in sources)
    for stage in stages:
        where = f"stage {stage.position} ({stage.kind})"
        if stage.rows_in != rows:
            _broken(where, f"{rows} rows reached it, {stage.rows_in} went in")
        if stage.rows_in + stage.made != stage.kept + stage.rejected:
            _broken(
                where,
                f"{stage.rows_in} in + {stage.made} made, "
                f"{stage.kept} kept + {stage.rejected} rejected",
            )
        _check_reasons(where, stage.rejected, stage.reasons)
        rows = stage.kept
    return rows


def check_manifest(manifest: Manifest) -> None:
    """Hold a manifest's own numbers against each other.

    Raises:
        StageError: If they do not add up.
    """
    rows = check_flow(manifest.sources, manifest.stages)
    written = sum(split.rows for split in manifest.splits.values())
    if rows != written:
        _broken("the splits", f"{rows} rows were kept, {written} were written")
    rejected = sum(source.rejected for source in manifest.sources)
    rejected += sum(stage.rejected for stage in manifest.stages)
    if rejected != manifest.rejected:
        _broken("the rejected rows", f"{rejected} were rejected, {manifest.rejected} were written")


def _check_reasons(where: str, rejected: int, reasons: dict[str, int]) -> None:
    if sum(reasons.values()) != rejected:
        _broken(where, f"{rejected} rows rejected, {sum(reasons.values())} with a reason")


def _broken(where: str, numbers: str) -> None:
    raise StageError(
        f"the rows do not add up at {where}: {numbers}",
        fix="this is a fault of cotdata or of a plugin: please report it",
    )
