"""The model families, and how each of them writes: published facts, nothing of cotdata's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from benchmarks.settings import BenchmarkError

_CLOSED: Final = "{reasoning}\n</think>\n\n{answer}"


@dataclass(frozen=True)
class Family:
    """One family.

    Attributes:
        name: as the table prints it.
        key: of its folder.
        tokenizer: the folder of its vocabulary.
        template: a file with its chat template; the tokenizer's own where there is none.
        opening: what its generation prompt must end with; a guard against a wrong template.
        completion: what the model writes after that prompt, before the stop token.
        stop: the token at which servers stop.
        config: of its published `config.json`, what decides how its tokenizer is loaded.
        marks: how a question and an answer begin, for tools that mask by markers.
        llamafactory: the template that LLaMA-Factory's own list of models gives it.
        swift: the template that ms-swift's own list gives it.
    """

    name: str
    key: str
    tokenizer: str
    template: str | None
    opening: str
    completion: str
    stop: str
    config: Mapping[str, object] = field(repr=False)
    marks: tuple[str, str]
    llamafactory: str
    swift: str


_QWEN2: Final = {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}
_QWEN3: Final = {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "head_dim": 8}
_CHATML: Final = ("<|im_start|>user\n", "<|im_start|>assistant\n")

FAMILIES: Final = (
    # Generation format: deepseek-ai/DeepSeek-R1, README, "Usage Recommendations".
    Family(
        name="R1-Distill",
        key="r1-distill",
        tokenizer="deepseek-r1-distill-qwen",
        template=None,
        opening="<｜Assistant｜><think>\n",
        completion=_CLOSED,
        stop="<｜end▁of▁sentence｜>",
        config=_QWEN2,
        marks=("<｜User｜>", "<｜Assistant｜>"),
        llamafactory="deepseekr1",
        swift="deepseek_r1",
    ),
    # Qwen/Qwen3-8B, README: the model opens the block itself.
    Family(
        name="Qwen3",
        key="qwen3",
        tokenizer="qwen3",
        template=None,
        opening="<|im_start|>assistant\n",
        completion=f"<think>\n{_CLOSED}",
        stop="<|im_end|>",
        config=_QWEN3,
        marks=_CHATML,
        llamafactory="qwen3",
        swift="qwen3",
    ),
    # Qwen/QwQ-32B, README: the prompt opens the block.
    Family(
        name="QwQ",
        key="qwq",
        tokenizer="qwen3",
        template="Qwen-QwQ-32B.jinja",
        opening="<|im_start|>assistant\n<think>\n",
        completion=_CLOSED,
        stop="<|im_end|>",
        config=_QWEN2,
        marks=_CHATML,
        llamafactory="qwen",
        swift="qwq",
    ),
)


def family_named(name: str) -> Family:
    """Return the family with this name or key."""
    for family in FAMILIES:
        if name.casefold() in {family.name.casefold(), family.key}:
            return family
    known = ", ".join(family.key for family in FAMILIES)
    raise BenchmarkError(f"no such family: {name}; there are {known}")
