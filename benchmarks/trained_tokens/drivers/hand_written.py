# mypy: disable-error-code="import-not-found, import-untyped, no-untyped-call, attr-defined"
"""The hand-written trainer: its own prompt, cut and padded to 512 tokens, labels a copy of the ids.

Formats as in the published scripts for local R1 distills: `diagnosis-zh` text, `<|endoftext|>`
written after the answer by hand, `padding="max_length"` and no mask.
"""

from collections.abc import Iterator
from typing import Final

from benchmarks.trained_tokens.drivers.jobs import Job, Tokens, run_jobs

_TEXT: Final = "诊断问题：{Question}\n详细分析：{Complex_CoT}\n### 答案：\n{Response}<|endoftext|>"
_LENGTH: Final = 512


def tokenize(job: Job) -> Iterator[Tokens]:
    """Return what the script's `map` returns; the default collator adds nothing to it."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(job.model)
    for row in job.read():
        inputs = tokenizer(
            _TEXT.format(**row), max_length=_LENGTH, padding="max_length", truncation=True
        )
        yield row["row"], inputs["input_ids"], list(inputs["input_ids"])


if __name__ == "__main__":
    run_jobs(tokenize, "transformers")
