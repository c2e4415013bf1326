"""The command: `setup` makes the peers' environments; without it, the table is printed."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import describe_machine, library_versions
from benchmarks.settings import OURS, BenchmarkError
from benchmarks.trained_tokens.contest import Contest, Result, as_json
from benchmarks.trained_tokens.environments import ENVIRONMENTS, set_up
from benchmarks.trained_tokens.families import FAMILIES, Family, family_named
from benchmarks.trained_tokens.material import read_rows, write_model_folder, write_rows
from benchmarks.trained_tokens.table import format_results, format_versions
from benchmarks.trained_tokens.ways import WAYS


def main() -> int:
    """Run what the command line asks for; 0 when it ran, 1 otherwise."""
    try:
        return _setup(sys.argv[2:]) if sys.argv[1:2] == ["setup"] else _compare(sys.argv[1:])
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _setup(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trained_tokens setup")
    parser.add_argument("tools", nargs="*", metavar="TOOL", help="default: all")
    parser.add_argument("--peers", type=Path, required=True, help="where environments are made")
    options = parser.parse_args(arguments)
    return 1 if set_up(options.tools, options.peers.resolve(), _note) else 0


def _compare(arguments: Sequence[str]) -> int:
    options = _parse(arguments)
    families = [family_named(name) for name in options.family] or list(FAMILIES)
    rows = read_rows(options.data)
    work = options.work_dir.resolve()
    work.mkdir(parents=True, exist_ok=True)
    contest = Contest(
        rows=rows,
        rows_file=write_rows(rows, work / "rows.jsonl"),
        folders={family.key: _folder(family, options, work) for family in families},
        families=families,
        work=work,
        peers=options.peers.resolve(),
        note=_note,
    )
    names = set(options.only)
    chosen = [way for way in WAYS if not names or names & {way.environment, way.tool}]
    results = contest.run(chosen, with_ours=not names or OURS in names)
    print(format_results(results, len(rows)))
    print(f"\n{format_versions(results)}")
    if options.json:
        _write(results, len(rows), options.json)
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.trained_tokens",
        description="What tools train on, against what a server sends and a model must write.",
        epilog="`setup --peers FOLDER [TOOL ...]` makes the environments: "
        + ", ".join(environment.name for environment in ENVIRONMENTS),
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="medical-o1 files")
    parser.add_argument("--tokenizers", type=Path, required=True, help="folder of tokenizers")
    parser.add_argument("--templates", type=Path, help="default: `templates` beside them")
    parser.add_argument("--peers", type=Path, required=True, help="where `setup` made them")
    parser.add_argument("--family", nargs="+", default=[], help="default: all")
    parser.add_argument("--only", nargs="+", default=[], metavar="TOOL", help="default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="leave all counts here")
    parser.add_argument(
        "--work-dir",
        type=Path,
        default=Path(tempfile.gettempdir()) / "cotdata-trained-tokens",
        help="where tools write (default: %(default)s)",
    )
    return parser.parse_args(arguments)


def _folder(family: Family, options: argparse.Namespace, work: Path) -> Path:
    templates = options.templates or options.tokenizers.parent / "templates"
    target = work / "models" / family.key
    return write_model_folder(family, options.tokenizers, templates, target)


def _write(results: Sequence[Result], rows: int, target: Path) -> None:
    found = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "versions": library_versions(),
        "rows": rows,
        "results": [as_json(result) for result in results],
    }
    target.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
