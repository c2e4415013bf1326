"""A chat template is foreign code: whatever it does, the build goes on and says what it did."""

import os
import pickle
from collections.abc import Callable, Iterator

import pytest

from cotdata.errors import RenderError
from cotdata.render.template_process import Chat, TemplateProcess

Start = Callable[..., TemplateProcess]
ECHO = "{% for m in messages %}{{ m.content }}{% endfor %}"


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[TemplateProcess] = []

    def open_process(source: str, seconds: float = 2.0) -> TemplateProcess:
        started.append(TemplateProcess(source, {}, "2026-01-01", seconds=seconds))
        return started[-1]

    yield open_process
    for process in started:
        process.close()


def asked(*contents: str) -> list[Chat]:
    return [Chat([{"role": "user", "content": content}]) for content in contents]


def test_renders_many_conversations_in_their_order(start: Start) -> None:
    texts = [f"text {number} \u00e9\U0001f600" for number in range(600)]
    assert [outcome.text for outcome in start(ECHO).render(asked(*texts))] == texts


def test_a_conversation_that_it_refuses_has_the_templates_own_message(start: Start) -> None:
    process = start(
        "{% if messages[0].content == 'no' %}{{ raise_exception('not this') }}{% endif %}x"
    )
    good, bad = process.render(asked("yes", "no"))
    assert good.text == "x"
    assert bad.text is None
    assert "not this" in (bad.error or "")


def test_a_template_that_loops_is_stopped_and_the_others_are_rendered(start: Start) -> None:
    loop = (
        "{% if messages[0].content == 'loop' %}{% for a in range(99999) %}"
        "{% for b in range(99999) %}{% endfor %}{% endfor %}{% endif %}x"
    )
    stopped, other = start(loop, seconds=0.3).render(asked("loop", "no"))
    assert "longer than 0.3 seconds" in (stopped.error or "")
    assert other.text == "x"


def test_a_template_that_takes_all_memory_fails_alone(start: Start) -> None:
    greedy = (
        "{% if messages[0].content == 'more' %}{{ messages[0].content * 9000000000 }}{% endif %}x"
    )
    failed, other = start(greedy).render(asked("more", "less"))
    assert failed.text is None
    assert other.text == "x"


def test_a_constant_that_takes_all_memory_is_refused(start: Start) -> None:
    (outcome,) = start("{{ 'x' * 9000000000 }}").render(asked("x"))
    assert outcome.text is None
    assert "MemoryError" in (outcome.error or "")


def test_a_source_that_is_no_template_is_an_error_with_a_way_out(start: Start) -> None:
    with pytest.raises(RenderError, match="cannot be used") as raised:
        start("{% if %}").render(asked("x"))
    assert "render.frame" in (raised.value.fix or "")


def test_a_process_that_was_killed_is_started_again(start: Start) -> None:
    process = start(ECHO)
    process.render(asked("a"))
    child = process._child
    assert child is not None
    os.kill(child.pid, 9)
    child.wait()
    assert [outcome.text for outcome in process.render(asked("b"))] in (["b"], [None])
    assert process.render(asked("c"))[0].text == "c"


def test_travels_between_processes(start: Start) -> None:
    copied = pickle.loads(pickle.dumps(start(ECHO)))
    assert copied.render(asked("x"))[0].text == "x"
    copied.close()


def test_two_megabytes_of_text_pass(start: Start) -> None:
    text = "\u60a3\u8005" * 350_000
    assert start(ECHO).render(asked(text))[0].text == text
