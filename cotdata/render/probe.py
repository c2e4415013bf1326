"""Asks a chat template, by what it renders, how its model is prompted and how it reasons.

Nothing is guessed from a name: sentinels stand for the texts, and what comes out decides. A prefix
check alone proves nothing (a template that deletes the reasoning passes it), so an encoding counts
only where the reasoning stands once, in its place, closed, before the answer, and where ordinary
texts come out as they went in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Literal, NamedTuple

from cotdata.errors import RenderError
from cotdata.render.encodings import TRIED, Encoding, Shape, answered, settings_text
from cotdata.render.forms import TRIMS, Trim
from cotdata.render.template_process import Chat, TemplateProcess
from cotdata.render.template_text import TemplateText

QUESTION: Final = "Kw7question"
REASONING: Final = "Kw7reasoning"
ANSWER: Final = "Kw7answer"
#: Texts whose ends show what is trimmed.
PADDING: Final = ("\n \t", "\t \n")
#: Ordinary texts: what a template escapes, cuts or wraps shows on one of them.
ORDINARY: Final = (
    "Why? 2 < 3 & \"x\" > 'y', so {{a}} and {% b %}: \\frac{1}{2}\n\n- **bold**\n- `code`"
    "\n\n\n  two  blanks\tand\ta tab\r\n\tend",
    "患者，女，48岁。\n\n诊断：肝硬化？😀 e\u0301 \u202b\u05e9\u05dc\u05d5\u05dd\u202c\u00a0end",
    "word " * 4_000 + "end",
    "no",
)

State = Literal["opens", "closed", "free"]


class Mode(NamedTuple):
    """Settings that a template is called with, and the generation prompt that follows."""

    settings: dict[str, Any]
    prompt: str
    #: Whether the prompt opens a think block, ends in a closed one, or leaves it to the model.
    state: State


class Finding(NamedTuple):
    """One line of a verdict."""

    question: str
    answer: str
    evidence: str = ""


class Kept(NamedTuple):
    """Where an encoding's reasoning came out: what the model writes after its prompt."""

    encoding: Encoding
    #: Before the reasoning, between it and the answer, and after the answer.
    before: str
    between: str
    after: str
    reasoning: Trim
    answer: Trim


class Lost(NamedTuple):
    """Why an encoding is of no use."""

    encoding: Encoding
    why: str


@dataclass(frozen=True)
class Tags:
    """What opens and closes a think block, without blanks."""

    open: str
    close: str


@dataclass
class Prober:
    """Renders sentinels by one template.

    Args:
        process: The template.
        text: What is said in its source.
        fixed: What the recipe calls it with; those are not tried otherwise.
        tags: Think tags that families are known to use.
    """

    process: TemplateProcess
    text: TemplateText
    fixed: Mapping[str, Any]
    tags: Sequence[Tags]
    findings: list[Finding] = field(default_factory=list)

    def modes(self) -> list[Mode]:
        """Return the ways to call the template: as it is, and with each switch on and off.

        Raises:
            RenderError: If it renders no plain question.
        """
        settings = [dict(self.fixed)]
        for name in self.text.switches:
            if name not in self.fixed:
                settings += [{**self.fixed, name: value} for value in (True, False)]
        messages = Shape().messages({"Question": QUESTION})
        outcomes = self.process.render([Chat(messages, each) for each in settings])
        if outcomes[0].text is None:
            raise RenderError(
                f"the chat template refuses a plain question: {outcomes[0].error}",
                fix="give what it asks for with `render.template_kwargs`, or name a think frame "
                "with `render.frame`",
            )
        modes = [
            Mode(each, outcome.text, self.state(outcome.text))
            for each, outcome in zip(settings, outcomes, strict=True)
            if outcome.text is not None and outcome.text.count(QUESTION) == 1
        ]
        if not modes:
            raise RenderError(
                "the chat template does not write the question once: it cannot be proven",
                fix="name a think frame with `render.frame`",
            )
        return modes

    def state(self, prompt: str) -> State:
        """Return what a generation prompt says of the think block."""
        end = prompt.partition(QUESTION)[2]
        for tags in self.tags:
            opened, closed = end.rfind(tags.open), end.rfind(tags.close)
            if closed > opened and end.rstrip().endswith(tags.close):
                return "closed"
            if opened > closed:
                return "opens"
        return "free"

    def kept(self, mode: Mode, shape: Shape, texts: Mapping[str, str]) -> Iterator[Kept | Lost]:
        """Try each encoding on a conversation; `mode.prompt` is that conversation's."""
        for encoding in TRIED:
            yield self._try(encoding, mode, shape.messages(texts))

    def _try(self, encoding: Encoding, mode: Mode, messages: Sequence[Any]) -> Kept | Lost:
        answers = [(REASONING, ANSWER)]
        answers += [(_padded(REASONING), ANSWER), (REASONING, _padded(ANSWER))]
        answers += [(text, other) for text, other in zip(ORDINARY, reversed(ORDINARY), strict=True)]
        chats = [
            Chat([*messages, answered(encoding, reasoning, answer)], mode.settings, is_prompt=False)
            for reasoning, answer in answers
        ]
        first, *others = self.process.render(chats)
        if first.text is None:
            return Lost(encoding, first.error or "it renders nothing")
        found = self._placed(encoding, mode, first.text)
        if isinstance(found, Lost):
            return found
        head = first.text[: first.text.index(REASONING)]
        for reasoning_trim, answer_trim in _trims(
            found, head, [other.text for other in others[:2]]
        ):
            found = found._replace(reasoning=reasoning_trim, answer=answer_trim)
            rendered = [other.text for other in others[2:]]
            if all(
                text == _filled(found, head, *answer)
                for text, answer in zip(rendered, answers[3:], strict=True)
            ):
                return found
        return Lost(encoding, "it changes the texts that it is given")

    def _placed(self, encoding: Encoding, mode: Mode, text: str) -> Kept | Lost:
        """Find the reasoning in a rendered conversation."""
        counts = text.count(REASONING), text.count(ANSWER)
        if counts[0] != 1:
            return Lost(encoding, f"the reasoning is written {_times(counts[0])}")
        if counts[1] != 1:
            return Lost(encoding, f"the answer is written {_times(counts[1])}")
        start = _start(mode.prompt, text)
        reasoning, answer = text.index(REASONING), text.index(ANSWER)
        if start is None or start > reasoning:
            return Lost(encoding, f"the prompt is not how the conversation begins: {mode.prompt!r}")
        before = text[start:reasoning]
        between = text[reasoning + len(REASONING) : answer]
        if answer < reasoning or not between.strip():
            return Lost(encoding, "nothing stands between the reasoning and the answer")
        if (why := _misplaced(mode, before, between)) is not None:
            return Lost(encoding, why)
        after = text[answer + len(ANSWER) :]
        return Kept(encoding, before, between, after, Trim(), Trim())


def _misplaced(mode: Mode, before: str, between: str) -> str | None:
    """Say why what stands around a reasoning is no think block that the prompt allows."""
    if between.strip() in before:
        return f"the block is closed before the reasoning: {before!r}"
    if mode.state == "opens" and before.strip():
        return f"the prompt has opened the block, and then comes {before!r}"
    if mode.state == "closed":
        return "the prompt has closed the block already"
    return None


def _start(prompt: str, text: str) -> int | None:
    """Return where the model's part of a conversation begins; None where it isn't the prompt's.

    Blanks at the end of the prompt that the template's own render lacks are the prompt's all the
    same: it is what the model is given.
    """
    if text.startswith(prompt):
        return len(prompt)
    bare = prompt.rstrip()
    if not text.startswith(bare):
        return None
    rest = text[len(bare) :]
    blanks = len(rest) - len(rest.lstrip())
    return len(bare) + min(blanks, len(prompt) - len(bare))


def _trims(found: Kept, head: str, rendered: Sequence[str | None]) -> Iterator[tuple[Trim, Trim]]:
    """Yield the trims that explain what became of padded texts, those that take least first."""
    reasoning_text, answer_text = rendered
    reasoning = [
        trim
        for trim in TRIMS
        if reasoning_text
        == head + trim.text(_padded(REASONING)) + found.between + ANSWER + found.after
    ]
    answer = [
        trim
        for trim in TRIMS
        if answer_text
        == head + REASONING + found.between + trim.text(_padded(ANSWER)) + found.after
    ]
    yield from ((first, second) for first in reasoning[:1] for second in answer[:1])


def _filled(found: Kept, head: str, reasoning: str, answer: str) -> str:
    written = found.reasoning.text(reasoning), found.answer.text(answer)
    return head + written[0] + found.between + written[1] + found.after


def _padded(text: str) -> str:
    return PADDING[0] + text + PADDING[1]


def _times(count: int) -> str:
    return {0: "nowhere"}.get(count, f"{count} times")


def mode_text(mode: Mode) -> str:
    """Return a mode's settings as people read them."""
    return settings_text(mode.settings) or "as it is"


def all_settings(modes: Sequence[Mode]) -> set[str]:
    """Return the names of all settings that were tried."""
    return set(chain.from_iterable(mode.settings for mode in modes))
