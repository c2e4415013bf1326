# mypy: disable-error-code="import-not-found, import-untyped, no-untyped-call, attr-defined"
"""TRL: `SFTTrainer` prepares its `train_dataset`; settings: `data`, `form`, `assistant_only`.

`data` is `prompt_completion` (docs: "Prompt-completion", where the loss is on the completion),
`messages` (docs: "Train on assistant messages only", with `assistant_only`) or `alpaca`, the text
of the published fine-tuning notebooks, which has no mask.
"""

from collections.abc import Iterator
from typing import Any, Final

from benchmarks.trained_tokens.drivers.jobs import Job, Tokens, answer, question, run_jobs

#: "Fine-tuning DeepSeek R1" notebooks on medical-o1-reasoning-SFT.
ALPACA: Final = """Below is an instruction that describes a task, paired with an input that \
provides further context.
Write a response that appropriately completes the request.
Before answering, think carefully about the question and create a step-by-step chain of thoughts \
to ensure a logical and accurate response.

### Instruction:
You are a medical expert with advanced knowledge in clinical reasoning, diagnostics, and treatment \
planning.
Please answer the following medical question.
### Question:
{Question}
### Response:
<think>
{Complex_CoT}
</think>
{Response}"""


def tokenize(job: Job) -> Iterator[Tokens]:
    """Return the trainer's dataset; it shuffles nothing and carries `row` along."""
    from datasets import Dataset
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(job.model)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(job.model))
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=job.scratch,
            max_length=None,
            bf16=False,
            use_cpu=True,
            report_to="none",
            assistant_only_loss=bool(job.settings.get("assistant_only")),
        ),
        train_dataset=Dataset.from_list([record(row, job, tokenizer) for row in job.read()]),
        processing_class=tokenizer,
    )
    for row in trainer.train_dataset:
        yield row["row"], row["input_ids"], row["labels"]


def record(row: dict[str, Any], job: Job, tokenizer: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a row as the documents have it."""
    match job.settings["data"]:
        case "alpaca":
            content: dict[str, Any] = {"text": ALPACA.format(**row) + tokenizer.eos_token}
        case "messages":
            content = {"messages": [question(row), answer(row, job.form)]}
        case _:
            content = {"prompt": [question(row)], "completion": [answer(row, job.form)]}
    return {"row": row["row"], **content}


if __name__ == "__main__":
    run_jobs(tokenize, "datasets", "trl.trainer.sft_trainer")
