"""The micro-benchmarks' rounds: every run is a process of its own, in which a call is timed."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.build import ensure_corpus
from benchmarks.measure import measure
from benchmarks.results import Outcome, Report, run_rounds

#: Benchmark (a module of this package) → its competitors.
MICRO: Final[Mapping[str, Sequence[str]]] = {
    "validation": ("cotdata", "pydantic"),
    "exact_dedup": ("cotdata", "polars", "polars_columns"),
    "rendering": ("cotdata", "apply_chat_template", "compiled_jinja"),
    "proof": ("cotdata", "without_proof", "full"),
    "tokens": ("cotdata", "datasets_map", "tokenizers", "tiktoken"),
    "token_lengths": ("cotdata", "tiktoken"),
}


def run_micro(
    benchmark: str, competitors: Sequence[str], rows: int, rounds: int, folder: Path
) -> Report:
    """Measure one call of each competitor: CPU and wall of the call, peak of its whole process.

    Raises:
        BenchmarkError: A competitor failed, or found something else than the others.
    """
    corpus, _ = ensure_corpus(folder, rows)

    def run(name: str, number: int) -> Outcome:
        log = folder / f"{benchmark}-{name}.log"
        command = [sys.executable, "-m", f"benchmarks.{benchmark}", name, str(corpus)]
        usage = measure(command, {}, log)
        found = json.loads(log.read_text().splitlines()[-1])
        usage = replace(usage, cpu_s=found["cpu_s"], wall_s=found["wall_s"])
        print(f"{name}, round {number + 1}: {usage.cpu_s:.3f} CPU s", file=sys.stderr)
        return Outcome(name, number, usage, found["rows_kept"], found["digest"])

    return Report(benchmark, rows, run_rounds(competitors, rounds, run))
