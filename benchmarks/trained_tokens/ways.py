"""The documented ways of using each tool that the table compares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from benchmarks.trained_tokens.families import FAMILIES, Family

_ALL: Final = tuple(family.key for family in FAMILIES)


@dataclass(frozen=True)
class Way:
    """One line of the table.

    Attributes:
        environment: where it runs.
        driver: the module under `drivers`.
        label: what the table says of it.
        settings: what the driver is told.
        families: keys of the families that it is for.
        tool: as the table names it, where that is not the environment's tool.
    """

    environment: str
    driver: str
    label: str
    settings: Mapping[str, object] = field(default_factory=dict)
    families: tuple[str, ...] = _ALL
    tool: str = ""

    @property
    def key(self) -> str:
        """Return a name for files."""
        words = f"{self.environment} {self.label}".split()
        return "-".join("".join(c for c in word if c.isalnum() or c in "._") for word in words)

    def template(self, family: Family) -> str:
        """Return the family's name in the tool."""
        names = {"llamafactory_sft": family.llamafactory, "swift_sft": family.swift}
        return names.get(self.driver, "")


def _trl(environment: str) -> tuple[Way, ...]:
    pairs: dict[str, object] = {"data": "prompt_completion"}
    masked: dict[str, object] = {"data": "messages", "assistant_only": True}
    return (
        Way(
            environment, "trl_sft", "prompt+completion <think>C</think>A", {**pairs, "form": "bare"}
        ),
        Way(environment, "trl_sft", "prompt+completion, newlines", {**pairs, "form": "newlines"}),
        Way(
            environment,
            "trl_sft",
            "prompt+completion, reasoning_content",
            {**pairs, "form": "reasoning_content"},
        ),
        Way(
            environment, "trl_sft", "assistant_only_loss, newlines", {**masked, "form": "newlines"}
        ),
        Way(
            environment,
            "trl_sft",
            "assistant_only_loss, reasoning_content",
            {**masked, "form": "reasoning_content"},
        ),
    )


_SWIFT: Final = "ms-swift-4.6.0"
_AXOLOTL: Final = "axolotl-0.19.0"
_UNSLOTH: Final = "unsloth_zoo-2026.10.9"
_PREFIX: Final = {"loss_scale": "ignore_think_prefix"}
_FIELD: Final = {"form": "reasoning_content"}
_LONG: Final = {"sequence_len": 32_768}
_NOTEBOOK: Final = ("r1-distill", "qwen3")

WAYS: Final = (
    *_trl("trl-1.14.2"),
    *_trl("trl-1.16.0"),
    Way("llamafactory-0.9.5", "llamafactory_sft", "its template"),
    Way(
        "llamafactory-0.9.5-transformers-4.57",
        "llamafactory_sft",
        "its template, transformers 4.57",
        tool="llamafactory-0.9.5",
    ),
    Way(_SWIFT, "swift_sft", "default"),
    Way(_SWIFT, "swift_sft", "default, reasoning_content", _FIELD),
    Way(_SWIFT, "swift_sft", "loss_scale ignore_think_prefix", _PREFIX),
    Way(_AXOLOTL, "axolotl_sft", "chat_template, default length"),
    Way(_AXOLOTL, "axolotl_sft", "chat_template", _LONG),
    Way(_AXOLOTL, "axolotl_sft", "chat_template, reasoning_content", {**_LONG, **_FIELD}),
    Way(_UNSLOTH, "unsloth_masks", "response mask, markers given"),
    Way(_UNSLOTH, "unsloth_masks", "response mask, reasoning_content", _FIELD),
    Way(_UNSLOTH, "unsloth_masks", "response mask, markers detected", {"detect": True}),
    Way(
        "trl-1.14.2",
        "trl_sft",
        "alpaca-think text, no mask",
        {"data": "alpaca"},
        _NOTEBOOK,
        "notebook",
    ),
    Way(
        "trl-1.14.2",
        "hand_written",
        "512 tokens, padding trained",
        {},
        _NOTEBOOK,
        "hand-written Trainer",
    ),
)
