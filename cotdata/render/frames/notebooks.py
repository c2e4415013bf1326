"""Think frames of published fine-tuning notebooks and hand-written trainers, for any tokenizer."""

from dataclasses import replace
from typing import Final

from cotdata.render.frames.think_frame import ThinkFrame, Turns

ALPACA_THINK: Final = ThinkFrame(
    name="alpaca-think",
    source="the training prompt of the published medical-o1 fine-tuning notebooks, English; the "
    "system prompt (`render.system`) is its `### Instruction`. Some copies have a blank line "
    "before each heading: write those out as a frame of your own",
    turns=Turns(
        user="### Question:\n{content}\n",
        system="### Instruction:\n{content}\n",
        default_system="You are a medical expert with advanced knowledge in clinical reasoning, "
        "diagnostics, and treatment planning.\nPlease answer the following medical question.",
    ),
    head="{bos}Below is an instruction that describes a task, paired with an input that provides "
    "further context.\nWrite a response that appropriately completes the request.\nBefore "
    "answering, think carefully about the question and create a step-by-step chain of thoughts "
    "to ensure a logical and accurate response.\n\n",
    assistant="### Response:\n",
    opened="<think>\n",
    close="\n</think>\n",
    stop="{eos}",
    after_stop="\n",
    reasoning_parser="deepseek_r1",
)

ALPACA_THINK_ZH: Final = replace(
    ALPACA_THINK,
    name="alpaca-think-zh",
    source="the training prompt of the Chinese fine-tuning notebooks, in the English one's layout",
    turns=replace(ALPACA_THINK.turns, default_system="你是一名助人为乐的助手。"),
    head="{bos}请写出一个恰当的回答来完成当前对话任务。\n\n",
)

DIAGNOSIS_ZH: Final = ThinkFrame(
    name="diagnosis-zh",
    source="the hand-written trainers for R1 distills, with full-width colons; it has no tags and "
    "no place for a system prompt",
    turns=Turns(user="诊断问题：{content}\n"),
    head="{bos}",
    assistant="详细分析：",
    close="\n### 答案：\n",
    stop="{eos}",
    after_stop="\n",
    history_open="\n### 答案：\n",
    bare_open="\n### 答案：\n",
)

INSTRUCTION: Final = ThinkFrame(
    name="instruction",
    source="the instruction format of the fine-tuning notebooks (`### Instruction:`, `### "
    "Response:`), after which the model writes think tags; a system prompt stands first",
    turns=Turns(user="### Instruction:\n{content}\n", system="{content}\n\n"),
    head="{bos}",
    assistant="### Response:\n",
    open="<think>\n",
    close="\n</think>\n\n",
    stop="{eos}",
    after_stop="\n",
    reasoning_parser="deepseek_r1",
)

PLAIN: Final = ThinkFrame(
    name="plain",
    source="no model's: the question, a blank line, and what the model writes, for base models "
    "and tokenizers without tokens for roles. Think tags are text; the tokenizer's eos ends it",
    turns=Turns(user="{content}\n\n", system="{content}\n\n"),
    head="{bos}",
    assistant="",
    open="<think>\n",
    close="\n</think>\n\n",
    stop="{eos}",
    after_stop="\n\n",
    reasoning_parser="deepseek_r1",
)

NOTEBOOK_FRAMES: Final = (ALPACA_THINK, ALPACA_THINK_ZH, DIAGNOSIS_ZH, INSTRUCTION, PLAIN)
