# mypy: disable-error-code="import-not-found, import-untyped, no-untyped-call, attr-defined"
"""ms-swift: the pipeline of `swift export --to_cached_dataset`, then the encoding of its training.

Settings: `loss_scale`, and `form` of the messages. The template is the one that the tool's own
list of models gives the family.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.trained_tokens.drivers.jobs import Job, Tokens, answer, question, run_jobs


def tokenize(job: Job) -> Iterator[Tokens]:
    """Return what `swift sft` trains on: tokens whose loss scale is 0 have no loss."""
    from swift.arguments import ExportArguments
    from swift.pipelines.export.cached_dataset import ExportCachedDataset

    arguments = ExportArguments(
        model=job.model,
        model_type=json.loads(Path(job.model, "config.json").read_text())["model_type"],
        template=job.template,
        dataset=[str(_write(job))],
        to_cached_dataset=True,
        max_length=32_768,
        loss_scale=job.settings.get("loss_scale", "default"),
        output_dir=f"{job.scratch}/output",
        exist_ok=True,
        load_from_cache_file=False,
        dataset_shuffle=False,
    )
    pipeline = ExportCachedDataset(arguments)
    dataset, _ = pipeline._get_dataset()
    for row, kept in zip(job.read(), dataset, strict=True):
        if kept["messages"][0]["content"] != row["Question"]:
            raise RuntimeError("the rows came back in another order, without their numbers")
        found = pipeline.template.encode(kept)
        labels = found["labels"]
        scale = found.get("loss_scale")
        if scale is not None:
            pairs = zip(labels, scale, strict=True)
            labels = [label if weight else -100 for label, weight in pairs]
        yield row["row"], found["input_ids"], labels


def _write(job: Job) -> Path:
    target = Path(job.scratch, "rows.jsonl")
    with target.open("w", encoding="utf-8") as sink:
        for row in job.read():
            record = {"row": row["row"], "messages": [question(row), answer(row, job.form)]}
            sink.write(json.dumps(record, ensure_ascii=False) + "\n")
    return target


if __name__ == "__main__":
    run_jobs(tokenize, "swift.pipelines.export.cached_dataset")
