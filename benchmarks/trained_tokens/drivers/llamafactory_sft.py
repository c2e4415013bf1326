# mypy: disable-error-code="import-not-found, import-untyped, no-untyped-call, attr-defined"
"""LLaMA-Factory: an alpaca dataset declared in `dataset_info.json`, through its `get_dataset`.

The template is the one that the tool's own list of models gives the family (README: "use the same
template in training and inference"). Reasoning stands inline, which is what it parses; settings:
none.
"""

import json
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from benchmarks.trained_tokens.drivers.jobs import Job, Tokens, answer, run_jobs


def tokenize(job: Job) -> Iterator[Tokens]:
    """Return the dataset that `run_sft` would train on."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    rows = job.read()
    _declare(rows, job)
    model, data, training, _, _ = get_train_args(
        {
            "stage": "sft",
            "do_train": True,
            "finetuning_type": "lora",
            "model_name_or_path": job.model,
            "dataset": "rows",
            "dataset_dir": job.scratch,
            "template": job.template,
            "cutoff_len": 32_768,
            "overwrite_cache": True,
            "output_dir": f"{job.scratch}/output",
            "report_to": "none",
        }
    )
    loaded = load_tokenizer(model)
    template = get_template_and_fix_tokenizer(loaded["tokenizer"], data)
    module = get_dataset(template, model, data, training, stage="sft", **loaded)
    kept = module["train_dataset"]
    if len(kept) != len(rows):
        raise RuntimeError(f"{len(kept)} of {len(rows)} rows came back, without their numbers")
    for row, found in zip(rows, kept, strict=True):
        yield row["row"], found["input_ids"], found["labels"]


def _declare(rows: list[dict[str, str]], job: Job) -> None:
    records = [
        {"instruction": row["Question"], "output": answer(row, job.form)["content"]} for row in rows
    ]
    folder = Path(job.scratch)
    text = json.dumps(records, ensure_ascii=False)
    (folder / "rows.json").write_text(text, encoding="utf-8")
    columns = {"prompt": "instruction", "response": "output"}
    declared = {"rows": {"file_name": "rows.json", "columns": columns}}
    (folder / "dataset_info.json").write_text(json.dumps(declared), encoding="utf-8")


def _stand_in(name: str) -> None:
    """Put an empty module in the place of one that is imported and, for text, never used.

    No build of torchaudio fits a CPU build of torch.
    """
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    sys.modules[name] = module


if __name__ == "__main__":
    _stand_in("torchaudio")
    run_jobs(tokenize, "llamafactory.data", "llamafactory.hparams", "llamafactory.model")
