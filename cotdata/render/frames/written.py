"""Writes conversations by a think frame's data alone, as its chat template must write them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cotdata.errors import RenderError
from cotdata.render.chat_template import REASONING_FIELDS, Message
from cotdata.render.forms import Trim
from cotdata.render.frames.think_frame import SLOT, ThinkFrame, Turns

_REFUSED: Final = "name another think frame with `render.frame`, or `auto`"


@dataclass(frozen=True)
class FrameText:
    """A think frame for one tokenizer.

    Args:
        frame: The frame.
        special: The tokenizer's `bos_token` and `eos_token`, as text; one that it lacks is empty.
        date: What the frame's `{date:…}` formats.
        is_thinking: Whether the switch is on; it counts where the frame has a form without
            reasoning.
    """

    frame: ThinkFrame
    special: Mapping[str, str]
    date: str = "2026-01-01"
    is_thinking: bool = True

    def prompt(self, messages: Sequence[Message]) -> str:
        """Return the generation prompt of a conversation that a user's turn ends.

        Raises:
            RenderError: If the frame has no place for one of its turns.
        """
        frame = self.frame
        last = max(
            (place for place, message in enumerate(messages) if message["role"] == "user"),
            default=-1,
        )
        if frame.is_single_turn and any(message["role"] != "system" for message in messages[:last]):
            raise RenderError(
                f"think frame `{frame.name}` has no place for earlier turns", None, _REFUSED
            )
        parts = [self._filled(frame.head), self._system(messages)]
        for message in messages:
            if message["role"] == "user":
                parts.append(
                    self._filled(self.turns.user, frame.trims.user.text(message["content"]))
                )
            elif message["role"] == "assistant":
                parts.append(self._earlier(message))
        return "".join([*parts, self._filled(frame.assistant), self._filled(self.prompted)])

    @property
    def turns(self) -> Turns:
        """How the turns before the model's are written."""
        plain = self.frame.plain
        if self.is_plain and plain is not None and plain.turns is not None:
            return plain.turns
        return self.frame.turns

    @property
    def prompted(self) -> str:
        """What the generation prompt writes after the beginning of the model's turn."""
        plain = self.frame.plain
        if self.is_plain and plain is not None:
            return plain.block if plain.is_prompted else ""
        return self.frame.opened

    def completion(self, reasoning: str | None, answer: str) -> str:
        """Return what the model writes after the prompt, up to the stop token."""
        frame = self.frame
        message = {"content": answer, "reasoning_content": reasoning}
        reasoning, answer = _parted(frame, message, frame.trims.answer)
        whole = self._before_answer(reasoning)
        prompted = self._filled(self.prompted)
        if not whole.startswith(prompted):  # reasoning, though the prompt has closed the block
            raise RenderError(
                f"think frame `{frame.name}` has no place for reasoning after {prompted!r}",
                fix=f"render with the switch that turns thinking on, {frame.switch}",
            )
        return whole[len(prompted) :] + answer + self._filled(frame.stop)

    def _before_answer(self, reasoning: str) -> str:
        frame, plain = self.frame, self.frame.plain
        if reasoning:
            return self._reasoned(reasoning)
        if self.is_plain and plain is not None:
            return self._filled(plain.block + plain.before)
        return self._filled(frame.bare)

    @property
    def is_plain(self) -> bool:
        """Whether the form without reasoning is written."""
        return not self.is_thinking and self.frame.switch is not None

    def _reasoned(self, reasoning: str) -> str:
        frame = self.frame
        written = frame.trims.reasoning.text(reasoning)
        return self._filled(frame.opened + frame.open) + written + self._filled(frame.close)

    def _system(self, messages: Sequence[Message]) -> str:
        turns, trim = self.turns, self.frame.trims.system
        if messages and messages[0]["role"] == "system":
            content = trim.text(messages[0]["content"])
            if content or not self.frame.skips_empty_system:
                if turns.system is None:
                    raise RenderError(
                        f"think frame `{self.frame.name}` has no place for a system prompt",
                        None,
                        _REFUSED,
                    )
                return self._filled(turns.system, content)
        if turns.system is None or turns.default_system is None:
            return self._filled(turns.no_system)
        return self._filled(turns.system, turns.default_system)

    def _earlier(self, message: Message) -> str:
        frame = self.frame
        reasoning, answer = _parted(frame, message, frame.trims.history)
        end = self._filled(frame.earlier_end)
        head = self._filled(frame.assistant)
        keeps = frame.keeps_history
        if frame.history_switch is not None:
            keeps = frame.history_switch.is_on
        if keeps:
            before = self._reasoned(reasoning) if reasoning else self._filled(frame.kept)
        elif self.is_plain and frame.plain and frame.plain.history_open is not None:
            before = self._filled(frame.plain.history_open)
        else:
            before = self._filled(frame.dropped if reasoning else frame.history_open)
        return head + before + answer + end

    def _filled(self, text: str, content: str = "") -> str:
        """Fill a frame's slots."""
        day = datetime.fromisoformat(self.date)

        def value(name: str) -> str:
            if name == "content":
                return content
            if name in {"bos", "eos"}:
                return self.special.get(f"{name}_token", "")
            return day.strftime(name.removeprefix("date:"))

        return SLOT.sub(lambda slot: value(slot[1]), text)


def _parted(frame: ThinkFrame, message: Message, trim: Trim) -> tuple[str, str]:
    """Return an answer's reasoning, empty if none, and the answer itself."""
    answer = trim.text(message["content"])
    values: list[Any] = [message.get(field) for field in REASONING_FIELDS]
    given = [value for value in values if isinstance(value, str) and value.strip()]
    inline = frame.inline
    if given or inline is None or inline.close not in answer:
        return (given[0] if given else ""), answer
    reasoning = answer.split(inline.close)[0].split(inline.open)[-1]
    rest = answer.split(inline.close)[-1]
    if not inline.blanks:  # which `strip` would take for every blank
        return reasoning, rest
    return reasoning.strip(inline.blanks), rest.lstrip(inline.blanks)
