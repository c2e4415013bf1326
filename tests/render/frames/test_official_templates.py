"""Exported templates write what the families' own chat templates write.

Authority are the originals in the installed `trl` package and in the tokenizers of the real data;
what was only collected there is compared as far as it goes.
"""

import importlib.util
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cotdata.render.chat_template import ChatTemplate
from cotdata.render.frames import FrameText, ThinkFrame, chat_template, find_frame

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}
DATE = "2026-03-09"
OFF = {"enable_thinking": False}
ON = {"enable_thinking": True}
SYSTEM = {"role": "system", "content": "  Be brief.\n"}
QUESTION = {"role": "user", "content": " Why?\n 2 < 3 \n"}
HISTORY = [
    {"role": "user", "content": "\nFirst {question} \n"},
    {"role": "assistant", "content": "  First answer \n"},
]
REASONED = [HISTORY[0], {**HISTORY[1], "reasoning_content": "Earlier reasoning."}]
TWO = [*HISTORY, {"role": "user", "content": "Second"}, {"role": "assistant", "content": "Two"}]
CHATS = {
    "a question": [QUESTION],
    "a system prompt": [SYSTEM, QUESTION],
    "a turn before": [*HISTORY, QUESTION],
    "a system prompt and two turns before": [SYSTEM, *TWO, QUESTION],
}


class Case(NamedTuple):
    frame: str
    #: A file of trl, or of the real data.
    file: str
    settings: Mapping[str, Any] = {}
    #: Whether the original keeps the last answer's reasoning when it is given as a field.
    keeps: bool = True
    #: What the original writes after the last answer's stop token.
    after: str = "\n"
    #: Whether it reads the reasoning of an earlier turn from a field.
    reads_fields: bool = True


CASES = [
    Case("deepseek-r1", "deepseek_r1_distill.jinja", keeps=False, after=""),
    Case("deepseek-r1", "tokenizers/deepseek-r1-distill-qwen", keeps=False, after=""),
    Case("deepseek-v3.1", "templates/deepseek-ai-DeepSeek-V3.1.jinja", keeps=False, after=""),
    Case(
        "deepseek-v3.1",
        "templates/deepseek-ai-DeepSeek-V3.1.jinja",
        {"thinking": True},
        keeps=False,
        after="",
    ),
    Case("qwen2.5", "qwen2_5.jinja", keeps=False, reads_fields=False),
    Case("qwq", "templates/Qwen-QwQ-32B.jinja", keeps=False),
    Case("qwen3", "qwen3.jinja"),
    Case("qwen3", "qwen3.jinja", OFF),
    Case("qwen3", "tokenizers/qwen3"),
    Case("qwen3.5", "qwen3_5_think.jinja"),
    Case("qwen3.5", "qwen3_5_think.jinja", OFF),
    Case("qwen3.5-small", "qwen3_5_nothink.jinja"),
    Case("qwen3.5-small", "qwen3_5_nothink.jinja", ON),
    Case("qwen3.6", "qwen3_6.jinja"),
    Case("qwen3.6", "qwen3_6.jinja", {"preserve_thinking": True}),
    Case("qwen3.8", "qwen3_8.jinja"),
    Case("qwen3.8", "qwen3_8.jinja", {**OFF, "preserve_thinking": False}),
    Case("gpt-oss", "gptoss.jinja", after=""),
    Case("gpt-oss", "templates/openai-gpt-oss-120b.jinja", after=""),
    Case("glm", "glm4moe.jinja", after=""),
    Case("glm", "glm4moe.jinja", OFF, after=""),
    Case("glm-4.7", "templates/GLM-4.7-Flash.jinja", after=""),
    Case("glm-4.7", "templates/GLM-4.7-Flash.jinja", {"clear_thinking": False}, after=""),
    Case("nemotron", "nemotron_3_nano.jinja"),
    Case("nemotron", "nemotron_3_super.jinja", OFF),
    Case("nemotron", "nemotron_3_super.jinja", {"truncate_history_thinking": False}),
    Case("nemotron-ultra", "nemotron_3_ultra.jinja"),
    Case("nemotron-ultra", "nemotron_3_5_lightning.jinja"),
    Case("gemma-4", "gemma4_v5.jinja"),
    Case("gemma-4", "gemma4_v5.jinja", ON),
    Case("huatuo-o1", "llama3.jinja", keeps=False, after="", reads_fields=False),
]


def official(file: str) -> str:
    """Return an original's source; skip where it is absent."""
    real_data = Path(__file__).resolve().parents[4] / "shared" / "data"
    if "/" not in file:
        found = importlib.util.find_spec("trl")
        if found is None or not found.submodule_search_locations:
            pytest.skip("trl, whose chat templates are the originals, is not installed")
        path = Path(found.submodule_search_locations[0], "chat_templates", file)
        if not path.is_file():
            pytest.skip(f"this trl has no {file}")
        return path.read_text(encoding="utf-8")
    path = real_data / file
    if not path.exists():
        pytest.skip("the collected templates (../shared/data) are not here")
    if path.is_dir():
        config = json.loads((path / "tokenizer_config.json").read_text(encoding="utf-8"))
        return str(config["chat_template"])
    return path.read_text(encoding="utf-8")


@lru_cache
def compiled(source: str) -> ChatTemplate:
    return ChatTemplate(source, SPECIAL, DATE)


def templates(case: Case) -> tuple[ThinkFrame, ChatTemplate, ChatTemplate]:
    frame = find_frame(case.frame)
    return frame, compiled(chat_template(frame)), compiled(official(case.file))


def aliased(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return messages as transformers passes them: the reasoning in each field."""
    return [
        {**message, "thinking": message["reasoning_content"]}
        if "reasoning_content" in message
        else message
        for message in messages
    ]


def case_name(case: Case) -> str:
    return f"{case.frame}, {case.file}, {dict(case.settings)}"


@pytest.mark.real_data
@pytest.mark.parametrize("messages", CHATS.values(), ids=CHATS)
@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_the_generation_prompt_is_the_family_s(case: Case, messages: list[dict[str, Any]]) -> None:
    _, ours, theirs = templates(case)
    expected = theirs.render(messages, case.settings, is_prompt=True)
    assert ours.render(messages, case.settings, is_prompt=True) == expected


@pytest.mark.real_data
@pytest.mark.parametrize("case", [case for case in CASES if case.reads_fields], ids=case_name)
def test_reasoning_of_earlier_turns_is_treated_as_by_the_family(case: Case) -> None:
    _, ours, theirs = templates(case)
    messages = aliased([*REASONED, QUESTION])
    expected = theirs.render(messages, case.settings, is_prompt=True)
    assert ours.render(messages, case.settings, is_prompt=True) == expected


@pytest.mark.real_data
@pytest.mark.parametrize("messages", CHATS.values(), ids=CHATS)
@pytest.mark.parametrize("case", [case for case in CASES if case.keeps], ids=case_name)
def test_a_reasoned_answer_is_written_as_by_the_family(
    case: Case, messages: list[dict[str, Any]]
) -> None:
    frame, ours, theirs = templates(case)
    answer = {"role": "assistant", "content": " So \n", "reasoning_content": "Because.\n\nIt is."}
    chat = aliased([*messages, answer])
    whole = ours.render(chat, case.settings, is_prompt=False)
    expected = theirs.render(chat, case.settings, is_prompt=False)
    if frame.name.startswith("glm"):  # which leaves the last answer open
        expected += frame.stop
    assert whole + case.after == expected


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("frame", "file", "settings", "after"),
    [
        ("qwen3", "qwen3.jinja", OFF, "\n"),
        ("qwen3", "qwen3.jinja", {}, "\n"),
        ("qwen3.5", "qwen3_5_think.jinja", OFF, "\n"),
        ("qwen3.8", "qwen3_8.jinja", OFF, "\n"),
        ("gpt-oss", "gptoss.jinja", {}, ""),
        ("nemotron", "nemotron_3_nano.jinja", OFF, "\n"),
        ("gemma-4", "gemma4_v5.jinja", {}, "\n"),
        ("glm", "glm4moe.jinja", OFF, ""),
        ("glm-4.7", "templates/GLM-4.7-Flash.jinja", OFF, ""),
    ],
)
def test_an_answer_without_reasoning_is_written_as_by_the_family(
    frame: str, file: str, settings: dict[str, Any], after: str
) -> None:
    known, ours, theirs = templates(Case(frame, file))
    chat = [QUESTION, {"role": "assistant", "content": "So."}]
    expected = theirs.render(chat, settings, is_prompt=False)
    if known.name.startswith("glm"):
        expected += known.stop
    assert ours.render(chat, settings, is_prompt=False) + after == expected


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("frame", "file", "after"),
    [
        ("qwq", "templates/Qwen-QwQ-32B.jinja", "\n"),
        ("qwen2.5", "qwen2_5.jinja", "\n"),
        ("huatuo-o1", "llama3.jinja", ""),
    ],
)
def test_where_the_family_knows_no_field_the_whole_answer_is_its_content(
    frame: str, file: str, after: str
) -> None:
    known, _, theirs = templates(Case(frame, file))
    text = FrameText(known, SPECIAL, DATE)
    end = text.completion("Because.", "So.").removesuffix(known.stop)
    content = text.prompted + end
    chat = [QUESTION, {"role": "assistant", "content": content}]
    expected = theirs.render(chat, {}, is_prompt=False)
    whole = text.prompt([QUESTION]) + text.completion("Because.", "So.")
    assert whole + after == expected
