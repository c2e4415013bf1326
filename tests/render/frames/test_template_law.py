"""A frame's chat template writes what the frame's data says, for every shape of conversation."""

from collections.abc import Sequence
from typing import Any

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata.errors import RenderError
from cotdata.render.chat_template import ChatTemplate, chat_environment
from cotdata.render.frames import (
    FRAMES,
    FrameText,
    ThinkFrame,
    chat_template,
    find_frame,
    frame_from_text,
)
from cotdata.render.settings import Frame

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}
DATE = "2026-03-09"
OWN = frame_from_text(
    Frame(
        prompt="{bos}Say 'why' in {{ x }} {% y %} \\n:\n{system}\t{Question}\n# Reply\n<think>\n",
        completion="{Complex_CoT}\n</think>\n{Response}\n{eos}",
        system="Be \\frac{1}{2} brief.",
    )
)
ALL = [*FRAMES, OWN]
TEMPLATES = {frame.name: ChatTemplate(chat_template(frame), SPECIAL, DATE) for frame in ALL}
FEATURES = (
    "{{ x }}", "{% raw %}", "{#", "'", "\\", "\n", "  ", "\u3000", "</think>", "<think>",
    "<channel|>", "{content}", "{bos}", "é", "急性", "😀", "\u202e", "\x00", "/nothink",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(FEATURES) | st.text(max_size=6), max_size=6).map("".join)


@st.composite
def conversations(draw: st.DrawFn, frame: ThinkFrame) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if frame.turns.system is not None and draw(st.booleans()):
        messages.append({"role": "system", "content": draw(TEXTS)})
    turns = 0 if frame.is_single_turn else draw(st.integers(0, 2))
    for _ in range(turns):
        messages.append({"role": "user", "content": draw(TEXTS)})
        answer = {"role": "assistant", "content": draw(TEXTS)}
        field = draw(st.sampled_from(["", "reasoning_content", "thinking", "reasoning"]))
        messages.append({**answer, field: draw(TEXTS)} if field else answer)
    return [*messages, {"role": "user", "content": draw(TEXTS)}]


def kwargs(frame: ThinkFrame, *, is_thinking: bool) -> dict[str, bool]:
    switch = frame.switch
    if switch is None:
        return {}
    return {switch.name: switch.on if is_thinking else not switch.on}


@pytest.mark.parametrize("frame", ALL, ids=lambda frame: frame.name)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_the_template_renders_what_the_data_says(frame: ThinkFrame, data: st.DataObject) -> None:
    messages = data.draw(conversations(frame))
    is_thinking = frame.switch is None or data.draw(st.booleans())
    reasoning = data.draw(TEXTS.filter(str.strip)) if is_thinking else None
    if is_thinking and data.draw(st.booleans()):
        reasoning = None
    answer = data.draw(TEXTS)
    if reasoning is None:  # tags in an answer are reasoning
        answer = answer.replace("</think>", "").replace("<channel|>", "")
    template, text = TEMPLATES[frame.name], FrameText(frame, SPECIAL, DATE, is_thinking)
    settings_ = kwargs(frame, is_thinking=is_thinking)
    prompt = text.prompt(messages)
    turn = {"role": "assistant", "content": answer, "reasoning_content": reasoning}
    assert template.render(messages, settings_, is_prompt=True) == prompt
    whole = template.render([*messages, turn], settings_, is_prompt=False)
    assert whole == prompt + text.completion(reasoning, answer)


@pytest.mark.parametrize("frame", ALL, ids=lambda frame: frame.name)
def test_unset_switches_are_what_the_frame_says(frame: ThinkFrame) -> None:
    messages = [{"role": "user", "content": "Why?"}]
    is_on = frame.switch is None or frame.switch.is_on
    text = FrameText(frame, SPECIAL, DATE, is_thinking=is_on)
    rendered = TEMPLATES[frame.name].render(messages, {}, is_prompt=True)
    assert rendered == text.prompt(messages)


@pytest.mark.parametrize("frame", ALL, ids=lambda frame: frame.name)
@pytest.mark.parametrize("field", ["reasoning_content", "thinking", "reasoning"])
def test_reasoning_is_read_from_every_field(frame: ThinkFrame, field: str) -> None:
    messages: Sequence[Any] = [
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "So.", field: "Because it is."},
    ]
    switched = kwargs(frame, is_thinking=True)
    whole = TEMPLATES[frame.name].render(messages, switched, is_prompt=False)
    assert whole.count("Because it is.") == 1
    assert whole.index("Because it is.") < whole.index("So.")
    text = FrameText(frame, SPECIAL, DATE)
    assert whole.endswith("So." + text.frame.stop.replace("{eos}", "</s>"))


@pytest.mark.parametrize("frame", ALL, ids=lambda frame: frame.name)
@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([{"role": "tool", "content": "x"}], "other roles"),
        ([{"role": "user", "content": ["x"]}], "must be a string"),
        ([{"role": "user", "content": "x"}, {"role": "system", "content": "y"}], "come first"),
    ],
)
def test_what_has_no_place_is_refused(
    frame: ThinkFrame, messages: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(jinja2.TemplateError, match=said):
        TEMPLATES[frame.name].render(messages, {}, is_prompt=True)


def test_tools_are_refused_not_forgotten() -> None:
    template = chat_environment().from_string(chat_template(find_frame("qwen3")))
    with pytest.raises(jinja2.TemplateError, match="tools"):
        template.render(messages=[{"role": "user", "content": "x"}], tools=[{"name": "f"}])


def test_a_frame_without_a_place_for_a_system_prompt_refuses_one() -> None:
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "x"}]
    with pytest.raises(jinja2.TemplateError, match="system prompt"):
        TEMPLATES["diagnosis-zh"].render(messages, {}, is_prompt=True)


def test_a_written_prompt_refuses_earlier_turns() -> None:
    messages = [{"role": role, "content": "x"} for role in ("user", "assistant", "user")]
    with pytest.raises(jinja2.TemplateError, match="earlier turns"):
        TEMPLATES["own"].render(messages, {}, is_prompt=True)


def test_reasoning_after_a_closed_block_is_refused() -> None:
    text = FrameText(find_frame("qwen3"), SPECIAL, is_thinking=False)
    assert text.completion(None, "So.") == "So.<|im_end|>"
    with pytest.raises(RenderError, match="no place for reasoning"):
        text.completion("Because.", "So.")


def test_tags_in_an_earlier_answer_are_read_as_the_family_reads_them() -> None:
    earlier = {"role": "assistant", "content": "<think>\nBecause.\n</think>\n\nSo."}
    messages = [{"role": "user", "content": "a"}, earlier, {"role": "user", "content": "b"}]
    prompt = FrameText(find_frame("qwen3"), SPECIAL).prompt(messages)
    assert "assistant\nSo.<|im_end|>" in prompt
    assert TEMPLATES["qwen3"].render(messages, {}, is_prompt=True) == prompt
