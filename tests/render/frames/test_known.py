"""Frames are found by name, by how a prompt ends, and told apart."""

import pytest

from cotdata.errors import RenderError
from cotdata.render.frames import FRAMES, FrameText, ThinkFrame, find_frame, opened_by
from cotdata.render.frames.think_frame import CONTENT

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}
QUESTION = [{"role": "user", "content": "Why?"}]


def test_every_family_is_known_by_name() -> None:
    assert {
        "deepseek-r1", "qwq", "qwen3", "qwen3.5", "qwen3.6", "qwen3.8", "gpt-oss", "glm", "glm-4.7",
        "nemotron", "magistral", "ministral", "gemma-4", "phi-4-reasoning", "kimi-k2-thinking",
        "seed-oss", "smollm3", "huatuo-o1", "alpaca-think", "alpaca-think-zh", "diagnosis-zh",
        "instruction", "plain",
    } <= {frame.name for frame in FRAMES}  # fmt: skip


def test_names_are_unique() -> None:
    assert len({frame.name for frame in FRAMES}) == len(FRAMES)


@pytest.mark.parametrize(
    ("name", "near"), [("deepseek_r1", "deepseek-r1"), ("Qwen3", "qwen3"), ("gptoss", "gpt-oss")]
)
def test_a_near_miss_is_named(name: str, near: str) -> None:
    with pytest.raises(RenderError, match=f"did you mean `{near}`") as caught:
        find_frame(name)
    assert name in caught.value.what
    assert "alpaca-think-zh" in str(caught.value)


def test_a_name_like_none_gets_the_list_alone() -> None:
    with pytest.raises(RenderError) as caught:
        find_frame("zzzzzz")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
class TestEveryFrame:
    def test_says_where_it_was_read(self, frame: ThinkFrame) -> None:
        assert len(frame.source) > 30

    def test_has_one_place_for_each_text(self, frame: ThinkFrame) -> None:
        assert frame.turns.user.count(CONTENT) == 1
        assert frame.turns.system is None or frame.turns.system.count(CONTENT) == 1

    def test_opens_the_reasoning_in_the_prompt_or_in_the_answer(self, frame: ThinkFrame) -> None:
        assert not (frame.opened and frame.open)
        assert frame.close.strip()

    def test_ends_the_answer(self, frame: ThinkFrame) -> None:
        assert frame.stop

    def test_has_no_control_text_in_its_default_system_prompt(self, frame: ThinkFrame) -> None:
        assert frame.stop not in (frame.turns.default_system or "")

    def test_writes_reasoning_once_before_the_answer(self, frame: ThinkFrame) -> None:
        completion = FrameText(frame, SPECIAL).completion("Because.", "So.")
        assert completion.count("Because.") == completion.count("So.") == 1
        assert completion.index("Because.") < completion.index("So.")


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("<｜begin▁of▁sentence｜><｜User｜>Q<｜Assistant｜><think>\n", "deepseek-r1"),
        ("<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n<think>\n", "qwq"),
        (
            "<|im_start|>system\n<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n"
            "<|im_start|>assistant\n<think>\n",
            "nemotron",
        ),
        ("<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n", "qwen3"),
        ("<s>[INST]Q[/INST]", "magistral"),
        ("[gMASK]<sop><|user|>\nQ<|assistant|>", "glm"),
        ("[gMASK]<sop><|user|>Q<|assistant|><think>", "glm-4.7"),
    ],
)
def test_the_end_of_a_prompt_names_the_frame(prompt: str, name: str) -> None:
    found = opened_by(prompt)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "name", ["gpt-oss", "gemma-4", "kimi-k2-thinking", "seed-oss", "phi-4-reasoning", "huatuo-o1"]
)
def test_a_frame_s_own_prompt_names_it(name: str) -> None:
    found = opened_by(FrameText(find_frame(name), SPECIAL).prompt(QUESTION))
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("prompt", ["Q\n\n", "", "User: Q\nAssistant: <think>\n"])
def test_a_prompt_that_no_family_writes_names_none(prompt: str) -> None:
    assert opened_by(prompt) is None
