"""Think frames that a recipe writes out itself: a prompt and a completion with slots."""

import difflib
import re
from typing import Final

from cotdata.errors import RenderError
from cotdata.render.frames.known import FRAMES
from cotdata.render.frames.think_frame import CONTENT, ThinkFrame, Turns
from cotdata.render.settings import Frame

_SYSTEM: Final = "{system}"
_QUESTION: Final = "{Question}"
_REASONING: Final = "{Complex_CoT}"
_ANSWER: Final = "{Response}"
#: Slots by the text that they belong in.
_SLOTS: Final = {"prompt": (_SYSTEM, _QUESTION), "completion": (_REASONING, _ANSWER)}
_WORD: Final = re.compile(r"(?<![\\\w}{])\{\s*([A-Za-z_]+)\s*\}")
_NEAR: Final = 0.75


def frame_from_text(written: Frame) -> ThinkFrame:
    """Return a recipe's own prompt and completion as a think frame of one question and answer.

    `{bos}` and `{eos}` stand for the tokenizer's own tokens in both texts; nothing is added to
    what is written.

    Raises:
        RenderError: If a slot is missing, in the wrong place or misspelt, or there is no stop.
    """
    for field, text in (("prompt", written.prompt), ("completion", written.completion)):
        _check_slots(field, text)
    _check_system(written)
    head, system, rest = _split_prompt(written.prompt)
    before, _, after = rest.partition(_QUESTION)
    opened = _opened(after, written.completion.partition(_REASONING)[0])
    start, _, tail = written.completion.partition(_REASONING)
    close, _, stop = tail.partition(_ANSWER)
    if not close.strip():
        raise _error(
            "completion",
            f"nothing stands between {_REASONING} and {_ANSWER}: nobody could tell them apart",
            f"write what closes the reasoning there: `{_REASONING}\\n</think>\\n\\n{_ANSWER}`",
        )
    if not stop.strip():
        raise _error(
            "completion",
            f"nothing stands after {_ANSWER}: the model would never learn to stop",
            "end it in `{eos}`, or in the token at which the server stops",
        )
    return ThinkFrame(
        name="own",
        source="the recipe's `render.frame`",
        turns=Turns(
            user=f"{before}{CONTENT}",
            system=None if system is None else CONTENT,
            default_system=written.system if system is not None else None,
        ),
        head=head,
        assistant=after.removesuffix(opened),
        opened=opened,
        open=start,
        close=close,
        stop=stop,
        is_single_turn=True,
    )


def _split_prompt(prompt: str) -> tuple[str, str | None, str]:
    """Return what stands before the system prompt, the slot if there is one, and the rest."""
    if _SYSTEM not in prompt:
        return "", None, prompt
    head, slot, rest = prompt.partition(_SYSTEM)
    return head, slot, rest


def _opened(after: str, start: str) -> str:
    """Return the think block's opening in which a prompt ends, where the model opens none."""
    if start.strip():
        return ""
    known = {frame.opened or frame.open for frame in FRAMES} - {""}
    bare = {text.strip() for text in known}
    endings = [text for text in known | bare if after.endswith(text)]
    return max(endings, key=len, default="")


def _check_slots(field: str, text: str) -> None:
    wanted = _SLOTS[field]
    for slot in (slot for slots in _SLOTS.values() for slot in slots):
        count = text.count(slot)
        if slot not in wanted and count:
            other = next(name for name, slots in _SLOTS.items() if slot in slots)
            raise _error(field, f"{slot} does not belong here", f"write it in `{other}`")
        if count > 1:
            raise _error(field, f"{slot} stands there {count} times", "write it once")
        if slot in wanted and slot != _SYSTEM and not count:
            raise _error(field, _missing(slot, text), f"write {slot} where its text belongs")
    first, second = wanted
    if first in text and text.index(first) > text.index(second):
        raise _error(field, f"{second} comes before {first}", f"write {first} first")
    if CONTENT in text:
        raise _error(field, f"{CONTENT} is no slot here", f"slots are {', '.join(wanted)}")
    if field == "prompt":
        _check_misspelt(text)


def _check_misspelt(text: str) -> None:
    """Find a `{System}`: the only slot that may be missing, so that nothing else would tell."""
    for word in _WORD.finditer(text):
        slot = f"{{{word[1]}}}"
        if slot not in _SLOTS["prompt"] and slot.lower() == _SYSTEM:
            raise _error("prompt", f"{word[0]} is no slot", f"write {_SYSTEM}")


def _missing(slot: str, text: str) -> str:
    words = {f"{{{word[1]}}}".lower(): word[0] for word in _WORD.finditer(text)}
    near = difflib.get_close_matches(slot.lower(), words, n=1, cutoff=_NEAR)
    return f"{slot} is missing" + (f"; {words[near[0]]} is no slot" if near else "")


def _check_system(written: Frame) -> None:
    if written.system and _SYSTEM not in written.prompt:
        raise _error(
            "system",
            f"the prompt has no {_SYSTEM}",
            f"write {_SYSTEM} in `prompt`, or leave it out",
        )


def _error(field: str, what: str, fix: str) -> RenderError:
    return RenderError(f"render.frame.{field}: {what}", fix=fix)
