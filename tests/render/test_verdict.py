"""The template decides: what keeps the reasoning, what is prompted, what ends an answer."""

from pathlib import Path

import pytest

from cotdata.errors import RenderError
from cotdata.render.encodings import Encoding
from tests.render.verdicts import completion, opened, prompt, template

FIELD = "{% if m.reasoning_content %}<|think|>{{ m.reasoning_content }}<|done|>{% endif %}"


def test_a_field_that_is_written_is_the_form(tmp_path: Path) -> None:
    found = opened(template(FIELD + "{{ m.content }}"), tmp_path)
    assert found.verdict.encoding is Encoding.REASONING_CONTENT
    assert completion(found) == "<|think|>{C}<|done|>{A}<|e|>"
    assert found.verdict.stop == "<|e|>"


@pytest.mark.parametrize("name", ["thinking", "reasoning", "thought"])
def test_other_names_of_the_field_are_found(name: str, tmp_path: Path) -> None:
    found = opened(template(FIELD.replace("reasoning_content", name) + "{{ m.content }}"), tmp_path)
    assert found.verdict.encoding.value == name


def test_content_in_typed_parts_is_found(tmp_path: Path) -> None:
    parts = (
        "{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}"
        "{% if p.type == 'thinking' %}[THINK]{{ p.thinking }}[/THINK]{% else %}{{ p.text }}"
        "{% endif %}{% endfor %}{% endif %}"
    )
    found = opened(template(parts), tmp_path)
    assert found.verdict.encoding is Encoding.PARTS
    assert completion(found) == "[THINK]{C}[/THINK]{A}<|e|>"


def test_a_prefix_alone_proves_nothing_where_the_reasoning_is_gone(tmp_path: Path) -> None:
    gone = "{{ m.content.split('</think>')[-1] }}"
    with pytest.raises(RenderError, match="no way of writing the reasoning survives"):
        opened(template(gone), tmp_path)


def test_reasoning_that_is_written_twice_is_no_form(tmp_path: Path) -> None:
    twice = FIELD + FIELD + "{{ m.content }}"
    with pytest.raises(RenderError, match="2 times"):
        opened(template(twice), tmp_path)


def test_an_inline_tag_is_refused_where_it_would_be_text_of_the_answer(tmp_path: Path) -> None:
    channels = "{% if m.thoughts %}<|analysis|>{{ m.thoughts }}<|final|>{% endif %}{{ m.content }}"
    with pytest.raises(RenderError, match="literal text"):
        opened(template(channels), tmp_path)


def test_an_inline_tag_is_a_new_habit_where_the_template_knows_no_reasoning(tmp_path: Path) -> None:
    found = opened(template("{{ m.content }}"), tmp_path)
    assert found.verdict.encoding is Encoding.INLINE
    assert completion(found) == "<think>\n{C}\n</think>\n\n{A}<|e|>"


def test_a_doubled_block_is_no_form_and_the_field_is_taken(tmp_path: Path) -> None:
    scaffold = "<think>\n{{ m.reasoning_content | default('') }}\n</think>\n\n{{ m.content }}"
    found = opened(template(scaffold, "<think>\n"), tmp_path)
    assert found.verdict.encoding is Encoding.REASONING_CONTENT
    assert completion(found) == "{C}\n</think>\n\n{A}<|e|>"
    lost = {item.question: item.evidence for item in found.verdict.findings}
    assert "closed before the reasoning" in lost["reasoning as inline"]


SWITCHED = (
    "{% if enable_thinking is defined and enable_thinking %}<think>\n{% else %}"
    "<think>\n\n</think>\n\n{% endif %}"
)
BLOCK = "<think>\n{{ m.reasoning_content or '' }}\n</think>\n\n{{ m.content }}"


def test_thinking_that_is_off_unless_told_is_turned_on(tmp_path: Path) -> None:
    found = opened(template(BLOCK, SWITCHED), tmp_path)
    assert found.verdict.settings == {"enable_thinking": True}
    assert prompt(found).endswith("<think>\n")
    assert completion(found) == "{C}\n</think>\n\n{A}<|e|>"


def test_a_switch_of_any_name_is_tried(tmp_path: Path) -> None:
    found = opened(template(BLOCK, SWITCHED.replace("enable_thinking", "deliberate")), tmp_path)
    assert found.verdict.settings == {"deliberate": True}


def test_what_the_recipe_sets_is_not_tried_otherwise(tmp_path: Path) -> None:
    source = template(BLOCK, SWITCHED)
    with pytest.raises(RenderError, match="closes the think block in its generation prompt"):
        opened(source, tmp_path, template_kwargs={"enable_thinking": False})


def test_rows_without_reasoning_get_the_closed_prompt(tmp_path: Path) -> None:
    found = opened(template(BLOCK, SWITCHED), tmp_path)
    assert found.verdict.empty_block.settings == {}
    assert found.verdict.empty_block.block == ""
    assert found.verdict.no_block is None


def test_markers_in_a_default_system_prompt_are_not_reasoning(tmp_path: Path) -> None:
    system = "<|s|>Think in <think> and </think>.<|e|>"
    found = opened(system + template(FIELD + "{{ m.content }}"), tmp_path)
    assert completion(found) == "<|think|>{C}<|done|>{A}<|e|>"


def test_a_default_system_prompt_is_told_apart_from_the_turns(tmp_path: Path) -> None:
    default = "{% if messages[0].role != 'system' %}<|s|>You are kind.<|e|>{% endif %}"
    found = opened(default + template("{{ m.content }}"), tmp_path)
    assert found.verdict.default_system == "You are kind."


def test_an_answer_that_is_left_open_ends_as_the_next_turn_begins(tmp_path: Path) -> None:
    source = template("{{ m.content }}").replace(
        "<|e|>{% endif %}{% endfor", "{% endif %}{% endfor"
    )
    assert opened(source, tmp_path).verdict.stop == "<|u|>"


def test_what_is_trimmed_is_found_out(tmp_path: Path) -> None:
    trimmed = FIELD.replace("m.reasoning_content }}", "m.reasoning_content.strip('\\n') }}")
    found = opened(template(trimmed + "{{ m.content.lstrip() }}"), tmp_path)
    assert found.verdict.completion("\n C \n", "\n A ") == "<|think|> C <|done|>A <|e|>"


@pytest.mark.parametrize(
    "changed", ["{{ m.content | upper }}", "{{ m.content | e }}", "{{ m.content[:2000] }}"]
)
def test_texts_that_come_out_changed_are_no_form(changed: str, tmp_path: Path) -> None:
    with pytest.raises(RenderError):
        opened(template(FIELD + changed), tmp_path)


def test_todays_date_is_the_recipes(tmp_path: Path) -> None:
    source = "{{ strftime_now('%Y-%m-%d') }}" + template("{{ m.content }}")
    assert prompt(opened(source, tmp_path, date="2026-01-02")).startswith("2026-01-02")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{% if %}", "cannot be parsed"),
        ("{{ raise_exception('tools only') }}", "tools only"),
        ("no question here", "does not write the question once"),
        (
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "longer",
        ),
        ("{{ messages.__class__.__mro__ }}", "refuses a plain question"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_refused_with_the_reason(
    source: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(RenderError, match=message) as raised:
        opened(source, tmp_path)
    assert "render.frame" in (raised.value.fix or "")


#: FACTS.md 0.1 of the prober: template → (form, what the model writes, settings).
PUBLISHED = {
    "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B": (
        "composed", "{C}\n</think>\n\n{A}<｜end▁of▁sentence｜>", {}),
    "deepseek-ai-DeepSeek-R1-Distill-Llama-8B": (
        "composed", "{C}\n</think>\n\n{A}<｜end▁of▁sentence｜>", {}),
    "llama-cpp-deepseek-r1": ("composed", "{C}\n</think>\n\n{A}<｜end▁of▁sentence｜>", {}),
    "Qwen-QwQ-32B": ("inline", "{C}\n</think>\n\n{A}<|im_end|>", {}),
    "Qwen-Qwen3-0.6B": ("reasoning_content", "<think>\n{C}\n</think>\n\n{A}<|im_end|>", {}),
    "Qwen3.5-4B": ("reasoning_content", "{C}\n</think>\n\n{A}<|im_end|>", {}),
    "Qwen-Qwen2.5-7B-Instruct": ("inline", "<think>\n{C}\n</think>\n\n{A}<|im_end|>", {}),
    "GLM-4.6": ("reasoning_content", "\n<think>{C}</think>\n{A}<|user|>", {}),
    "GLM-4.7-Flash": ("reasoning_content", "{C}</think>{A}<|user|>", {}),
    "openai-gpt-oss-120b": (
        "thinking",
        "<|channel|>analysis<|message|>{C}<|end|><|start|>assistant<|channel|>final<|message|>"
        "{A}<|return|>",
        {}),
    "google-gemma-4-31B-it": (
        "composed", "<|channel>thought\n{C}\n<channel|>{A}<turn|>", {"enable_thinking": True}),
    "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": (
        "reasoning_content", "{C}\n</think>\n{A}<|im_end|>", {}),
    "deepseek-ai-DeepSeek-V3.1": (
        "composed", "{C}</think>{A}<｜end▁of▁sentence｜>", {"enable_thinking": True}),
    "deepseek-ai-DeepSeek-V3.2": (
        "reasoning_content", "{C}</think>{A}<｜end▁of▁sentence｜>", {"enable_thinking": True}),
    "Apertus-8B-Instruct": (
        "blocks", "<|inner_prefix|>{C}<|inner_suffix|>{A}<|assistant_end|>",
        {"enable_thinking": True}),
    "Reka-Edge": (
        "reasoning_content", "{C}\n</think>\n\n{A}\n\n<sep>", {"enable_thinking": True}),
    "Cohere2MoE": (
        "reasoning_content",
        "{C}<|END_THINKING|><|START_TEXT|>{A}<|END_TEXT|><|END_OF_TURN_TOKEN|>", {}),
    "patched/Qwen-QwQ-32B.llama-cpp-patched": (
        "inline", "{C}\n</think>\n\n{A}<|im_end|>", {"enable_thinking": True}),
    "patched/deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.llama-cpp-patched": (
        "composed", "{C}\n</think>\n\n{A}<｜end▁of▁sentence｜>", {"enable_thinking": True}),
}  # fmt: skip


@pytest.mark.real_data
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_templates_are_read_right(name: str, real_data: Path, tmp_path: Path) -> None:
    form, text, settings = PUBLISHED[name]
    source = (real_data / "templates" / f"{name}.jinja").read_text()
    found = opened(source, tmp_path)
    assert (found.verdict.encoding.value, completion(found)) == (form, text)
    assert found.verdict.settings == settings
    found.process.close()


#: Templates that need what a plain conversation has not, or write reasoning in a way of their own.
REFUSED = {
    "CohereForAI-c4ai-command-r-plus-tool_use": "not iterable",
    "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use": "not iterable",
    "fireworks-ai-llama-3-firefunction-v2": "'functions' is undefined",
    "unsloth-Apriel-1.5": "no way of writing the reasoning survives",
    "CohereForAI-c4ai-command-r7b-12-2024-tool_use": "literal text",
    "llama-cpp-rwkv-world": "no way of writing the reasoning survives",
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_rendered_safely_is_refused_with_the_reason(
    name: str, real_data: Path, tmp_path: Path
) -> None:
    source = (real_data / "templates" / f"{name}.jinja").read_text()
    with pytest.raises(RenderError, match=REFUSED[name]):
        opened(source, tmp_path)
