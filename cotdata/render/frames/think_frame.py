"""A think frame: how a model family writes a conversation with reasoning, as data.

Texts hold slots: `{content}` for the message, `{bos}` and `{eos}` for the tokenizer's own tokens,
and `{date:%Y-%m-%d}` for the day on which a conversation is rendered. All other braces are text.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from cotdata.render.forms import PYTHON_BLANKS, Trim

#: What may stand in a frame's texts.
SLOT: Final = re.compile(r"\{(content|bos|eos|date:[^{}]+)\}")
CONTENT: Final = "{content}"

#: What families trim: blanks or newlines.
BLANKS: Final = Trim(PYTHON_BLANKS, PYTHON_BLANKS)
NEWLINES: Final = Trim("\n", "\n")
NEWLINES_FIRST: Final = Trim("\n", "")
BLANKS_LAST: Final = Trim("", PYTHON_BLANKS)


@dataclass(frozen=True)
class Turns:
    """How what the model is given is written."""

    #: A user's turn, with `{content}`.
    user: str
    #: The system prompt, with `{content}`; None where the family has no place for one: refused.
    system: str | None = None
    #: The system prompt of conversations that have none; None where there is none.
    default_system: str | None = None
    #: What stands in place of the system prompt where there is none, not even a default one.
    no_system: str = ""


class Switch(NamedTuple):
    """A variable of the chat template that a server sets, and what it does when nobody sets it."""

    name: str
    on: bool
    is_on: bool


@dataclass(frozen=True)
class Plain:
    """The family's form without reasoning."""

    #: What stands in place of the reasoning: an empty think block, or nothing.
    block: str
    #: Whether the generation prompt ends in the block, or the model writes it.
    is_prompted: bool
    #: What the model writes between the prompt and the answer besides.
    before: str = ""
    #: How system prompt and user turns are written where that differs.
    turns: Turns | None = None
    #: What stands before an earlier answer where that differs.
    history_open: str | None = None


class Trims(NamedTuple):
    """What the family's own template takes off the ends of each text."""

    system: Trim = Trim()
    user: Trim = Trim()
    reasoning: Trim = Trim()
    answer: Trim = Trim()
    #: Answers of earlier turns.
    history: Trim = Trim()


NO_TRIMS: Final = Trims()


class Inline(NamedTuple):
    """Tags by which the family's template finds reasoning in an answer that has no field for it."""

    open: str
    close: str
    #: What it takes off the reasoning found, and off the start of the answer.
    blanks: str


@dataclass(frozen=True)
class ThinkFrame:
    """How a model family writes a conversation with reasoning."""

    name: str
    #: Where it was read: model, file, and how far it was compared with an original.
    source: str
    turns: Turns
    #: What begins the model's turn: the generation prompt without any reasoning.
    assistant: str
    #: What stands between reasoning and answer.
    close: str
    #: What ends an answer, and generation.
    stop: str
    #: What begins a conversation, before any turn.
    head: str = ""
    #: What the generation prompt opens besides: nothing is left for the model to open then.
    opened: str = ""
    #: What the model itself writes before the reasoning.
    open: str = ""
    #: What ends an answer that another turn follows; None: the stop, and what follows it.
    history_end: str | None = None
    #: What the family's template writes after the stop.
    after_stop: str = ""
    #: What stands before an earlier answer that has no reasoning.
    history_open: str = ""
    #: What stands before an earlier answer whose reasoning is dropped; None: `history_open`.
    history_dropped: str | None = None
    #: Whether the reasoning of earlier turns is kept.
    keeps_history: bool = False
    #: The switch that keeps it, where the family has one.
    history_switch: Switch | None = None
    #: What stands before an earlier answer without reasoning where reasoning is kept; None:
    #: `history_open`.
    history_kept: str | None = None
    #: What the model writes before the last answer where that has no reasoning; None where it
    #: closes what the prompt opened, or writes nothing.
    bare_open: str | None = None
    #: The switch that turns thinking on; None where the family always thinks.
    switch: Switch | None = None
    #: The form without reasoning that the switch chooses; None where the family has none.
    plain: Plain | None = None
    trims: Trims = NO_TRIMS
    inline: Inline | None = None
    #: Whether an empty system prompt counts as none.
    skips_empty_system: bool = False
    #: Whether a conversation is one question and one answer: earlier turns are refused.
    is_single_turn: bool = False
    #: vLLM's name for the parser that tells reasoning and answer apart; None where it has none.
    reasoning_parser: str | None = None

    @property
    def tags(self) -> tuple[str, str] | None:
        """What opens and closes the reasoning, without blanks; None where nothing opens it."""
        opening, closing = (self.opened or self.open).strip(), self.close.strip()
        return (opening, closing) if opening and closing else None

    @property
    def generation_prompt_end(self) -> str:
        """What the generation prompt ends in after the question's turn."""
        return self.assistant + self.opened

    @property
    def bare(self) -> str:
        """What stands between the model's turn's beginning and an answer without reasoning."""
        if self.bare_open is not None:
            return self.bare_open
        return self.opened + self.close if self.opened else ""

    @property
    def dropped(self) -> str:
        """What stands before an earlier answer whose reasoning is dropped."""
        return self.history_open if self.history_dropped is None else self.history_dropped

    @property
    def kept(self) -> str:
        """What stands before an earlier answer without reasoning where reasoning is kept."""
        return self.history_open if self.history_kept is None else self.history_kept

    @property
    def earlier_end(self) -> str:
        """What ends an answer that another turn follows."""
        return self.stop + self.after_stop if self.history_end is None else self.history_end
