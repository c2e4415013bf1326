"""Our environment renders what transformers' own renders, template by template."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cotdata.render.chat_template import ChatTemplate

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}
CHATS: list[list[dict[str, Any]]] = [
    [{"role": "user", "content": " Why? <b>&\"'\n"}],
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "患者"}],
    [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "<think>\nx\n</think>\n\ny", "reasoning_content": "z"},
        {"role": "user", "content": "b"},
    ],
]
TEMPLATES = {
    "loop controls": "{% for m in messages %}{% if loop.index > 1 %}{% break %}{% endif %}"
    "{{ m.content }}{% endfor %}",
    "generation": "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}"
    "{% endfor %}",
    "tojson": "{{ messages | tojson }}{{ messages | tojson(indent=2) }}",
    "namespace": "{% set ns = namespace(a=1) %}{% for m in messages %}{% set ns.a = ns.a + 1 %}"
    "{% endfor %}{{ ns.a }}{{ dict(x=1) }}",
    "trimmed blocks": "\n  {% if true %}\n  x\n  {% endif %}\n{{- bos_token }}",
    "undefined": "{{ tools is none }}{{ documents is none }}{{ missing }}",
}


def transformers_renders(source: str, chat: list[dict[str, Any]], *, is_prompt: bool) -> str:
    from transformers.utils.chat_template_utils import render_jinja_template

    given: dict[str, Any] = {**SPECIAL, "chat_template": source}
    found: Any = render_jinja_template([chat], add_generation_prompt=is_prompt, **given)
    rendered, _ = found
    return str(rendered[0])


def outcomes(source: str) -> Iterator[tuple[str, str]]:
    template = ChatTemplate(source, SPECIAL, "2026-01-01")
    for chat in CHATS:
        for is_prompt in (True, False):
            # transformers copies the reasoning into both fields before it renders.
            aliased = [
                {"thinking": message["reasoning_content"], **message}
                if "reasoning_content" in message
                else message
                for message in chat
            ]
            try:
                theirs = transformers_renders(source, aliased, is_prompt=is_prompt)
            except Exception as error:
                theirs = type(error).__name__
            try:
                ours = template.render(aliased, {}, is_prompt=is_prompt)
            except Exception as error:
                ours = type(error).__name__
            yield ours, theirs


@pytest.mark.parametrize("name", TEMPLATES)
def test_renders_as_transformers_does(name: str) -> None:
    for ours, theirs in outcomes(TEMPLATES[name]):
        assert ours == theirs


@pytest.mark.real_data
def test_renders_every_collected_template_as_transformers_does(real_data: Path) -> None:
    for path in sorted((real_data / "templates").rglob("*.jinja")):
        source = path.read_text()
        if "strftime_now" in source:  # today's date is not ours
            continue
        for ours, theirs in outcomes(source):
            assert ours == theirs, path.name


def test_prints_the_date_that_it_is_given_and_not_todays() -> None:
    template = ChatTemplate("{{ strftime_now('%d %b %Y') }}", {}, "2026-01-02")
    assert template.render([], {}, is_prompt=True) == "02 Jan 2026"


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages.append(1) }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ dict.__init__.__globals__ }}",
        "{% set ns = namespace() %}{% set ns._a = 1 %}",
        "{% include '/etc/passwd' %}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    ],
)
def test_a_template_cannot_leave_the_sandbox(source: str) -> None:
    with pytest.raises(Exception, match=r".*"):
        ChatTemplate(source, {}, "2026-01-01").render([{"role": "user"}], {}, is_prompt=True)
