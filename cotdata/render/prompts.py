"""Prompts as the model's template writes them: cut once for each shape of conversation.

A template renders a shape once, with sentinels for the texts; from then on a prompt of that shape
is a concatenation. Where a shape cannot be cut so that ordinary texts come out as the template
itself writes them, and for rows that hold a text which the template looks for, the template renders
each row.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cotdata.render.encodings import Encoding, Shape, answered
from cotdata.render.forms import TRIMS, Form, Slot, UncutError, continues, cut, fill
from cotdata.render.probe import ORDINARY, PADDING
from cotdata.render.template_process import Chat, TemplateProcess
from cotdata.render.verdict import Verdict

#: Earlier turns beyond which cutting a shape costs more than rendering its rows.
_MANY_TURNS: Final = 32


@dataclass(frozen=True)
class PromptForm:
    """How the prompts of one shape are written: by a form, by the template, or not at all."""

    settings: Mapping[str, Any]
    #: None where the template must render each row.
    form: Form | None = None
    #: Why the template refuses such a conversation.
    refusal: str | None = None
    #: Texts of the row that the template leaves out.
    left_out: tuple[str, ...] = ()


class Prompts:
    """The prompts of one template. Thread-safe."""

    def __init__(self, process: TemplateProcess) -> None:
        self._process = process
        self._known: dict[tuple[Shape, str], PromptForm] = {}
        self._answered: dict[Shape, bool] = {}
        self._lock = threading.Lock()

    def form(self, shape: Shape, settings: Mapping[str, Any]) -> PromptForm:
        """Return how prompts of a shape are written with these settings.

        Raises:
            RenderError: If the template's process cannot be had.
        """
        key = shape, repr(sorted(settings.items()))
        with self._lock:
            if key not in self._known:
                self._known[key] = self._probe(shape, settings)
            return self._known[key]

    def answers_as(self, verdict: Verdict, shape: Shape) -> bool:
        """Say whether the template writes answers in a shape as it does after a question alone.

        Templates answer differently where there is a system prompt, or an earlier turn.

        Raises:
            RenderError: If the template's process cannot be had.
        """
        if verdict.encoding is Encoding.COMPOSED:
            return True
        with self._lock:
            if shape not in self._answered:
                self._answered[shape] = self._answers_as(verdict, shape)
            return self._answered[shape]

    def _answers_as(self, verdict: Verdict, shape: Shape) -> bool:
        chats, bodies = [], []
        for turn, answer in enumerate(ORDINARY):
            reasoning = ORDINARY[turn - 1]
            # The long text as a question alone: in each of many turns it would take a while.
            chat = shape.messages(
                {**dict.fromkeys(shape.slots(), ORDINARY[turn % 2]), "Question": ORDINARY[turn - 2]}
            )
            message = answered(verdict.encoding, reasoning, answer)
            chats += [
                Chat(chat, verdict.settings),
                Chat([*chat, message], verdict.settings, is_prompt=False),
            ]
            bodies.append(verdict.completion(reasoning, answer).removesuffix(verdict.end))
        texts = [outcome.text for outcome in self._process.render(chats)]
        prompts, wholes = texts[0::2], texts[1::2]
        if None in prompts:  # which is the prompt's own affair
            return True
        return all(map(continues, wholes, [text or "" for text in prompts], bodies))

    def render(
        self, shape: Shape, settings: Mapping[str, Any], rows: Sequence[Mapping[str, str]]
    ) -> list[tuple[str | None, str | None]]:
        """Return each row's prompt, or why there is none, from the template itself."""
        chats = [Chat(shape.messages(texts), settings) for texts in rows]
        return [(outcome.text, outcome.error) for outcome in self._process.render(chats)]

    def _probe(self, shape: Shape, settings: Mapping[str, Any]) -> PromptForm:
        slots = shape.slots()
        sentinels = {slot: f"Kw7slot{place}x" for place, slot in enumerate(slots)}
        padded = [{**sentinels, slot: PADDING[0] + sentinels[slot] + PADDING[1]} for slot in slots]
        ordinary = [
            {slot: ORDINARY[(place + turn) % len(ORDINARY)] for place, slot in enumerate(slots)}
            for turn in range(len(ORDINARY))
        ]
        if len(slots) > _MANY_TURNS:
            return PromptForm(settings)
        outcomes = self.render(shape, settings, [sentinels, *padded, *ordinary])
        text, refusal = outcomes[0]
        if text is None:
            return PromptForm(settings, refusal=refusal)
        try:
            form = cut(text, sentinels, optional=slots[:-1])
        except UncutError as error:
            if error.slot == "Question":
                return PromptForm(settings, refusal=f"the question is written {error.count} times")
            return PromptForm(settings)
        form = _trimmed(form, sentinels, padded, [text for text, _ in outcomes[1 : 1 + len(slots)]])
        there = {part.name for part in form if isinstance(part, Slot)}
        left_out = tuple(slot for slot in slots if slot not in there)
        rendered = [text for text, _ in outcomes[1 + len(slots) :]]
        is_sound = [fill(form, texts) for texts in ordinary] == rendered
        return PromptForm(settings, form if is_sound else None, left_out=left_out)


def _trimmed(
    form: Form,
    sentinels: Mapping[str, str],
    padded: Sequence[Mapping[str, str]],
    rendered: Sequence[str | None],
) -> Form:
    """Give each slot the trim that explains what became of its padded text, if one does."""
    parts = list(form)
    slots = list(sentinels)
    for place, part in enumerate(form):
        if not isinstance(part, Slot):
            continue
        number = slots.index(part.name)
        for trim in TRIMS:
            parts[place] = replace(part, trim=trim)
            tried = tuple(other if at != place else parts[place] for at, other in enumerate(form))
            if fill(tried, padded[number]) == rendered[number]:
                break
        else:
            parts[place] = part
    return tuple(parts)
