"""A recipe's own prompt and completion: what it writes, and what is wrong with it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.errors import RenderError
from cotdata.render.chat_template import ChatTemplate
from cotdata.render.frames import FrameText, chat_template, frame_from_text
from cotdata.render.settings import Frame

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}
PROMPT = "{bos}{system}\nQ: {Question}\nA: <think>\n"
COMPLETION = "{Complex_CoT}\n</think>\n{Response}{eos}"
QUESTION = [{"role": "user", "content": "Why?"}]


def written(prompt: str = PROMPT, completion: str = COMPLETION, system: str = "") -> Frame:
    return Frame(prompt=prompt, completion=completion, system=system)


def test_it_writes_what_is_written() -> None:
    text = FrameText(frame_from_text(written(system="Be brief.")), SPECIAL)
    assert text.prompt(QUESTION) == "<s>Be brief.\nQ: Why?\nA: <think>\n"
    assert text.completion("Because.", "So.") == "Because.\n</think>\nSo.</s>"


def test_a_row_s_system_prompt_stands_in_its_slot() -> None:
    text = FrameText(frame_from_text(written(system="Be brief.")), SPECIAL)
    messages = [{"role": "system", "content": "Be long."}, *QUESTION]
    assert text.prompt(messages) == "<s>Be long.\nQ: Why?\nA: <think>\n"


def test_a_think_block_that_the_prompt_opens_is_known_as_such() -> None:
    frame = frame_from_text(written())
    assert (frame.assistant, frame.opened) == ("\nA: ", "<think>\n")
    assert frame.tags == ("<think>", "</think>")


def test_a_think_block_that_the_model_opens_is_the_model_s() -> None:
    frame = frame_from_text(written("{Question}\n", "<think>{Complex_CoT}</think>{Response}{eos}"))
    assert (frame.opened, frame.open) == ("", "<think>")


def test_headings_will_do_for_tags() -> None:
    frame = frame_from_text(written("{Question}\n", "{Complex_CoT}\n### 答案：\n{Response}{eos}"))
    assert frame.tags is None
    assert frame.close == "\n### 答案：\n"


@given(st.text(alphabet="ab{}%#'\"\\\n </think>急", max_size=20))
def test_any_text_may_stand_around_the_slots(text: str) -> None:
    frame = frame_from_text(written(f"{text}x{{Question}}{text}", "{Complex_CoT}#{Response}E"))
    prompt = FrameText(frame, SPECIAL).prompt(QUESTION)
    assert prompt == f"{text}xWhy?{text}"
    template = ChatTemplate(chat_template(frame), SPECIAL, "2026-01-01")
    assert template.render(QUESTION, {}, is_prompt=True) == prompt


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (written(prompt="Q: {question}"), "prompt: {Question} is missing; {question} is no slot"),
        (written(prompt="Q:"), "prompt: {Question} is missing"),
        (written(prompt="{Question}{Question}"), "prompt: {Question} stands there 2 times"),
        (written(prompt="{Question}{Complex_CoT}"), "{Complex_CoT} does not belong here"),
        (written(prompt="{Question} {system}"), "{Question} comes before {system}"),
        (written(prompt="{System} {Question}"), "{System} is no slot"),
        (written(prompt="{content} {Question}"), "{content} is no slot here"),
        (written(prompt="{Question}", system="Be brief."), "system: the prompt has no {system}"),
        (written(completion="{Response}{eos}"), "completion: {Complex_CoT} is missing"),
        (written(completion="{Complex_CoT}</think>{eos}"), "completion: {Response} is missing"),
        (
            written(completion="{Response}</think>{Complex_CoT}{eos}"),
            "{Response} comes before {Complex_CoT}",
        ),
        (written(completion="{Complex_CoT}\n{Response}{eos}"), "nothing stands between"),
        (written(completion="{Complex_CoT}</think>{Response}\n"), "would never learn to stop"),
        (
            written(completion="{Complex_CoT}</think>{Respons}{eos}"),
            "{Response} is missing; {Respons} is no slot",
        ),
    ],
)
def test_what_is_wrong_is_said(frame: Frame, said: str) -> None:
    with pytest.raises(RenderError, match=re.escape(said)) as caught:
        frame_from_text(frame)
    assert caught.value.what.startswith("render.frame.")
    assert caught.value.fix


def test_braces_of_mathematics_are_no_slots() -> None:
    frame = frame_from_text(written("Put it in \\boxed{answer}, {x}: {Question}"))
    assert "\\boxed{answer}, {x}: Why?" in FrameText(frame, SPECIAL).prompt(QUESTION)


def test_a_prompt_without_a_slot_for_it_refuses_a_system_prompt_and_earlier_turns() -> None:
    text = FrameText(frame_from_text(written(prompt="{Question}\n")), SPECIAL)
    with pytest.raises(RenderError, match="system prompt"):
        text.prompt([{"role": "system", "content": "x"}, *QUESTION])
    with pytest.raises(RenderError, match="earlier turns"):
        text.prompt([*QUESTION, {"role": "assistant", "content": "x"}, *QUESTION])
