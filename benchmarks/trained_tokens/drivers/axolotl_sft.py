# mypy: disable-error-code="import-not-found, import-untyped, no-untyped-call, attr-defined"
"""axolotl: a config file with `type: chat_template`, through what `axolotl preprocess` calls.

Settings: `sequence_len` (the tool's own default where it is absent), `form` of the messages.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.trained_tokens.drivers.jobs import Job, Tokens, answer, question, run_jobs


def tokenize(job: Job) -> Iterator[Tokens]:
    """Return the prepared dataset; it has lost the rows' numbers, so their question names them."""
    from axolotl.cli.config import load_cfg
    from axolotl.common.datasets import load_datasets
    from axolotl.loaders import load_tokenizer

    rows = job.read()
    config = load_cfg(str(_write_config(rows, job)), is_preprocess=True)
    config.is_preprocess = True
    dataset = load_datasets(cfg=config).train_dataset
    numbers = _Numbers(rows, load_tokenizer(config))
    for found in dataset:
        yield numbers.of(found["input_ids"]), found["input_ids"], found["labels"]


class _Numbers:
    """Which row a sequence of ids is: its question stands in it; twins are taken in order."""

    def __init__(self, rows: list[dict[str, Any]], tokenizer: Any) -> None:  # noqa: ANN401
        self._tokenizer = tokenizer
        self._rows = rows
        self._free: dict[str, list[int]] = defaultdict(list)
        for row in reversed(rows):
            self._free[row["Question"]].append(row["row"])

    def of(self, ids: list[int]) -> int:
        text = self._tokenizer.decode(ids)
        found = [asked for asked, free in self._free.items() if free and asked in text]
        answered = [
            asked for asked in found if self._rows[self._free[asked][-1]]["Response"] in text
        ]
        if not answered:
            raise RuntimeError(f"a sequence that is no row's: {text[:80]!r}")
        return self._free[max(answered, key=len)].pop()


def _write_config(rows: list[dict[str, Any]], job: Job) -> Path:
    folder = Path(job.scratch)
    data = folder / "rows.jsonl"
    with data.open("w", encoding="utf-8") as sink:
        for row in rows:
            record = {"messages": [question(row), answer(row, job.form)]}
            sink.write(json.dumps(record, ensure_ascii=False) + "\n")
    config: dict[str, Any] = {
        "base_model": job.model,
        "datasets": [{"path": str(data), "ds_type": "json", "type": "chat_template"}],
        "dataset_prepared_path": str(folder / "prepared"),
        "output_dir": str(folder / "output"),
        "micro_batch_size": 1,
        "gradient_accumulation_steps": 1,
        "num_epochs": 1,
        "learning_rate": 2e-5,
        "shuffle_merged_datasets": False,
        "dataset_num_proc": 1,
    }
    if "sequence_len" in job.settings:
        config["sequence_len"] = job.settings["sequence_len"]
    target = folder / "config.yaml"
    target.write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    return target


if __name__ == "__main__":
    os.environ.update(AXOLOTL_IS_PREPROCESS="1", AXOLOTL_DO_NOT_TRACK="1")
    run_jobs(tokenize, "axolotl.common.datasets", "axolotl.cli.config")
