"""Writes a think frame as a chat template, for transformers, vLLM and llama.cpp."""

from collections.abc import Iterator
from typing import Final

from cotdata.render.chat_template import REASONING_FIELDS
from cotdata.render.forms import PYTHON_BLANKS, Trim
from cotdata.render.frames.think_frame import SLOT, Inline, Switch, ThinkFrame, Turns

_ESCAPES: Final = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NO_TURNS: Final = "this chat template has no place for earlier turns"
_TOKENS: Final = {"bos": "bos_token", "eos": "eos_token"}


def chat_template(frame: ThinkFrame) -> str:
    """Return a think frame as a Jinja chat template.

    It reads a message's reasoning from `reasoning_content`, `thinking` or `reasoning`, obeys the
    frame's switches, drops or keeps earlier reasoning as the family does, and refuses what the
    frame has no place for: tools, other roles, a system prompt after the first turn. The last
    answer ends in the frame's stop token.
    """
    return "\n".join(_lines(frame))


def _lines(frame: ThinkFrame) -> Iterator[str]:
    yield f"{{#- The think frame `{frame.name}` as a chat template, written by cotdata. -#}}"
    yield (
        "{%- if tools -%}" + _refuse("this chat template has no place for tools") + "{%- endif -%}"
    )
    yield "{%- set ns = namespace(last_user=-1, users=0) -%}"
    yield "{%- for message in messages -%}{%- if message.role == 'user' -%}"
    yield "{%- set ns.last_user = loop.index0 -%}{%- set ns.users = ns.users + 1 -%}"
    yield "{%- endif -%}{%- endfor -%}"
    if frame.is_single_turn:
        yield "{%- if ns.users > 1 -%}" + _refuse(_NO_TURNS) + "{%- endif -%}"
    if frame.switch is not None and frame.plain is not None:
        yield f"{{%- set is_on = {_is_on(frame.switch)} -%}}"
    yield _text(frame.head)
    yield from _system(frame)
    yield "{%- for message in messages -%}"
    yield "{%- if message.content is not string -%}"
    yield _refuse("the content of a message must be a string") + "{%- endif -%}"
    yield "{%- if message.role == 'system' -%}{%- if not loop.first -%}"
    yield _refuse("a system prompt must come first") + "{%- endif -%}"
    yield "{%- elif message.role == 'user' -%}"
    user = f"message.content{_trimmed(frame.trims.user)}"
    yield _by_mode(frame, *(_text(turns.user, user) for turns in _both(frame)))
    yield "{%- elif message.role == 'assistant' -%}"
    yield from _assistant(frame)
    yield "{%- else -%}" + _refuse("this chat template has no place for other roles")
    yield "{%- endif -%}{%- endfor -%}"
    yield "{%- if add_generation_prompt -%}" + _text(frame.assistant)
    block = frame.plain.block if frame.plain is not None and frame.plain.is_prompted else ""
    yield _by_mode(frame, _text(frame.opened), _text(block)) + "{%- endif -%}"


def _system(frame: ThinkFrame) -> Iterator[str]:
    given = "messages and messages[0].role == 'system'"
    if frame.skips_empty_system:
        given += f" and messages[0].content{_trimmed(frame.trims.system)}"
    content = f"messages[0].content{_trimmed(frame.trims.system)}"
    thinking, plain = _both(frame)
    yield f"{{%- if {given} -%}}"
    yield _by_mode(frame, _given_system(thinking, content), _given_system(plain, content))
    yield "{%- else -%}"
    yield _by_mode(frame, _own_system(thinking), _own_system(plain)) + "{%- endif -%}"


def _given_system(turns: Turns, content: str) -> str:
    if turns.system is None:
        return _refuse("this chat template has no place for a system prompt")
    return _text(turns.system, content)


def _own_system(turns: Turns) -> str:
    if turns.system is None or turns.default_system is None:
        return _text(turns.no_system)
    return _text(turns.system, _quoted(turns.default_system))


def _assistant(frame: ThinkFrame) -> Iterator[str]:
    fields = REASONING_FIELDS
    yield "{%- set found = namespace(reasoning='', answer='') -%}"
    for number, name in enumerate(fields):
        test = f"message.{name} is string and message.{name}.strip()"
        yield f"{{%- {'elif' if number else 'if'} {test} -%}}"
        yield f"{{%- set found.reasoning = message.{name} -%}}"
    yield "{%- endif -%}"
    yield _text(frame.assistant)
    yield "{%- if loop.index0 > ns.last_user -%}"
    yield f"{{%- set found.answer = message.content{_trimmed(frame.trims.answer)} -%}}"
    yield from _inline(frame.inline)
    yield "{%- if found.reasoning -%}" + _reasoned(frame) + "{%- else -%}"
    plain = frame.plain.block + frame.plain.before if frame.plain is not None else ""
    yield _by_mode(frame, _text(frame.bare), _text(plain)) + "{%- endif -%}"
    yield "{%- else -%}"
    yield f"{{%- set found.answer = message.content{_trimmed(frame.trims.history)} -%}}"
    yield from _inline(frame.inline)
    yield from _earlier(frame)
    yield "{%- endif -%}{{- found.answer -}}"
    yield "{%- if loop.last -%}" + _text(frame.stop) + "{%- else -%}"
    yield _text(frame.earlier_end) + "{%- endif -%}"


def _inline(inline: Inline | None) -> Iterator[str]:
    """Read tags in the answer, where the family does and no field has the reasoning."""
    if inline is None:
        return
    opening, closing = _quoted(inline.open), _quoted(inline.close)
    ends = Trim(inline.blanks, inline.blanks)
    start = Trim(inline.blanks, "")
    yield f"{{%- if not found.reasoning and {closing} in found.answer -%}}"
    yield f"{{%- set found.reasoning = found.answer.split({closing})[0]"
    yield f".split({opening})[-1]{_trimmed(ends)} -%}}"
    yield f"{{%- set found.answer = found.answer.split({closing})[-1]{_trimmed(start)} -%}}"
    yield "{%- endif -%}"


def _earlier(frame: ThinkFrame) -> Iterator[str]:
    """Write what stands before an earlier answer."""
    if frame.is_single_turn:
        yield _refuse(_NO_TURNS)
        return
    kept = _choice("found.reasoning", _reasoned(frame), _text(frame.kept))
    dropped = _choice("found.reasoning", _text(frame.dropped), _text(frame.history_open))
    if frame.plain is not None and frame.plain.history_open is not None:
        dropped = _by_mode(frame, dropped, _text(frame.plain.history_open))
    if frame.history_switch is None:
        yield kept if frame.keeps_history else dropped
    else:
        yield _choice(_is_on(frame.history_switch), kept, dropped)


def _reasoned(frame: ThinkFrame) -> str:
    reasoning = f"{{{{- found.reasoning{_trimmed(frame.trims.reasoning)} -}}}}"
    return _text(frame.opened + frame.open) + reasoning + _text(frame.close)


def _both(frame: ThinkFrame) -> tuple[Turns, Turns]:
    """Return how turns are written with reasoning and without."""
    plain = frame.plain.turns if frame.plain is not None else None
    return frame.turns, plain or frame.turns


def _by_mode(frame: ThinkFrame, thinking: str, plain: str) -> str:
    if frame.switch is None or frame.plain is None:
        return thinking
    return _choice("is_on", thinking, plain)


def _choice(test: str, first: str, second: str) -> str:
    if first == second:
        return first
    return f"{{%- if {test} -%}}{first}{{%- else -%}}{second}{{%- endif -%}}"


def _is_on(switch: Switch) -> str:
    """Return an expression for whether a switch is on."""
    wanted = "true" if switch.on else "false"
    if switch.is_on:
        return f"{switch.name} is undefined or {switch.name} is {wanted}"
    return f"{switch.name} is defined and {switch.name} is {wanted}"


def _text(text: str, content: str = "") -> str:
    """Return the statements that write a frame's text; `content` is an expression."""
    parts = []
    done = 0
    for slot in SLOT.finditer(text):
        parts.append(_literal(text[done : slot.start()]))
        parts.append(_slot(slot[1], content))
        done = slot.end()
    return "".join([*parts, _literal(text[done:])])


def _slot(name: str, content: str) -> str:
    if name == "content":
        return f"{{{{- {content} -}}}}"
    if name in _TOKENS:
        return f"{{{{- {_TOKENS[name]} -}}}}"
    return f"{{{{- strftime_now({_quoted(name.removeprefix('date:'))}) -}}}}"


def _literal(text: str) -> str:
    return f"{{{{- {_quoted(text)} -}}}}" if text else ""


def _refuse(message: str) -> str:
    return f"{{{{- raise_exception({_quoted(message)}) -}}}}"


def _quoted(text: str) -> str:
    """Return a text as a Jinja string."""
    return "'" + "".join(_ESCAPES.get(character, character) for character in text) + "'"


def _trimmed(trim: Trim) -> str:
    """Return the calls that trim a text, to stand behind an expression."""
    if trim.start == trim.end:
        return _call("strip", trim.start)
    return _call("lstrip", trim.start) + _call("rstrip", trim.end)


def _call(name: str, characters: str) -> str:
    if not characters:
        return ""
    argument = "" if characters == PYTHON_BLANKS else _quoted(characters)
    return f".{name}({argument})"
