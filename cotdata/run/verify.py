"""Holds a finished run against its manifest: every file, every count, every sum."""

from collections import Counter
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
from pydantic import ValidationError

from cotdata.engine.progress import Progress, Silence
from cotdata.errors import CotdataError, Location, Problem, VerifyError
from cotdata.manifest import MANIFEST_NAME, UNHASHED, Manifest
from cotdata.run.accounting import check_manifest
from cotdata.run.fates import REJECTED, SOURCE_STAGE
from cotdata.run.hashing import file_sha256
from cotdata.run.reproof import proof_problems
from cotdata.stages import label_kinds


def verify(path: Path, progress: Progress | None = None, *, proofs: bool = True) -> Manifest:
    """Recompute every hash, count and proof of a run and return its manifest.

    Args:
        path: The run's folder.
        progress: Who is told what happens.
        proofs: Prove every row of a rendered run again; without it, the hash of a file stands for
            the proof that its rows had when it was written.

    Raises:
        VerifyError: If something does not hold; `problems` names everything that does not.
    """
    listener = progress or Silence()
    manifest = _read(path)
    problems = _manifest_problems(path, manifest)
    listener.start("verify", len(manifest.outputs), "files")
    for output in manifest.outputs:
        problems += _file_problems(path / output.path, output.sha256, output.rows)
        listener.advance(1)
    if not problems:
        problems += _row_problems(path, manifest)
    if not problems and proofs and manifest.render is not None:
        problems += proof_problems(path, manifest, manifest.render, listener)
    if problems:
        raise VerifyError(
            f"{path}: {len(problems)} things do not hold", problems=problems,
            fix="build it again with --force: the same recipe gives the same bytes",
        )  # fmt: skip
    return manifest


def _read(path: Path) -> Manifest:
    file = path / MANIFEST_NAME
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except OSError as error:
        raise VerifyError(
            f"{path} is not a run: {MANIFEST_NAME} cannot be read ({error.strerror})",
            fix="give the folder that `cotdata build` printed",
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise VerifyError(
            f"{file} is not a manifest of this version: {first['msg']}",
            where=Location(str(file), field=field or None),
            fix="verify it with the version of cotdata that built it, or build it again",
        ) from error


def _manifest_problems(path: Path, manifest: Manifest) -> list[Problem]:
    problems = []
    where = Location(str(path / MANIFEST_NAME))
    if manifest.seal() != manifest.sha256:
        problems.append(Problem("the manifest was changed: its own sha256 does not hold", where))
    try:
        check_manifest(manifest)
    except CotdataError as error:
        problems.append(Problem(error.what, where))
    named = {output.path for output in manifest.outputs} | UNHASHED
    found = {file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir()}
    problems += [
        Problem(
            "is in the run's folder, but not in its manifest",
            Location(str(path / name)),
            "move it out of the folder",
        )
        for name in sorted(found - named)
    ]
    return problems


def _file_problems(file: Path, sha256: str, rows: int | None) -> list[Problem]:
    where = Location(str(file))
    try:
        found = file_sha256(file)
    except OSError as error:
        return [Problem(f"cannot be read: {error.strerror}", where)]
    if found != sha256:
        return [Problem(f"was changed: its sha256 is {found}, the manifest says {sha256}", where)]
    if rows is not None and pq.read_metadata(file).num_rows != rows:
        return [Problem(f"does not hold the {rows} rows that the manifest says", where)]
    return []


def _row_problems(path: Path, manifest: Manifest) -> list[Problem]:
    """Count the rows again, by split and source, and by stage and reason."""
    problems = []
    where = Location(str(path / MANIFEST_NAME))
    for name, split in manifest.splits.items():
        files = [
            path / output.path
            for output in manifest.outputs
            if output.path.startswith(f"data/{name}-")
        ]
        counted = _counts(files, ["source"])
        if counted != Counter({(source,): rows for source, rows in split.sources.items()}):
            problems.append(Problem(f"the rows of split '{name}' are not those it counts", where))
    files = [path / item.path for item in manifest.outputs if item.path.startswith(f"{REJECTED}/")]
    expected: Counter[tuple[str, ...]] = Counter()
    for source in manifest.sources:
        for reason, rows in source.reasons.items():
            expected[SOURCE_STAGE, reason] += rows
    labels = label_kinds(kinds_of(manifest))
    for label, stage in zip(labels, manifest.stages, strict=True):
        expected.update({(label, reason): rows for reason, rows in stage.reasons.items()})
    if _counts(files, ["stage", "reason"]) != expected:
        problems.append(Problem("the rejected rows are not those that it counts", where))
    return problems


def kinds_of(manifest: Manifest) -> list[str]:
    """Return the kind of each stage of a run; of a plugin, its name too."""
    return [
        f"plugin:{stage.config['name']}" if stage.kind == "plugin" else stage.kind
        for stage in manifest.stages
    ]


def _counts(files: list[Path], columns: list[str]) -> Counter[tuple[str, ...]]:
    if not files:
        return Counter()
    table = pl.scan_parquet(files, glob=False).group_by(columns).len().collect()
    return Counter({tuple(row[:-1]): row[-1] for row in table.iter_rows()})
