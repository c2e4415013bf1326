"""The command: run a benchmark, print a table, and leave the figures as JSON."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.build import COMPETITORS, run_build
from benchmarks.machine import describe_machine, library_versions
from benchmarks.micro import MICRO, run_micro
from benchmarks.results import Report, format_scaling, format_table
from benchmarks.settings import BenchmarkError

_ROWS: Final = {
    "build": [100_000, 860_000],
    "validation": [200_000],
    "exact_dedup": [860_000],
    "rendering": [20_000],
    "proof": [20_000],
    "tokens": [20_000],
    "token_lengths": [100_000],
}


def main() -> int:
    """Run what the command line asks for; 0 when all agreed, 1 otherwise."""
    options = _parse()
    names = list(_ROWS) if options.benchmark == "all" else [options.benchmark]
    facts = {"machine": describe_machine(), "versions": library_versions()}
    reports: list[Report] = []
    try:
        for name in names:
            for rows in options.rows or _ROWS[name]:
                reports.append(_run(name, rows, options))
                print(f"{format_table(reports[-1])}\n", flush=True)
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    _print_end(reports, facts)
    if options.json:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        found = {"when": when, **facts, "reports": [asdict(report) for report in reports]}
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("benchmark", choices=[*_ROWS, "all"])
    parser.add_argument("--rows", type=int, nargs="+", help="sizes to run, one after the other")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="run these competitors only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="leave every run's figures here")
    parser.add_argument(
        "--work-dir",
        type=Path,
        default=Path(tempfile.gettempdir()) / "cotdata-benchmarks",
        help="where corpora are kept and competitors work (default: %(default)s)",
    )
    return parser.parse_args()


def _run(benchmark: str, rows: int, options: argparse.Namespace) -> Report:
    known: Sequence[str] = list(COMPETITORS) if benchmark == "build" else MICRO[benchmark]
    chosen = [name for name in known if not options.only or name in options.only]
    if not chosen:
        raise BenchmarkError(f"{benchmark} has no such competitor; it has {', '.join(known)}")
    folder = options.work_dir.resolve()
    if benchmark == "build":
        return run_build(chosen, rows, options.rounds, folder)
    return run_micro(benchmark, chosen, rows, options.rounds, folder)


def _print_end(reports: Sequence[Report], facts: dict[str, dict[str, str]]) -> None:
    builds = [report for report in reports if report.benchmark == "build"]
    if len(builds) > 1:
        print(f"{format_scaling(builds)}\n")
    for name, values in facts.items():
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in values.items()))


if __name__ == "__main__":
    sys.exit(main())
