"""Think frames of the other model families."""

from dataclasses import replace
from typing import Final

from cotdata.render.forms import PYTHON_BLANKS
from cotdata.render.frames.think_frame import (
    BLANKS,
    BLANKS_LAST,
    NEWLINES_FIRST,
    Inline,
    Plain,
    Switch,
    ThinkFrame,
    Trims,
    Turns,
)

_CHATML_USER: Final = "<|im_start|>user\n{content}<|im_end|>\n"
_CHATML_SYSTEM: Final = "<|im_start|>system\n{content}<|im_end|>\n"
_THINKING: Final = Switch("enable_thinking", on=True, is_on=True)

DEEPSEEK_R1: Final = ThinkFrame(
    name="deepseek-r1",
    source="the chat template of the Qwen and Llama distills of DeepSeek-R1: tokenizer_config.json "
    "of DeepSeek-R1-Distill-Qwen, the same in trl/chat_templates/deepseek_r1_distill.jinja (trl "
    "1.16.0). That deletes the reasoning; close and stop: what its models write after the prompt",
    turns=Turns(user="<｜User｜>{content}", system="{content}"),
    head="{bos}",
    assistant="<｜Assistant｜>",
    opened="<think>\n",
    close="\n</think>\n\n",
    stop="<｜end▁of▁sentence｜>",
    inline=Inline("<think>", "</think>", ""),
    reasoning_parser="deepseek_r1",
)

DEEPSEEK_V3_1: Final = ThinkFrame(
    name="deepseek-v3.1",
    source="deepseek-ai/DeepSeek-V3.1's chat template as collected in ikawrakow/ik_llama.cpp "
    "(deepseek-ai-DeepSeek-V3.1.jinja). That deletes the reasoning; close: what its own empty "
    "block writes",
    turns=Turns(user="<｜User｜>{content}", system="{content}"),
    head="{bos}",
    assistant="<｜Assistant｜>",
    opened="<think>",
    close="</think>",
    stop="<｜end▁of▁sentence｜>",
    history_open="<think></think>",
    switch=Switch("thinking", on=True, is_on=False),
    plain=Plain("<think></think>", is_prompted=True),
    inline=Inline("<think>", "</think>", ""),
    reasoning_parser="deepseek_v3",
)

GPT_OSS: Final = ThinkFrame(
    name="gpt-oss",
    source="gpt-oss' chat template: trl/chat_templates/gptoss.jinja (trl 1.16.0), the same as "
    "openai-gpt-oss-120b.jinja in ikawrakow/ik_llama.cpp; reasoning effort medium, its default",
    turns=Turns(
        user="<|start|>user<|message|>{content}<|end|>",
        system="<|start|>developer<|message|># Instructions\n\n{content}\n\n<|end|>",
    ),
    head="<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\n"
    "Knowledge cutoff: 2024-06\nCurrent date: {date:%Y-%m-%d}\n\nReasoning: medium\n\n"
    "# Valid channels: analysis, commentary, final. Channel must be included for every message."
    "<|end|>",
    assistant="<|start|>assistant",
    open="<|channel|>analysis<|message|>",
    close="<|end|><|start|>assistant<|channel|>final<|message|>",
    stop="<|return|>",
    history_end="<|end|>",
    history_open="<|channel|>final<|message|>",
    bare_open="<|channel|>final<|message|>",
    skips_empty_system=True,
    reasoning_parser="openai_gptoss",
)

GLM: Final = ThinkFrame(
    name="glm",
    source="GLM-4.5's and 4.6's chat template: trl/chat_templates/glm4moe.jinja (trl 1.16.0). It "
    "leaves the last answer open; the stop is what begins the next turn, as in that package's "
    "glm4moe_training.jinja",
    turns=Turns(user="<|user|>\n{content}", system="<|system|>\n{content}"),
    head="[gMASK]<sop>",
    assistant="<|assistant|>",
    open="\n<think>",
    close="</think>\n",
    stop="<|user|>",
    history_end="",
    history_open="\n<think></think>\n",
    bare_open="\n<think></think>\n",
    switch=_THINKING,
    plain=Plain(
        "\n<think></think>",
        is_prompted=True,
        before="\n",
        turns=Turns(user="<|user|>\n{content}/nothink", system="<|system|>\n{content}"),
    ),
    trims=Trims(reasoning=BLANKS, answer=BLANKS, history=BLANKS),
    inline=Inline("<think>", "</think>", PYTHON_BLANKS),
    reasoning_parser="glm45",
)

GLM_4_7: Final = replace(
    GLM,
    name="glm-4.7",
    source="GLM-4.7-Flash's chat template as collected in ikawrakow/ik_llama.cpp "
    "(GLM-4.7-Flash.jinja); the stop is what begins the next turn, as for the frame `glm`",
    turns=Turns(user="<|user|>{content}", system="<|system|>{content}"),
    opened="<think>",
    open="",
    close="</think>",
    history_open="</think>",
    bare_open=None,
    plain=Plain("</think>", is_prompted=True),
    history_switch=Switch("clear_thinking", on=False, is_on=False),
    reasoning_parser="glm47",
)

NEMOTRON: Final = ThinkFrame(
    name="nemotron",
    source="Nemotron-3-Nano's and Super's chat templates: trl/chat_templates/nemotron_3_nano.jinja "
    "and nemotron_3_super.jinja (trl 1.16.0)",
    turns=Turns(
        user=_CHATML_USER, system=_CHATML_SYSTEM, no_system="<|im_start|>system\n<|im_end|>\n"
    ),
    assistant="<|im_start|>assistant\n",
    opened="<think>\n",
    close="\n</think>\n",
    stop="<|im_end|>",
    after_stop="\n",
    history_open="<think></think>",
    history_dropped="<think></think>\n",
    history_switch=Switch("truncate_history_thinking", on=False, is_on=False),
    switch=_THINKING,
    plain=Plain("<think></think>", is_prompted=True),
    trims=Trims(answer=BLANKS_LAST, history=BLANKS_LAST),
    inline=Inline("<think>", "</think>", "\n"),
    reasoning_parser="nemotron_v3",
)

NEMOTRON_ULTRA: Final = replace(
    NEMOTRON,
    name="nemotron-ultra",
    source="Nemotron-3-Ultra's and Nemotron-3.5-Lightning's chat templates: "
    "trl/chat_templates/nemotron_3_ultra.jinja and nemotron_3_5_lightning.jinja (trl 1.16.0)",
    close="</think>",
    history_dropped="<think></think>",
)

GEMMA_4: Final = ThinkFrame(
    name="gemma-4",
    source="Gemma 4's chat template in its fifth revision, without tools: "
    "trl/chat_templates/gemma4_v5.jinja (trl 1.16.0)",
    turns=Turns(
        user="<|turn>user\n{content}<turn|>\n",
        system="<|turn>system\n<|think|>\n{content}<turn|>\n",
        no_system="<|turn>system\n<|think|>\n<turn|>\n",
    ),
    head="{bos}",
    assistant="<|turn>model\n",
    open="<|channel>thought\n",
    close="\n<channel|>",
    stop="<turn|>",
    after_stop="\n",
    switch=Switch("enable_thinking", on=True, is_on=False),
    plain=Plain(
        "",
        is_prompted=True,
        turns=Turns(
            user="<|turn>user\n{content}<turn|>\n", system="<|turn>system\n{content}<turn|>\n"
        ),
    ),
    trims=Trims(system=BLANKS, user=BLANKS, answer=BLANKS, history=BLANKS),
    inline=Inline("<|channel>thought", "<channel|>", "\n"),
    reasoning_parser="gemma4",
)

KIMI_K2_THINKING: Final = ThinkFrame(
    name="kimi-k2-thinking",
    source="Kimi-K2-Thinking's chat template as collected in ggml-org/llama.cpp "
    "(models/templates/moonshotai-Kimi-K2-Thinking.jinja at 0c3c896e), not compared with an "
    "original",
    turns=Turns(
        user="<|im_user|>user<|im_middle|>{content}<|im_end|>",
        system="<|im_system|>system<|im_middle|>{content}<|im_end|>",
        default_system="You are Kimi, an AI assistant created by Moonshot AI.",
    ),
    assistant="<|im_assistant|>assistant<|im_middle|>",
    open="<think>",
    close="</think>",
    stop="<|im_end|>",
    history_open="<think></think>",
    bare_open="<think></think>",
    reasoning_parser="kimi_k2",
)

SEED_OSS: Final = ThinkFrame(
    name="seed-oss",
    source="Seed-OSS' chat template as collected in ggml-org/llama.cpp "
    "(models/templates/ByteDance-Seed-OSS.jinja at b1933d30), with its default thinking budget; "
    "not compared with an original. Its budget of 0 writes no empty block, so no form without "
    "reasoning is given here",
    turns=Turns(
        user="<seed:bos>user\n{content}<seed:eos>",
        system="<seed:bos>system\n{content}<seed:eos>",
    ),
    assistant="<seed:bos>assistant\n",
    open="<seed:think>",
    close="</seed:think>\n",
    stop="<seed:eos>",
    keeps_history=True,
    trims=Trims(reasoning=BLANKS, answer=BLANKS, history=BLANKS),
    reasoning_parser="seed_oss",
)

_PHI: Final = (
    "You are Phi, a language model trained by Microsoft to help users. Your role as an assistant "
    "involves thoroughly exploring questions through a systematic thinking process before "
    "providing the final precise and accurate solutions. This requires engaging in a "
    "comprehensive cycle of analysis, summarizing, exploration, reassessment, reflection, "
    "backtracing, and iteration to develop well-considered thinking process. Please structure "
    "your response into two main sections: Thought and Solution using the specified format: "
    "<think> {Thought section} </think> {Solution section}. In the Thought section, detail your "
    "reasoning process in steps. Each step should include detailed considerations such as "
    "analysing questions, summarizing relevant findings, brainstorming new ideas, verifying the "
    "accuracy of the current steps, refining any errors, and revisiting previous steps. In the "
    "Solution section, based on various attempts, explorations, and reflections from the Thought "
    "section, systematically present the final solution that you deem correct. The Solution "
    "section should be logical, accurate, and concise and detail necessary steps needed to reach "
    "the conclusion. Now, try to solve the following question through the above guidelines:"
)

PHI_4_REASONING: Final = ThinkFrame(
    name="phi-4-reasoning",
    source="Phi-4-reasoning's chat template as copied with its GGUF conversion, not compared with "
    "an original. That copy drops a system prompt of one's own; here it stands in place of the "
    "model's. It writes no reasoning: tags as the system prompt names them, without blanks",
    turns=Turns(
        user="<|im_start|>user<|im_sep|>{content}<|im_end|>",
        system="<|im_start|>system<|im_sep|>{content}<|im_end|>",
        default_system=_PHI,
    ),
    assistant="<|im_start|>assistant<|im_sep|>",
    open="<think>",
    close="</think>",
    stop="<|im_end|>",
    reasoning_parser="deepseek_r1",
)

_SMOL: Final = "You are a helpful AI assistant named SmolLM, trained by Hugging Face."
_SMOL_THINKS: Final = (
    f"{_SMOL} Your role as an assistant involves thoroughly exploring questions through a "
    "systematic thinking process before providing the final precise and accurate solutions. This "
    "requires engaging in a comprehensive cycle of analysis, summarizing, exploration, "
    "reassessment, reflection, backtracking, and iteration to develop well-considered thinking "
    "process. Please structure your response into two main sections: Thought and Solution using "
    "the specified format: <think> Thought section </think> Solution section. In the Thought "
    "section, detail your reasoning process in steps. Each step should include detailed "
    "considerations such as analysing questions, summarizing relevant findings, brainstorming new "
    "ideas, verifying the accuracy of the current steps, refining any errors, and revisiting "
    "previous steps. In the Solution section, based on various attempts, explorations, and "
    "reflections from the Thought section, systematically present the final solution that you "
    "deem correct. The Solution section should be logical, accurate, and concise and detail "
    "necessary steps needed to reach the conclusion."
)


def _smol_system(mode: str) -> str:
    return (
        "<|im_start|>system\n## Metadata\n\nKnowledge Cutoff Date: June 2025\n"
        f"Today Date: {{date:%d %B %Y}}\nReasoning Mode: {mode}\n\n"
        "## Custom Instructions\n\n{content}\n\n"
    )


SMOLLM3: Final = ThinkFrame(
    name="smollm3",
    source="SmolLM3's chat template as copied with its Unsloth conversion, not compared with an "
    "original. It leaves the system turn open where there are no tools, and so does this frame; "
    "the words /think and /no_think in a system prompt are text here. It writes no reasoning: "
    "tags with the newlines of its empty block",
    turns=Turns(user=_CHATML_USER, system=_smol_system("/think"), default_system=_SMOL_THINKS),
    assistant="<|im_start|>assistant\n",
    open="<think>\n",
    close="\n</think>\n",
    stop="<|im_end|>",
    after_stop="\n",
    switch=_THINKING,
    plain=Plain(
        "<think>\n\n</think>\n",
        is_prompted=True,
        turns=Turns(user=_CHATML_USER, system=_smol_system("/no_think"), default_system=_SMOL),
        history_open="<think>\n\n</think>\n",
    ),
    trims=Trims(system=BLANKS_LAST, answer=NEWLINES_FIRST, history=NEWLINES_FIRST),
    skips_empty_system=True,
    reasoning_parser="qwen3",
)

_MISTRAL_FORMAT: Final = (
    "First draft your thinking process (inner monologue) until you arrive at a response. Format "
    "your response using Markdown, and use LaTeX for any mathematical equations. Write both your "
    "thoughts and the response in the same language as the input.\n\nYour thinking process must "
    "follow the template below:[THINK]Your thoughts or/and draft, like working through an "
    "exercise on scratch paper. Be as casual and as long as you want until you are confident to "
    "generate the response{}[/THINK]Here, provide a self-contained response."
)

MAGISTRAL: Final = ThinkFrame(
    name="magistral",
    source="Mistral's reasoning tags, turns as in Ministral's template, and the system prompt that "
    "evaluation scripts give its reasoning models; not compared with an original",
    turns=Turns(
        user="[INST]{content}[/INST]",
        system="[SYSTEM_PROMPT]{content}[/SYSTEM_PROMPT]",
        default_system=_MISTRAL_FORMAT.format(". Use the same language as the input."),
    ),
    head="{bos}",
    assistant="",
    open="[THINK]",
    close="[/THINK]",
    stop="</s>",
    keeps_history=True,
    reasoning_parser="mistral",
)

MINISTRAL: Final = replace(
    MAGISTRAL,
    name="ministral",
    source="Ministral-3-Reasoning-2512's chat template as people copied it, not compared with an "
    "original",
    turns=replace(
        MAGISTRAL.turns,
        default_system="# HOW YOU SHOULD THINK AND ANSWER\n\n"
        + _MISTRAL_FORMAT.format(" to the user."),
    ),
)

HUATUO_O1: Final = ThinkFrame(
    name="huatuo-o1",
    source="HuatuoGPT-o1's headings, in Llama 3's chat template (trl/chat_templates/llama3.jinja, "
    "trl 1.16.0), which copies of its training script take for models that have none; not "
    "compared with its own tokenizer's",
    turns=Turns(
        user="<|start_header_id|>user<|end_header_id|>\n\n{content}<|eot_id|>",
        system="<|start_header_id|>system<|end_header_id|>\n\n{content}<|eot_id|>",
    ),
    head="{bos}",
    assistant="<|start_header_id|>assistant<|end_header_id|>\n\n",
    open="## Thinking\n\n",
    close="\n\n## Final Response\n\n",
    stop="<|eot_id|>",
    trims=Trims(system=BLANKS, user=BLANKS, answer=BLANKS_LAST, history=BLANKS),
)

FAMILY_FRAMES: Final = (
    DEEPSEEK_R1,
    DEEPSEEK_V3_1,
    GPT_OSS,
    GLM,
    GLM_4_7,
    NEMOTRON,
    NEMOTRON_ULTRA,
    GEMMA_4,
    KIMI_K2_THINKING,
    SEED_OSS,
    PHI_4_REASONING,
    SMOLLM3,
    MAGISTRAL,
    MINISTRAL,
    HUATUO_O1,
)
