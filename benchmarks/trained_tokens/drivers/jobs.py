"""What every driver shares: the jobs it is given, the rows, and how its tokens are handed back.

Runs in the environments of the tools, so it imports the standard library, and pyarrow once there is
something to write.
"""

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

#: A row as a tool keeps it: its number, its ids, its labels (-100 where nothing is trained).
Tokens: TypeAlias = tuple[int, Sequence[int], Sequence[int]]


@dataclass(frozen=True)
class Job:
    """One way of using the tool, with one family.

    Attributes:
        rows: JSON Lines with `row`, `Question`, `Complex_CoT` and `Response`.
        model: a folder with a tokenizer and a `config.json`.
        marks: how a question and an answer begin in this family.
        template: the family's name in the tool, where the tool has one.
        settings: what this way sets; the driver says what it understands.
        scratch: a folder of this job's own.
        target: the parquet file to write; `.error` is put after its name where that fails.
    """

    rows: str
    model: str
    marks: tuple[str, str]
    template: str
    settings: dict[str, Any]
    scratch: str
    target: str

    def read(self) -> list[dict[str, Any]]:
        """Return the rows."""
        with Path(self.rows).open(encoding="utf-8") as source:
            return [json.loads(line) for line in source]

    @property
    def form(self) -> str:
        """Return how reasoning is written into messages: see `answer`."""
        return str(self.settings.get("form", "newlines"))


def question(row: dict[str, Any]) -> dict[str, str]:
    """Return what the user says."""
    return {"role": "user", "content": row["Question"]}


def answer(row: dict[str, Any], form: str) -> dict[str, str]:
    """Return what the assistant says, the reasoning written in one of the documented forms."""
    reasoning, response = row["Complex_CoT"], row["Response"]
    if form == "reasoning_content":
        return {"role": "assistant", "content": response, "reasoning_content": reasoning}
    contents = {
        "newlines": f"<think>\n{reasoning}\n</think>\n\n{response}",
        "bare": f"<think>{reasoning}</think>{response}",
    }
    return {"role": "assistant", "content": contents[form]}


def run_jobs(tokenize: Callable[[Job], Iterable[Tokens]], *modules: str) -> None:
    """Run the jobs of the file named on the command line, each in a fork of this process.

    `modules` are imported before: a fork each, so that the tool is imported once, while what one
    job does to it, a crash included, stays its own.
    """
    for module in modules:
        importlib.import_module(module)
    for record in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        job = Job(**{**record, "marks": tuple(record["marks"])})
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            _run(job, tokenize)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code and not _error(job).exists():
            _error(job).write_text(f"ended with {code}", encoding="utf-8")


def _run(job: Job, tokenize: Callable[[Job], Iterable[Tokens]]) -> None:
    """Run one job and end the process."""
    code = 1
    try:
        Path(job.scratch).mkdir(parents=True, exist_ok=True)
        os.chdir(job.scratch)
        _write(tokenize(job), Path(job.target))
        code = 0
    except BaseException as error:
        traceback.print_exc()
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = f"{type(error).__name__}: {' '.join(lines)}"
        _error(job).write_text(text, encoding="utf-8")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _error(job: Job) -> Path:
    return Path(f"{job.target}.error")


def _write(found: Iterable[Tokens], target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, ids, labels = [], [], []
    for row, row_ids, row_labels in found:
        rows.append(row)
        ids.append(list(row_ids))
        labels.append(list(row_labels))
    tokens = pa.list_(pa.int32())
    table = pa.table(
        {
            "row": pa.array(rows, pa.int32()),
            "input_ids": pa.array(ids, tokens),
            "labels": pa.array(labels, tokens),
        }
    )
    pq.write_table(table, target)
