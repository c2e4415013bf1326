"""The ways of handing reasoning to a chat template: in a field of its own, or in the content."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, assert_never

from cotdata.render.chat_template import Message


class Encoding(StrEnum):
    """Where a message has its reasoning, in the order in which they are tried.

    A field says what it is, so it comes first; a tag in the content is text to a template that
    doesn't look for it, so it comes last.
    """

    REASONING_CONTENT = "reasoning_content"
    THINKING = "thinking"
    REASONING = "reasoning"
    THOUGHT = "thought"
    PARTS = "parts"
    BLOCKS = "blocks"
    INLINE = "inline"
    #: No template keeps it: the completion is composed after the template's generation prompt.
    COMPOSED = "composed"


#: What inline reasoning stands between; the form that Qwen3, QwQ and R1 write.
INLINE_OPEN: Final = "<think>\n"
INLINE_CLOSE: Final = "\n</think>\n\n"
#: What a template is asked to keep.
TRIED: Final = tuple(encoding for encoding in Encoding if encoding is not Encoding.COMPOSED)


def answered(encoding: Encoding, reasoning: str, answer: str) -> Message:
    """Return an assistant's message with its reasoning in that encoding."""
    match encoding:
        case Encoding.REASONING_CONTENT | Encoding.THINKING | Encoding.REASONING | Encoding.THOUGHT:
            return {"role": "assistant", "content": answer, encoding.value: reasoning}
        case Encoding.PARTS:  # Mistral: content in typed parts
            parts = [
                {"type": "thinking", "thinking": reasoning},
                {"type": "text", "text": answer},
            ]
            return {"role": "assistant", "content": parts}
        case Encoding.BLOCKS:  # Apertus: content in blocks
            blocks = [{"type": "thoughts", "text": reasoning}, {"type": "response", "text": answer}]
            return {"role": "assistant", "content": {"blocks": blocks}}
        case Encoding.INLINE:
            content = f"{INLINE_OPEN}{reasoning}{INLINE_CLOSE}{answer}"
            return {"role": "assistant", "content": content}
        case Encoding.COMPOSED:
            return {"role": "assistant", "content": answer}
        case _:
            assert_never(encoding)


@dataclass(frozen=True)
class Shape:
    """What kind of conversation a row is: which earlier turns there are, and a system prompt."""

    has_system: bool = False
    #: Roles of the earlier turns.
    history: tuple[str, ...] = ()

    def slots(self) -> tuple[str, ...]:
        """Return the names of the texts that its prompt consists of, in their order."""
        system = ("system",) if self.has_system else ()
        return (*system, *(turn_slot(place) for place in range(len(self.history))), "Question")

    def messages(self, texts: Mapping[str, str]) -> list[Message]:
        """Return the conversation up to the question, with these texts."""
        roles = [*(["system"] if self.has_system else []), *self.history, "user"]
        return [
            {"role": role, "content": texts[slot]}
            for role, slot in zip(roles, self.slots(), strict=True)
        ]

    def __str__(self) -> str:
        """Say what there is: `system, user, assistant, question`."""
        return ", ".join([*(["system"] if self.has_system else []), *self.history, "question"])


def turn_slot(place: int) -> str:
    """Return the name of an earlier turn's text."""
    return f"turn {place}"


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return template settings as people read them: `enable_thinking=true`."""
    shown = {True: "true", False: "false"}
    return ", ".join(f"{key}={shown.get(value, value)}" for key, value in settings.items())
