"""Files and commands by which servers write prompts as the rows were rendered.

All come from one form: the segments between a conversation's texts. A think frame has one
(`serving_form`), and so has a template that was probed. vLLM and llama.cpp take the chat template
itself; Ollama has a language of its own, into which the segments are written.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from cotdata.errors import RenderError
from cotdata.render.forms import Trim
from cotdata.render.frames.think_frame import CONTENT, SLOT, ThinkFrame
from cotdata.render.frames.written import FrameText

CHAT_TEMPLATE_FILE: Final = "chat_template.jinja"
MODELFILE: Final = "Modelfile"
#: How Ollama writes today's date, the only form that it has.
_OLLAMA_DATE: Final = "%Y-%m-%d"
_DATE: Final = re.compile(r"(\{date:[^{}]+\})")
#: What would end a text in Ollama's language, or in the file around it.
_UNSAFE: Final = re.compile(r'\{+|"{3,}')


@dataclass(frozen=True)
class ServingForm:
    """What stands around the texts of a conversation.

    `{date:%Y-%m-%d}` in a segment is the day on which it is rendered; all else is text. The
    tokenizer's bos token is in no segment: Ollama writes it where the model file says so.
    """

    user_before: str
    user_after: str
    #: The beginning of the model's turn, and what the generation prompt opens besides.
    assistant_before: str
    opened: str
    #: What the model writes before its reasoning, and between that and the answer; both are empty
    #: where it does not reason.
    open: str
    close: str
    #: What ends an answer, and generation; empty: the tokenizer's own eos.
    stop: str
    #: What begins a conversation.
    head: str = ""
    #: What stands around a system prompt; None where there is no place for one.
    system_before: str | None = None
    system_after: str = ""
    #: The system prompt of conversations that have none.
    default_system: str | None = None
    #: What stands in place of the system prompt where there is none, not even a default one.
    no_system: str = ""
    #: What stands before an earlier answer without reasoning, and what ends an earlier answer.
    history_open: str = ""
    history_end: str = ""
    #: What stands before an earlier answer whose reasoning is dropped; None: `history_open`.
    history_dropped: str | None = None
    keeps_history: bool = False
    #: The form that the server takes when thinking is turned off.
    plain: "ServingForm | None" = None
    #: What the chat template must be called with.
    settings: Mapping[str, Any] | None = None
    #: vLLM's name for the parser that tells reasoning and answer apart.
    reasoning_parser: str | None = None
    #: Whether the chat template takes blanks off the ends of messages, which Ollama cannot.
    is_trimmed: bool = False
    #: Whether the chat template refuses earlier turns, which Ollama cannot.
    is_single_turn: bool = False

    @property
    def has_tags(self) -> bool:
        """Whether something opens the reasoning and something closes it."""
        return bool((self.opened or self.open).strip() and self.close.strip())


def serving_form(frame: ThinkFrame, special: Mapping[str, str]) -> ServingForm:
    """Return a think frame's form, as it is served when thinking is on.

    Args:
        frame: The frame.
        special: The tokenizer's `eos_token`, as text.
    """
    plain = None
    if frame.switch is not None and frame.plain is not None:
        plain = _form(FrameText(frame, special, is_thinking=False))
    switch = frame.switch
    settings = {switch.name: switch.on} if switch is not None and not switch.is_on else None
    return _form(FrameText(frame, special), plain, settings)


def modelfile(form: ServingForm, model: str) -> str:
    """Return an Ollama Modelfile.

    Args:
        form: How prompts are written.
        model: What stands in its `FROM` line: a GGUF file or a folder.

    Raises:
        RenderError: If the form writes the date in a way that Ollama has not.
    """
    lines = ["# Written by cotdata: prompts as the rows were trained.", *_ollama_notes(form)]
    source = f'"{model}"' if " " in model else model
    lines += [f"FROM {source}", f'TEMPLATE """{ollama_template(form)}"""']
    if form.stop:
        lines.append(f'PARAMETER stop "{form.stop}"')
    return "\n".join(lines) + "\n"


def ollama_template(form: ServingForm) -> str:
    """Return the form in Ollama's template language, safe to stand in a Modelfile.

    Raises:
        RenderError: If the form writes the date in a way that Ollama has not.
    """
    written = ""
    was_action = False
    for part in _ollama_parts(form):
        is_action = part.startswith("{{")
        # A line of its own, whose break is trimmed away.
        written += "\n{{-" + part[2:] if is_action and was_action else part
        was_action = is_action
    return written


def vllm_command(
    model: str,
    form: ServingForm,
    *,
    has_tag_tokens: bool,
    generation_config: str | None = None,
    template: str = CHAT_TEMPLATE_FILE,
) -> str:
    """Return the command that serves a model with vLLM.

    Args:
        model: Folder or id of the model.
        form: How prompts are written.
        has_tag_tokens: Whether the think tags are tokens of the vocabulary: vLLM's parsers do not
            start where they are not.
        generation_config: Folder with the generation_config.json whose `eos_token_id` vLLM stops
            at; None: the model's own.
        template: The chat template's file.
    """
    arguments = ["vllm", "serve", model, "--chat-template", template]
    if form.reasoning_parser is not None and has_tag_tokens:
        arguments += ["--reasoning-parser", form.reasoning_parser]
    if generation_config is not None:
        arguments += ["--generation-config", generation_config]
    if form.settings:
        arguments += ["--default-chat-template-kwargs", json.dumps(dict(form.settings))]
    return shlex.join(arguments)


def llama_cpp_command(model: str, form: ServingForm, template: str = CHAT_TEMPLATE_FILE) -> str:
    """Return the command that serves a GGUF file with llama.cpp, which stops at the file's eos."""
    arguments = ["llama-server", "-m", model, "--jinja", "--chat-template-file", template]
    if form.settings:
        arguments += ["--chat-template-kwargs", json.dumps(dict(form.settings))]
    return shlex.join(arguments)


def generation_config(stop_ids: Sequence[int], base: Mapping[str, Any] | None = None) -> str:
    """Return a generation_config.json with which vLLM and transformers stop at these ids.

    Args:
        stop_ids: The stop token's id first.
        base: The model's own generation_config.json, whose other settings stay.
    """
    own = (base or {}).get("eos_token_id", [])
    known = [*stop_ids, *(own if isinstance(own, list) else [own])]
    return json.dumps({**(base or {}), "eos_token_id": list(dict.fromkeys(known))}, indent=2) + "\n"


def _form(
    text: FrameText, plain: ServingForm | None = None, settings: Mapping[str, Any] | None = None
) -> ServingForm:
    frame, turns = text.frame, text.turns
    fill = partial(_filled, special=text.special)
    user_before, _, user_after = turns.user.partition(CONTENT)
    system_before, _, system_after = (turns.system or "").partition(CONTENT)
    history_open = frame.history_open
    if text.is_plain and frame.plain is not None and frame.plain.history_open is not None:
        history_open = frame.plain.history_open
    keeps = frame.history_switch.is_on if frame.history_switch is not None else frame.keeps_history
    return ServingForm(
        user_before=fill(user_before),
        user_after=fill(user_after),
        assistant_before=fill(frame.assistant),
        opened=fill(text.prompted),
        open="" if text.is_plain else fill(frame.open),
        close="" if text.is_plain else fill(frame.close),
        stop=fill(frame.stop).strip(),
        head=fill(frame.head),
        system_before=None if turns.system is None else fill(system_before),
        system_after=fill(system_after),
        default_system=turns.default_system,
        no_system=fill(turns.no_system),
        history_open=fill(frame.kept if keeps else history_open),
        history_end=fill(frame.earlier_end),
        history_dropped=None if keeps or text.is_plain else fill(frame.dropped),
        keeps_history=keeps,
        plain=plain,
        settings=settings,
        reasoning_parser=frame.reasoning_parser,
        is_trimmed=Trim() != frame.trims.user or Trim() != frame.trims.system,
        is_single_turn=frame.is_single_turn,
    )


def _filled(text: str, special: Mapping[str, str]) -> str:
    """Return a frame's text as a segment: with the eos, without the bos."""
    values = {"eos": special.get("eos_token", ""), "bos": ""}
    return SLOT.sub(lambda slot: values.get(slot[1], slot[0]), text)


def _ollama_notes(form: ServingForm) -> Iterator[str]:
    if form.system_before is None:
        yield "# There is no place for a system prompt: Ollama leaves it out."
    if form.is_trimmed:
        yield "# The chat template trims blanks at the ends of messages; send them trimmed."
    if form.is_single_turn:
        yield "# Rows were one question and one answer: send no earlier turns."
    if form.plain is not None:
        yield "# `think: false` in a request turns thinking off."


def _ollama_parts(form: ServingForm) -> Iterator[str]:
    """Yield texts and actions; an action begins with two braces."""
    if form.plain is not None:
        yield "{{ $plain := and .IsThinkSet (not .Think) }}"
    yield from _text(form.head)
    yield from _ollama_system(form)
    yield "{{ range $i, $_ := .Messages }}"
    yield "{{ $last := eq (len (slice $.Messages $i)) 1 }}"
    yield '{{ if eq .Role "user" }}'
    yield from _by_mode(form, "user_before")
    yield "{{ .Content }}"
    yield from _by_mode(form, "user_after")
    yield '{{ else if eq .Role "assistant" }}'
    yield from _text(form.assistant_before)
    yield from _ollama_reasoning(form)
    yield "{{ .Content }}"
    yield "{{ if not $last }}"
    yield from _text(form.history_end)
    yield "{{ end }}"
    yield "{{ end }}"
    yield '{{ if and $last (ne .Role "assistant") }}'
    yield from _text(form.assistant_before)
    yield from _by_mode(form, "opened")
    yield "{{ end }}"
    yield "{{ end }}"


def _ollama_system(form: ServingForm) -> Iterator[str]:
    own = _own_system(form)
    if form.system_before is None:
        yield from _text(own)
        return
    yield "{{ if .System }}"
    yield from _by_mode(form, "system_before")
    yield "{{ .System }}"
    yield from _by_mode(form, "system_after")
    yield "{{ else }}"
    yield from _choice(form, own, _own_system(form.plain) if form.plain is not None else own)
    yield "{{ end }}"


def _own_system(form: ServingForm) -> str:
    if form.system_before is None or form.default_system is None:
        return form.no_system
    return form.system_before + form.default_system + form.system_after


def _ollama_reasoning(form: ServingForm) -> Iterator[str]:
    """Write an earlier answer's reasoning; from here Ollama reads what the think tags are."""
    if not form.has_tags:  # it cannot tell the reasoning apart: the client sends back the whole
        return
    yield "{{ if .Thinking }}" if form.keeps_history else "{{ if and $last .Thinking }}"
    yield from _text(form.opened + form.open)
    yield "{{ .Thinking }}"
    yield from _text(form.close)
    if form.history_dropped is not None and form.history_dropped != form.history_open:
        yield "{{ else if .Thinking }}"
        yield from _text(form.history_dropped)
    yield "{{ else }}"
    yield from _by_mode(form, "history_open")
    yield "{{ end }}"


def _by_mode(form: ServingForm, segment: str) -> Iterator[str]:
    thinking = getattr(form, segment) or ""
    plain = thinking if form.plain is None else getattr(form.plain, segment) or ""
    yield from _choice(form, thinking, plain)


def _choice(form: ServingForm, thinking: str, plain: str) -> Iterator[str]:
    if form.plain is None or thinking == plain:
        yield from _text(thinking)
        return
    yield "{{ if $plain }}"
    yield from _text(plain)
    yield "{{ else }}"
    yield from _text(thinking)
    yield "{{ end }}"


def _text(text: str) -> Iterator[str]:
    """Write a segment; what Ollama would read, or drop from the file, becomes a quoted string."""
    for part in _DATE.split(text):
        if _DATE.fullmatch(part):
            yield _date(part[6:-1])
        else:
            yield from _literal(part)


def _date(form: str) -> str:
    if form != _OLLAMA_DATE:
        raise RenderError(
            f"Ollama cannot write today's date as {form!r}",
            fix="serve with llama.cpp or vLLM, which take the chat template itself",
        )
    return "{{ currentDate }}"


def _literal(text: str) -> Iterator[str]:
    done = 0
    for start, end in _unsafe(text):
        yield from [text[done:start]] if start > done else []
        yield f"{{{{ {_quoted(text[start:end])} }}}}"
        done = end
    yield from [text[done:]] if text[done:] else []


def _quoted(text: str) -> str:
    """Return a text as a Go string."""
    escaped = [
        character
        if character.isprintable() and character not in '"\\'
        else f"\\U{ord(character):08x}"
        for character in text
    ]
    return '"' + "".join(escaped) + '"'


def _unsafe(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans that cannot stand as text: braces and quotes, and what does not print.

    Ollama's reader of Modelfiles drops every character that is not printable, such as U+3000.
    """
    spans = [match.span() for match in _UNSAFE.finditer(text)]
    spans += [
        (place, place + 1)
        for place, character in enumerate(text)
        if character != "\n" and not character.isprintable()
    ]
    return iter(sorted(spans))
