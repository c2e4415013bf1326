# mypy: disable-error-code="import-not-found, import-untyped, no-untyped-call, attr-defined"
"""unsloth_zoo: text by the chat template, its own dataset preparation, `train_on_responses_only`.

As the notebooks do it: `text = apply_chat_template(messages, tokenize=False)`, `SFTTrainer`, then
`train_on_responses_only(trainer, instruction_part=…, response_part=…)`. unsloth itself, which asks
for a GPU, puts unsloth_zoo's `sft_prepare_dataset` in the place of TRL's; this does the same.

Settings: `form`; `detect` leaves the markers to the tool.
"""

import os
from collections.abc import Iterator

from benchmarks.trained_tokens.drivers.jobs import Job, Tokens, answer, question, run_jobs


def tokenize(job: Job) -> Iterator[Tokens]:
    """Return the trainer's dataset after masking; fully masked rows are dropped by the tool."""
    import unsloth_zoo  # noqa: F401 - patches what is imported after it
    from datasets import Dataset
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer
    from unsloth_zoo.dataset_utils import sft_prepare_dataset, train_on_responses_only

    SFTTrainer._prepare_dataset = sft_prepare_dataset
    tokenizer = AutoTokenizer.from_pretrained(job.model)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(job.model))
    rows = job.read()
    texts = [
        tokenizer.apply_chat_template([question(row), answer(row, job.form)], tokenize=False)
        for row in rows
    ]
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=job.scratch,
            dataset_text_field="text",
            max_length=32_768,
            bf16=False,
            use_cpu=True,
            report_to="none",
            dataset_num_proc=1,
        ),
        train_dataset=Dataset.from_dict({"text": texts}),
        processing_class=tokenizer,
    )
    asked, answered = job.marks
    marks = (
        {}
        if job.settings.get("detect")
        else {
            "instruction_part": asked,
            "response_part": answered,
        }
    )
    kept = train_on_responses_only(trainer, **marks).train_dataset
    if len(kept) != len(rows):
        raise RuntimeError(f"{len(kept)} of {len(rows)} rows came back, without their numbers")
    for row, found in zip(rows, kept, strict=True):
        yield row["row"], found["input_ids"], found["labels"]


if __name__ == "__main__":
    os.environ.update(UNSLOTH_ZOO_DISABLE_GPU_INIT="1", UNSLOTH_ALLOW_CPU="1")
    run_jobs(tokenize, "unsloth_zoo.dataset_utils", "trl.trainer.sft_trainer")
