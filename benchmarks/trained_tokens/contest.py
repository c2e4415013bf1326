"""One run: every way in its tool's environment, cotdata by its own command, one judge for all."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.settings import OURS, ROOT, BenchmarkError
from benchmarks.trained_tokens.environments import ENVIRONMENTS, Environment, versions, why_absent
from benchmarks.trained_tokens.families import Family
from benchmarks.trained_tokens.judge import Score, Trained, judge_all
from benchmarks.trained_tokens.material import Row
from benchmarks.trained_tokens.ours import build
from benchmarks.trained_tokens.truth import Expected, Truth
from benchmarks.trained_tokens.ways import Way

#: Tools run without a network, a GPU or a word to their makers.
_QUIET: Final = {
    "CUDA_VISIBLE_DEVICES": "",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "MODELSCOPE_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "UNSLOTH_DISABLE_STATISTICS": "1",
    "WANDB_DISABLED": "true",
}


@dataclass(frozen=True)
class Result:
    """One line of the table for one family: a score, or why there is none."""

    tool: str
    way: str
    family: str
    score: Score | None = None
    why: str = ""
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Contest:
    """What all take part with: rows, folders, and what must come out."""

    rows: Sequence[Row]
    rows_file: Path
    folders: dict[str, Path]
    families: Sequence[Family]
    work: Path
    peers: Path
    note: Callable[[str], None]

    def run(self, ways: Sequence[Way], *, with_ours: bool) -> list[Result]:
        """Run cotdata and the ways, and judge what they trained on."""
        results = []
        expected = {family.key: self._expect(family) for family in self.families}
        if with_ours:
            for family in self.families:
                results.append(self._run_ours(family, expected[family.key]))
        for name, group in groupby(ways, key=lambda way: (way.environment, way.driver)):
            results += self._run_driver(*name, list(group), expected)
        return results

    def _expect(self, family: Family) -> list[Expected]:
        self.note(f"{family.name}: what a server sends and a model must write")
        truth = self._truth(family)
        return [truth.expect(row) for row in self.rows]

    def _truth(self, family: Family) -> Truth:
        return Truth(family, self.folders[family.key])

    def _run_ours(self, family: Family, expected: Sequence[Expected]) -> Result:
        self.note(f"{OURS}: {family.name}")
        line = Result(OURS, "render: {model: FOLDER}", family.name)
        try:
            kept = build(family, self.folders[family.key], self.rows_file, self.work)
        except BenchmarkError as error:
            return replace(line, why=str(error))
        return replace(line, score=judge_all(kept, expected, self._truth(family)))

    def _run_driver(
        self,
        environment_name: str,
        driver: str,
        ways: Sequence[Way],
        expected: dict[str, list[Expected]],
    ) -> list[Result]:
        environment = next(e for e in ENVIRONMENTS if e.name == environment_name)
        tasks = [
            (way, family) for way in ways for family in self.families if family.key in way.families
        ]
        why = why_absent(environment, self.peers)
        if why:
            return [_line(way, family, why=why) for way, family in tasks]
        self.note(f"{environment.name}: {driver}, {len(tasks)} jobs")
        installed = versions(environment, self.peers)
        log = self._run_process(environment, driver, tasks)
        results = []
        for way, family in tasks:
            kept, why = _read(self._target(way, family), log)
            score = judge_all(kept, expected[family.key], self._truth(family)) if not why else None
            results.append(_line(way, family, score=score, why=why, versions=installed))
        return results

    def _run_process(
        self, environment: Environment, driver: str, tasks: Sequence[tuple[Way, Family]]
    ) -> Path:
        """Run the jobs in one process of the environment; return where its output lies."""
        folder = self.work / environment.name
        folder.mkdir(parents=True, exist_ok=True)
        jobs = [self._job(way, family) for way, family in tasks]
        file, log = folder / f"{driver}.json", folder / f"{driver}.log"
        file.write_text(json.dumps(jobs, ensure_ascii=False, indent=1), encoding="utf-8")
        module = f"benchmarks.trained_tokens.drivers.{driver}"
        with log.open("wb") as sink:
            subprocess.run(
                [str(environment.python(self.peers)), "-m", module, str(file)],
                cwd=ROOT,
                env={**os.environ, **_QUIET, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                check=False,
            )
        return log

    def _job(self, way: Way, family: Family) -> dict[str, object]:
        target = self._target(way, family)
        for stale in (target, Path(f"{target}.error")):
            stale.unlink(missing_ok=True)
        return {
            "rows": str(self.rows_file),
            "model": str(self.folders[family.key]),
            "marks": family.marks,
            "template": way.template(family),
            "settings": dict(way.settings),
            "scratch": str(target.with_suffix("")),
            "target": str(target),
        }

    def _target(self, way: Way, family: Family) -> Path:
        return self.work / way.environment / f"{way.key}-{family.key}.parquet"


def as_json(result: Result) -> dict[str, object]:
    """Return a result for `--json`: counts of rows and tokens, no shares."""
    score = result.score
    counts = None if score is None else {**vars(score), "boundaries": dict(score.boundaries)}
    return {**vars(result), "score": counts}


def _line(
    way: Way,
    family: Family,
    *,
    score: Score | None = None,
    why: str = "",
    versions: dict[str, str] | None = None,
) -> Result:
    tool = way.tool or way.environment
    return Result(tool, way.label, family.name, score, why, versions or {})


def _read(target: Path, log: Path) -> tuple[list[tuple[int, Trained]], str]:
    """Return the rows of a driver's file, or why there is none."""
    error = Path(f"{target}.error")
    if error.exists():
        return [], error.read_text(encoding="utf-8")
    if not target.exists():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [], lines[-1].strip() if lines else "ended without a word"
    table = pl.read_parquet(target)
    columns = (table[name].to_list() for name in ("row", "input_ids", "labels"))
    return [(row, Trained(ids, labels)) for row, ids, labels in zip(*columns, strict=True)], ""
