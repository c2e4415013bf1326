"""The `build` benchmark: JSON Lines to parquet, each competitor a whole cold process."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from benchmarks.measure import measure
from benchmarks.results import Outcome, Report, check_agreement, run_rounds
from benchmarks.settings import (
    MAX_CHARS,
    MIN_CHARS,
    ROOT,
    SEED,
    BenchmarkError,
    CorpusFiles,
    CorpusSummary,
)

_WARM_UP_ROWS: Final = 1_000

_RECIPE: Final = """\
schema: 1
name: benchmark
seed: {seed}
sources:
  - name: corpus
    from: {corpus}
    adapter: medical_o1
stages:
  - kind: require_fields
  - kind: length
    column: Complex_CoT
    min_chars: {min_chars}
    max_chars: {max_chars}
  - kind: exact_dedup
output:
  dir: {output}
"""


class Job(NamedTuple):
    """What to run, and the folder whose parquet files hold the rows kept."""

    command: Sequence[str]
    environment: Mapping[str, str]
    output: Path


Prepare: TypeAlias = Callable[[Path, Path], Job]


def prepare_cotdata(corpus: Path, work: Path) -> Job:
    """Prepare `cotdata build`; all that the benchmark knows of its command line stands here."""
    recipe, output = work / "recipe.yaml", work / "run"
    # A JSON string is a YAML string, whatever the path holds.
    recipe.write_text(
        _RECIPE.format(
            seed=SEED,
            corpus=json.dumps(str(corpus)),
            min_chars=MIN_CHARS,
            max_chars=MAX_CHARS,
            output=json.dumps(str(output)),
        )
    )
    return Job(
        [sys.executable, "-m", "cotdata", "build", str(recipe), "--fresh"],
        {"COTDATA_CACHE_DIR": str(work / "cache")},
        output / "data",
    )


def prepare_datasets(corpus: Path, work: Path) -> Job:
    """Prepare the datasets script, with an empty cache and no look at the network."""
    output = work / "data"
    output.mkdir()
    return Job(
        [sys.executable, "-m", "benchmarks.peer_datasets", str(corpus), f"{output}/kept.parquet"],
        {"HF_HOME": str(work / "hf"), "HF_HUB_OFFLINE": "1"},
        output,
    )


def prepare_polars(corpus: Path, work: Path) -> Job:
    """Prepare the polars script."""
    output = work / "data"
    output.mkdir()
    return Job(
        [sys.executable, "-m", "benchmarks.peer_polars", str(corpus), f"{output}/kept.parquet"],
        {},
        output,
    )


COMPETITORS: Final[Mapping[str, Prepare]] = {
    "cotdata": prepare_cotdata,
    "datasets": prepare_datasets,
    "polars": prepare_polars,
}


def run_build(competitors: Sequence[str], rows: int, rounds: int, folder: Path) -> Report:
    """Measure the competitors on a corpus of `rows` rows.

    A small unmeasured run of each comes first: it compiles Python's bytecode, brings the
    libraries into memory and finds a disagreement before it costs minutes.

    Raises:
        BenchmarkError: A competitor failed, or kept other rows than the others or the truth.
    """
    warm_up, small = ensure_corpus(folder, _WARM_UP_ROWS)
    outcomes = [run_competitor(name, 0, warm_up, folder) for name in competitors]
    check_agreement(outcomes, small.expected_rows)
    corpus, summary = ensure_corpus(folder, rows)
    _read_through(corpus)
    outcomes = run_rounds(
        competitors, rounds, lambda name, number: run_competitor(name, number, corpus, folder)
    )
    check_agreement(outcomes, summary.expected_rows)
    return Report("build", rows, outcomes)


def run_competitor(name: str, number: int, corpus: Path, folder: Path) -> Outcome:
    """Run one competitor in an empty folder, and look at what it wrote."""
    work = folder / f"work-{name}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    job = COMPETITORS[name](corpus, work)
    usage = measure(job.command, job.environment, folder / f"{name}.log")
    found = _in_child("benchmarks.kept_rows", str(job.output))
    shutil.rmtree(work)
    print(f"{name}, round {number + 1}: {usage.cpu_s:.2f} CPU s", file=sys.stderr)
    return Outcome(name, number, usage, found["rows"], found["digest"])


def ensure_corpus(folder: Path, rows: int) -> tuple[Path, CorpusSummary]:
    """Return a corpus of `rows` rows, generating it in a process of its own where it is missing."""
    found = _in_child("benchmarks.corpus", "--folder", str(folder), "--rows", str(rows))
    return CorpusFiles.named(folder, rows).rows, CorpusSummary(**found)


def _in_child(module: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchmarkError(f"{' '.join(command)}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _read_through(path: Path) -> None:
    """Read a file once, so that no competitor pays for the disk."""
    with path.open("rb") as source:
        while source.read(1 << 24):
            pass
