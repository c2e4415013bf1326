"""Think frames of the Qwen models."""

from dataclasses import replace
from typing import Final

from cotdata.render.frames.think_frame import (
    BLANKS,
    NEWLINES,
    NEWLINES_FIRST,
    Inline,
    Plain,
    Switch,
    ThinkFrame,
    Trims,
    Turns,
)

_TURNS: Final = Turns(
    user="<|im_start|>user\n{content}<|im_end|>\n",
    system="<|im_start|>system\n{content}<|im_end|>\n",
)
_ASSISTANT: Final = "<|im_start|>assistant\n"
_OPEN: Final = "<think>\n"
_CLOSE: Final = "\n</think>\n\n"
_EMPTY: Final = _OPEN + _CLOSE
_END: Final = "<|im_end|>"
_INLINE: Final = Inline("<think>", "</think>", "\n")
_THINKING: Final = Switch("enable_thinking", on=True, is_on=True)
_EFFORT: Final = (
    "Reasoning effort is set to xhigh. Please think carefully through the task, validate key "
    "assumptions, consider plausible alternatives, and prioritize correctness, consistency, and "
    "clarity in the final answer."
)

#: ChatML with the tags as text: what the open reasoning sets are trained with on Qwen2.5.
QWEN2_5: Final = ThinkFrame(
    name="qwen2.5",
    source="turns and default system prompt: Qwen2.5-Instruct's chat template, as in "
    "trl/chat_templates/qwen2_5.jinja (trl 1.16.0). The think tags are text there: Qwen2.5 "
    "itself does not reason.",
    turns=replace(
        _TURNS,
        default_system="You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
    ),
    assistant=_ASSISTANT,
    open=_OPEN,
    close=_CLOSE,
    stop=_END,
    after_stop="\n",
    reasoning_parser="deepseek_r1",
)

QWQ: Final = ThinkFrame(
    name="qwq",
    source="Qwen/QwQ-32B's chat template as collected in ikawrakow/ik_llama.cpp "
    "(Qwen-QwQ-32B.jinja, without that repository's thinking switch)",
    turns=_TURNS,
    assistant=_ASSISTANT,
    opened=_OPEN,
    close=_CLOSE,
    stop=_END,
    after_stop="\n",
    inline=_INLINE,
    trims=Trims(history=NEWLINES_FIRST),
    reasoning_parser="deepseek_r1",
)

QWEN3: Final = ThinkFrame(
    name="qwen3",
    source="Qwen3's chat template: tokenizer_config.json of Qwen/Qwen3, the same in "
    "trl/chat_templates/qwen3.jinja (trl 1.16.0)",
    turns=_TURNS,
    assistant=_ASSISTANT,
    open=_OPEN,
    close=_CLOSE,
    stop=_END,
    after_stop="\n",
    bare_open=_EMPTY,
    switch=_THINKING,
    plain=Plain(_EMPTY, is_prompted=True),
    inline=_INLINE,
    trims=Trims(reasoning=NEWLINES, answer=NEWLINES_FIRST),
    reasoning_parser="qwen3",
)

QWEN3_5: Final = ThinkFrame(
    name="qwen3.5",
    source="Qwen3.5's chat template of the models from 4B on: "
    "trl/chat_templates/qwen3_5_think.jinja (trl 1.16.0)",
    turns=_TURNS,
    assistant=_ASSISTANT,
    opened=_OPEN,
    close=_CLOSE,
    stop=_END,
    after_stop="\n",
    switch=_THINKING,
    plain=Plain(_EMPTY, is_prompted=True),
    inline=_INLINE,
    trims=Trims(system=BLANKS, user=BLANKS, reasoning=BLANKS, answer=BLANKS, history=BLANKS),
    reasoning_parser="qwen3",
)

QWEN3_5_SMALL: Final = replace(
    QWEN3_5,
    name="qwen3.5-small",
    source="Qwen3.5's chat template of the models up to 2B, which think only when told: "
    "trl/chat_templates/qwen3_5_nothink.jinja (trl 1.16.0)",
    switch=_THINKING._replace(is_on=False),
)

QWEN3_6: Final = replace(
    QWEN3_5,
    name="qwen3.6",
    source="Qwen3.6's chat template: trl/chat_templates/qwen3_6.jinja (trl 1.16.0); Qwen3.5's, "
    "with a switch that keeps earlier turns' reasoning",
    history_switch=Switch("preserve_thinking", on=True, is_on=False),
    history_kept=_EMPTY,
)

QWEN3_8: Final = replace(
    QWEN3_5,
    name="qwen3.8",
    source="Qwen3.8's chat template: trl/chat_templates/qwen3_8.jinja (trl 1.16.0), with the "
    "reasoning effort that it has by default; it reads no tags in the answer",
    turns=replace(
        _TURNS,
        system=f"<|im_start|>system\n{_EFFORT}\n\n{{content}}<|im_end|>\n",
        no_system=f"<|im_start|>system\n{_EFFORT}<|im_end|>\n",
    ),
    plain=Plain(_EMPTY, is_prompted=True, turns=_TURNS),
    keeps_history=True,
    history_switch=Switch("preserve_thinking", on=True, is_on=True),
    history_kept=_EMPTY,
    inline=None,
    skips_empty_system=True,
)

QWEN_FRAMES: Final = (QWQ, QWEN3, QWEN3_5, QWEN3_5_SMALL, QWEN3_6, QWEN3_8, QWEN2_5)
