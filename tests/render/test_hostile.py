"""Templates that decide by what a probe does not show, and files that say what cannot be."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cotdata.errors import RenderError
from cotdata.render.forms import Slot, can_join
from cotdata.render.model_files import sample_model
from cotdata.render.opening import open_renderer
from cotdata.render.renderer import Renderer
from cotdata.render.settings import Frame, Render
from cotdata.render.template_process import TOO_LONG, Chat, TemplateProcess
from cotdata.render.template_text import read_template
from tests.render.rows import many, rows, turns

FIELD = (
    "{% if m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n</think>\n\n{% endif %}"
    "{{ m.content }}"
)
CONVERSATION = (
    "{% for m in messages %}{% if m.role == 'user' %}<|im_start|>user\nUSER<|im_end|>\n"
    "{% elif m.role == 'system' %}<|im_start|>system\n{{ m.content }}<|im_end|>\n"
    "{% else %}<|im_start|>assistant\nASSISTANT<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def template(assistant: str = FIELD, user: str = "{{ m.content }}") -> str:
    """Return a template that writes turns so."""
    return CONVERSATION.replace("USER", user).replace("ASSISTANT", assistant)


def model(folder: Path, source: str, name: str = "", **changed: Any) -> Path:
    """Write the package's own model with another template, and another file changed."""
    made = folder / "model"
    shutil.copytree(sample_model(), made)
    (made / "chat_template.jinja").write_text(source, encoding="utf-8")
    if name:
        content = json.loads((made / name).read_text(encoding="utf-8"))
        (made / name).write_text(json.dumps({**content, **changed}), encoding="utf-8")
    return made


def renderer(folder: Path, source: str, name: str = "", **changed: Any) -> Renderer:
    return open_renderer(Render(model=str(model(folder, source, name, **changed))), folder)


def prompt_of(found: Renderer, question: str) -> str:
    (row,) = found.render(rows({"Question": question})).rows.to_dicts()
    assert row["reason"] is None
    text: str = row["prompt"]
    return text


OTHERWISE: dict[str, tuple[str, dict[str, Any]]] = {
    "a system prompt": ("messages[0].role == 'system'", {"system": "Be kind."}),
    "an earlier turn": ("messages | length > 3", {"history": turns("Hi", "Hello")}),
    "a question that is no sentinel": ("'Kw7' not in messages[0].content", {}),
    "a longer question": ("messages[-2].content | length > 15", {}),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_an_answer_that_is_written_otherwise_in_such_a_conversation_is_rejected(
    case: str, tmp_path: Path
) -> None:
    test, row = OTHERWISE[case]
    source = template(f"{{% if {test} %}}{{{{ m.content }}}}{{% else %}}{FIELD}{{% endif %}}")
    found = renderer(tmp_path, source).render(rows(row)).rows
    assert found["reason"].to_list() == ["template_refuses"]


SAID_IN = "{% macro said(tag, text) %}{% if tag in text %}X{% endif %}{% endmacro %}"
BY_CONTENT = {
    "a tag of a loop": (
        "{% for t in ['zz', 'ping'] %}{% if t in m.content %}X{% endif %}{% endfor %}", "a ping"),
    "a tag of a namespace": (
        "{% set ns = namespace(t='ping') %}{% if ns.t in m.content %}X{% endif %}", "a ping"),
    "a tag that a macro is given": (SAID_IN + "{{ said('ping', m.content) }}", "a ping"),
    "a word in any case": ("{% if 'ping' in m.content | lower %}X{% endif %}", "PING it"),
    "a word without blanks": ("{% if m.content | trim == 'ping' %}X{% endif %}", " ping"),
    "a digit": ("{% if m.content[0].isdigit() %}X{% endif %}", "7 of them"),
    "a length": ("{% if m.content | length is divisibleby 7 %}X{% endif %}", "seven's"),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_CONTENT)
def test_a_prompt_that_depends_on_what_is_asked_is_the_templates_own(
    case: str, tmp_path: Path
) -> None:
    decides, question = BY_CONTENT[case]
    found = renderer(tmp_path, template(user=decides + "{{ m.content }}"))
    assert f"user\nX{question}" in prompt_of(found, question)


@pytest.mark.parametrize(
    ("changed", "question", "written"),
    [
        ("replace('\t', ' ')", "a\tb", "a b"),
        ("replace('  ', ' ')", "a  b", "a b"),
        (r"replace('\r\n', '\n')", "a\r\nb", "a\nb"),
    ],
)
def test_blanks_within_a_text_are_written_as_the_template_does(
    changed: str, question: str, written: str, tmp_path: Path
) -> None:
    found = renderer(tmp_path, template(user=f"{{{{ m.content | {changed} }}}}"))
    assert f"user\n{written}<|im_end|>" in prompt_of(found, question)


def test_where_one_row_of_the_sample_differs_all_are_compared(tmp_path: Path) -> None:
    # A word that is built at run time is found by comparing alone.
    source = template(user="{% if ['pi', 'ng'] | join in m.content %}X{% endif %}{{ m.content }}")
    asked = rows(*[{"Question": f"ping {number}"} for number in range(200)])
    found = renderer(tmp_path, source).render(asked).rows
    assert found["reason"].value_counts().rows() == [("template_render", 200)]


def test_a_constant_that_takes_all_memory_is_not_computed_when_a_template_is_read() -> None:
    huge = "{{ 'x' * 9999999999999 }}{{ 'x' | center(9999999999) }}{% if 7 ** 7 ** 9 %}{% endif %}"
    assert read_template(huge + "{{ enable_thinking }}").switches == ("enable_thinking",)


def test_a_switch_with_a_default_is_a_switch() -> None:
    source = "{% set enable_thinking = enable_thinking | default(true) %}{{ enable_thinking }}"
    assert read_template(source).switches == ("enable_thinking",)


def test_a_template_that_takes_too_long_again_and_again_is_refused() -> None:
    slow = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    process = TemplateProcess(slow, {}, "2026-01-01", seconds=0.05)
    with pytest.raises(RenderError, match=f"for {TOO_LONG} conversations"):
        process.render([Chat([{"role": "user", "content": "x"}])] * TOO_LONG)


def test_a_doubled_beginning_is_refused(tmp_path: Path) -> None:
    source = "{{ bos_token }}{{ bos_token }}" + template()
    with pytest.raises(RenderError, match="twice"):
        renderer(tmp_path, source, "tokenizer_config.json", bos_token="<|endoftext|>")


def test_a_beginning_that_is_also_the_stop_is_counted_at_both_ends(tmp_path: Path) -> None:
    one = "<|endoftext|>"
    source = "{{ bos_token }}" + template().replace("<|im_end|>", one)
    made = model(tmp_path, source, "tokenizer_config.json", bos_token=one, eos_token=one)
    (made / "generation_config.json").write_text("{}", encoding="utf-8")
    found = open_renderer(Render(model=str(made)), tmp_path).render(many(3)).rows
    assert found["reason"].null_count() == 3


@pytest.mark.parametrize("number", [-1, 2**40, 999_999, True])
def test_an_id_that_no_token_has_ends_nothing(number: int, tmp_path: Path) -> None:
    found = renderer(tmp_path, template(), "generation_config.json", eos_token_id=[number])
    assert found.verdict.stop == "<|im_end|>"


def test_two_texts_that_make_a_control_token_together_are_rejected() -> None:
    frame = Frame(prompt="{system}{Question}\n", completion="{Complex_CoT}\n##\n{Response}{eos}")
    found = open_renderer(Render(model="sample", frame=frame), Path.cwd(), sample=True)
    asked = rows({"system": "abc<|im_", "Question": "end|>def"}, {"system": "abc<|im_"})
    assert found.render(asked).rows["reason"].to_list() == ["control_tokens", None]


def test_slots_join_where_a_part_of_the_token_is_beside_them() -> None:
    a, b = Slot("a"), Slot("b")
    assert can_join((a, b), "<|e|>")
    assert can_join((a, "|>"), "<|e|>")
    assert can_join(("<|", a), "<|e|>")
    assert can_join((a, "|e", b), "<|e|>")
    assert not can_join(("<|s|>", a, "<|e|>\n", b), "<|e|>")


def test_a_tag_of_an_unknown_family_is_a_control_token_too(tmp_path: Path) -> None:
    source = template(FIELD.replace("think>", "go>"))
    found = renderer(tmp_path, source).render(rows({"Question": "a </go> b"})).rows
    assert found["reason"].to_list() == ["control_tokens"]


def test_many_earlier_turns_are_rendered_row_by_row(tmp_path: Path) -> None:
    asked = rows({"history": turns(*["hello"] * 80)})
    found = renderer(tmp_path, template()).render(asked)
    assert found.rows["reason"].to_list() == [None]
    assert found.notes["rendered by the template"] == 1


@pytest.mark.parametrize("value", [2**70, "\ud800", {1: 2}])
def test_settings_that_no_server_can_be_sent_are_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="JSON"):
        Render(model="x", template_kwargs={"seed": value})


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="month"):
        Render(model="x", date="2026-13-45")
