"""Decides, from what a chat template renders, how rows are written for its model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cotdata.errors import RenderError
from cotdata.render.encodings import Encoding, Shape, answered
from cotdata.render.forms import PYTHON_BLANKS, Trim
from cotdata.render.frames import ThinkFrame
from cotdata.render.frames.think_frame import CONTENT
from cotdata.render.probe import (
    ANSWER,
    QUESTION,
    REASONING,
    Finding,
    Kept,
    Lost,
    Mode,
    Prober,
    Tags,
    mode_text,
)
from cotdata.render.stopping import MARKER, Ending, Stops, find_ending
from cotdata.render.template_process import Chat

_NEXT: Final = "Kw7next"
_SYSTEM: Final = "Kw7system"
_NAME_FRAME: Final = "name a think frame with `render.frame`, or write one out"


class Plain(NamedTuple):
    """How a row without reasoning is written."""

    #: Whose prompt it is given.
    settings: dict[str, Any]
    #: What follows the prompt and is not trained: an empty think block that no switch writes.
    block: str
    #: What the model writes before the answer.
    before: str


@dataclass(frozen=True)
class Verdict:
    """How rows are written for a model."""

    encoding: Encoding
    #: What the template, and the server, must be called with.
    settings: Mapping[str, Any]
    #: The end of the generation prompt, after the question.
    prompt_end: str
    #: What the model writes before the reasoning, between it and the answer, and after the answer
    #: up to the stop token, which is its last.
    before: str
    between: str
    end: str
    stop: str
    reasoning: Trim
    answer: Trim
    #: None where the family has no form without reasoning.
    empty_block: Plain
    no_block: Plain | None
    #: The think frame that the completion is composed of, if it is.
    frame: str | None
    default_system: str | None
    #: What becomes of the reasoning of earlier turns in a prompt: `kept`, `dropped` or `refused`.
    history: str
    findings: tuple[Finding, ...]

    def completion(self, reasoning: str, answer: str) -> str:
        """Return what the model writes."""
        texts = self.reasoning.text(reasoning), self.answer.text(answer)
        return f"{self.before}{texts[0]}{self.between}{texts[1]}{self.end}"


def judge(prober: Prober, stops: Stops, frames: Sequence[ThinkFrame]) -> Verdict:
    """Decide how rows are written.

    Args:
        prober: Of the model's template.
        stops: What may end an answer.
        frames: Families whose way of reasoning is known, for templates that keep none.

    Raises:
        RenderError: If the template cannot be rendered safely; the message says why.
    """
    return _Judge(prober, stops, frames).verdict()


class _Judge:
    def __init__(self, prober: Prober, stops: Stops, frames: Sequence[ThinkFrame]) -> None:
        self._prober, self._stops, self._frames = prober, stops, frames
        self._findings: list[Finding] = []
        self._tried: list[Kept | Lost] = []

    def verdict(self) -> Verdict:
        modes = self._prober.modes()
        self._say_modes(modes)
        mode, kept, frame = self._thinking(modes)
        if (tags := _learned(mode, kept)) is not None:
            self._prober.tags = [*self._prober.tags, tags]
            modes = [each._replace(state=self._prober.state(each.prompt)) for each in modes]
            mode = mode._replace(state=self._prober.state(mode.prompt))
        self._findings.append(
            Finding("which form keeps the reasoning", kept.encoding.value, _shown(kept))
        )
        self._findings += [
            Finding(f"reasoning as {other.encoding.value}", *self._fate(other, mode))
            for other in self._tried
            if other.encoding is not kept.encoding
        ]
        ending = self._ending(mode, kept)
        plain = self._plain(modes, mode, kept)
        system = self._default_system(mode)
        history = self._history(mode, kept.encoding)
        self._findings.append(history)
        return Verdict(
            encoding=kept.encoding,
            settings=mode.settings,
            prompt_end=mode.prompt.partition(QUESTION)[2],
            before=kept.before,
            between=kept.between,
            end=ending.text,
            stop=ending.stop,
            reasoning=kept.reasoning,
            answer=kept.answer,
            empty_block=plain,
            no_block=self._without_block(mode, plain),
            frame=frame.name if frame else None,
            default_system=system,
            history=history.answer,
            findings=tuple(self._findings),
        )

    def _say_modes(self, modes: Sequence[Mode]) -> None:
        said = {"opens": "opens a think block", "closed": "closes it at once", "free": "open to it"}
        for mode in modes:
            ends = repr(mode.prompt.partition(QUESTION)[2])
            if mode is modes[0]:
                self._findings.append(Finding("generation prompt", said[mode.state], ends))
            elif mode.prompt != modes[0].prompt:
                self._findings.append(Finding(f"with {mode_text(mode)}", said[mode.state], ends))

    def _thinking(self, modes: Sequence[Mode]) -> tuple[Mode, Kept, ThinkFrame | None]:
        """Return the mode in which the model reasons, and the form that keeps it."""
        ordered = [mode for mode in _preferred(modes) if mode.state != "closed"]
        if not ordered:
            raise RenderError(
                "the chat template closes the think block in its generation prompt, and no switch "
                "of it opens one",
                fix=_NAME_FRAME,
            )
        inline: list[tuple[Mode, Kept]] = []
        for mode in ordered:
            found = list(self._prober.kept(mode, Shape(), {"Question": QUESTION}))
            kept = [item for item in found if isinstance(item, Kept)]
            if mode is ordered[0] or kept:
                self._tried = found
            if kept and kept[0].encoding is not Encoding.INLINE:
                return mode, kept[0], None
            inline += [(mode, item) for item in kept]
            if mode.state == "opens":
                break
        composed = self._composed(ordered)
        if inline and self._takes_inline(inline[0][0]):
            return *inline[0], None
        if composed is not None:
            return composed
        raise RenderError(
            f"no way of writing the reasoning survives: {self._why(inline)}", fix=_NAME_FRAME
        )

    def _fate(self, found: Kept | Lost, mode: Mode) -> tuple[str, str]:
        """Say what became of a form that was not taken."""
        if isinstance(found, Lost):
            return "lost", found.why
        if found.encoding is Encoding.INLINE and not self._takes_inline(mode):
            return "text of the answer", _shown(found)
        return "kept too", _shown(found)

    def _takes_inline(self, mode: Mode) -> bool:
        """Say whether an inline think tag is what the model's own reasoning looks like.

        It is where the template looks for the tag or opens it, and where the template knows no
        reasoning at all, so that the tag is a new habit. In a template that reads reasoning from
        elsewhere the tag would be literal text of the answer.
        """
        text = self._prober.text
        knows_tag = any("</think>" in searched for searched in text.searched)
        return knows_tag or mode.state == "opens" or not text.reads_reasoning

    def _why(self, inline: Sequence[tuple[Mode, Kept]]) -> str:
        lost = [item for item in self._tried if isinstance(item, Lost)]
        reasons = [f"{item.encoding.value}: {item.why}" for item in lost[:2]]
        if inline:
            reasons.append(
                "inline: a <think> tag would be literal text, for the template reads reasoning "
                "from elsewhere"
            )
        return "; ".join(reasons)

    def _composed(self, modes: Sequence[Mode]) -> tuple[Mode, Kept, ThinkFrame] | None:
        """Return the think frame that continues a generation prompt as its model would."""
        for mode in modes:
            frame = _continues(mode, self._frames, self._prober.text.literals)
            if frame is not None:
                before = "" if mode.state == "opens" else frame.open
                blanks = Trim(PYTHON_BLANKS, PYTHON_BLANKS)
                kept = Kept(Encoding.COMPOSED, before, frame.close, "", blanks, blanks)
                return mode, kept, frame
        return None

    def _ending(self, mode: Mode, kept: Kept) -> Ending:
        """Return what ends an answer, and say so."""
        after = kept.after
        if kept.encoding is Encoding.COMPOSED:
            after = self._after_answer(mode)
        ending = find_ending(after, self._before_next_turn(mode, kept.encoding), self._stops)
        evidence = repr(after) if after else "the template leaves the last answer open"
        self._findings.append(Finding("what ends an answer", ending.stop, evidence))
        return ending

    def _after_answer(self, mode: Mode) -> str:
        chat = [*_asked(), answered(Encoding.COMPOSED, "", ANSWER)]
        text = self._render(chat, mode.settings, is_prompt=False)
        return text.partition(ANSWER)[2]

    def _before_next_turn(self, mode: Mode, encoding: Encoding) -> str:
        chat = [
            *_asked(),
            answered(encoding, REASONING, ANSWER),
            {"role": "user", "content": _NEXT},
        ]
        text = self._render(chat, mode.settings, is_prompt=True)
        return text.partition(ANSWER)[2].partition(_NEXT)[0]

    def _plain(self, modes: Sequence[Mode], thinking: Mode, kept: Kept) -> Plain:
        """Return the model's form without reasoning."""
        closed = next((mode for mode in modes if mode.state == "closed"), None)
        if closed is not None:
            before = self._before_answer(closed)
            said = f"with {mode_text(closed)}" if closed is not modes[0] else "as it is"
            self._findings.append(
                Finding("without reasoning", f"the prompt {said}", repr(_end_of(closed)))
            )
            return Plain(closed.settings, "", before)
        if thinking.settings != modes[0].settings:  # thinking was turned on: it is off by default
            before = self._before_answer(modes[0])
            self._findings.append(
                Finding(
                    "without reasoning", "the prompt as it is", repr(_end_of(modes[0]) + before)
                )
            )
            return Plain(modes[0].settings, "", before)
        if thinking.state == "opens":
            block = kept.between
            self._findings.append(
                Finding("without reasoning", "an empty block that no switch writes", repr(block))
            )
            return Plain(dict(thinking.settings), block, "")
        before = self._before_answer(thinking)
        if kept.between.strip() and kept.between.strip() in before:
            self._findings.append(
                Finding("without reasoning", "the template's own empty block", repr(before))
            )
            return Plain(dict(thinking.settings), before, "")
        self._findings.append(Finding("without reasoning", "the answer alone", repr(before)))
        return Plain(dict(thinking.settings), "", before)

    def _without_block(self, thinking: Mode, plain: Plain) -> Plain | None:
        if thinking.state == "opens":
            return None
        before = plain.before if not plain.block and plain.settings == thinking.settings else ""
        return Plain(dict(thinking.settings), "", before)

    def _before_answer(self, mode: Mode) -> str:
        """Return what the template writes between a mode's prompt and an answer alone."""
        chat = [*_asked(), {"role": "assistant", "content": ANSWER}]
        text = self._render(chat, mode.settings, is_prompt=False)
        if text.startswith(mode.prompt) and text.count(ANSWER) == 1:
            return text[len(mode.prompt) : text.index(ANSWER)]
        return ""

    def _default_system(self, mode: Mode) -> str | None:
        """Return the system prompt that the template writes where a conversation has none."""
        chat = [{"role": "system", "content": _SYSTEM}, *_asked()]
        text = self._prober.process.render([Chat(chat, mode.settings)])[0].text
        if text is None or text.count(_SYSTEM) != 1 or text.count(QUESTION) != 1:
            refused = text is None
            answer = "refused" if refused else "left out or moved"
            self._findings.append(Finding("a system prompt of one's own", answer, ""))
            return None
        head, _, rest = text.partition(_SYSTEM)
        between = rest.partition(QUESTION)[0]
        alone = mode.prompt.partition(QUESTION)[0]
        if alone.startswith(head) and alone.endswith(between) and len(alone) > len(head + between):
            default = alone[len(head) : len(alone) - len(between)]
            self._findings.append(Finding("default system prompt", "yes", repr(default)))
            return default
        self._findings.append(Finding("default system prompt", "none", repr(alone)))
        return None

    def _history(self, mode: Mode, encoding: Encoding) -> Finding:
        """Say what becomes of an earlier turn's reasoning."""
        form = Encoding.INLINE if encoding is Encoding.COMPOSED else encoding
        question = "reasoning of earlier turns"
        chat = [
            *_asked(),
            answered(form, REASONING, ANSWER),
            {"role": "user", "content": _NEXT},
        ]
        outcome = self._prober.process.render([Chat(chat, mode.settings)])[0]
        if outcome.text is None:
            return Finding(question, "refused", outcome.error or "")
        middle = outcome.text.partition(QUESTION)[2].partition(_NEXT)[0]
        return Finding(question, "kept" if REASONING in middle else "dropped", repr(middle))

    def _render(self, chat: Sequence[Any], settings: Mapping[str, Any], *, is_prompt: bool) -> str:
        outcome = self._prober.process.render([Chat(chat, settings, is_prompt)])[0]
        return outcome.text or ""


def _preferred(modes: Sequence[Mode]) -> list[Mode]:
    """Return the modes in the order in which they are tried for reasoning.

    A switch that changes the prompt when it is on, and not when it is off, is off by default: on
    is what a reasoning server sets.
    """
    default, *others = modes
    by_settings = {repr(mode.settings): mode for mode in others}
    switched = []
    for mode in others:
        added = {key: value for key, value in mode.settings.items() if key not in default.settings}
        off = by_settings.get(repr({**default.settings, **dict.fromkeys(added, False)}))
        is_on = list(added.values()) == [True] and mode.prompt != default.prompt
        if is_on and off is not None and off.prompt == default.prompt:
            switched.append(mode)
    rest = [mode for mode in modes if mode not in switched and mode is not default]
    return [*switched, default, *[mode for mode in rest if mode.prompt != default.prompt]]


def _continues(mode: Mode, frames: Sequence[ThinkFrame], literals: str) -> ThinkFrame | None:
    """Return the frame whose reasoning continues a prompt as its family does.

    The prompt must end as the frame's does, from the end of the question on; where it leaves the
    block to the model, the template must know the frame's tags besides. Of several frames the one
    with the longest ending is it.
    """
    fitting = [
        (len(ending), frame)
        for frame in frames
        if frame.tags is not None
        and (ending := prompt_ending(frame)).strip()
        and _end_of(mode).endswith(ending)
        and bool(frame.opened) == (mode.state == "opens")
        and (frame.opened or all(tag in literals for tag in frame.tags))
    ]
    return max(fitting, key=lambda found: found[0])[1] if fitting else None


def prompt_ending(frame: ThinkFrame) -> str:
    """Return what follows the question in a frame's generation prompt."""
    return frame.turns.user.partition(CONTENT)[2] + frame.generation_prompt_end


def _learned(mode: Mode, kept: Kept) -> Tags | None:
    """Return the tags that a form itself shows: the last before the reasoning, and the next."""
    opening = MARKER.findall(_end_of(mode) + kept.before)
    closing = MARKER.findall(kept.between)
    if (
        not opening
        or not closing
        or not (kept.before or _end_of(mode)).rstrip().endswith(opening[-1])
    ):
        return None
    return Tags(opening[-1], closing[0])


def _asked() -> list[Mapping[str, str]]:
    return [{"role": "user", "content": QUESTION}]


def _end_of(mode: Mode) -> str:
    return mode.prompt.partition(QUESTION)[2]


def _shown(kept: Kept) -> str:
    return repr(f"{kept.before}{{Complex_CoT}}{kept.between}{{Response}}{kept.after}")
