"""Writes the page on think frames from their data."""

from reference_tables import table

from cotdata.render.frames import FRAMES, FrameText, ThinkFrame

_SPECIAL = {"bos_token": "{bos}", "eos_token": "{eos}"}

_BEGINNING = """# Think frames

How model families write a conversation with reasoning. With `render.frame: auto` the model's own
chat template decides, and a frame only helps where that template deletes the reasoning. A frame
named in the recipe **is** the template: the run exports it as `chat_template.jinja`, and the proof
compares with that export. Which text a frame writes exactly is what `cotdata render --row` shows.

In the table `\\n` is a line break, `{bos}` and `{eos}` are the tokenizer's own tokens, and
`{Complex_CoT}` and `{Response}` the row's texts.

"""

_MIDDLE = """
Exported templates read a message's reasoning from `reasoning_content`, `thinking` or `reasoning`.
They refuse tools, roles besides system, user and assistant, and a system prompt that is not the
first message. The last answer ends in the stop token. Texts are written as they are, except where
the family's own template trims them (last column).

"""

_END = """
## A frame of your own

```yaml
render:
  frame:
    prompt: "{bos}{system}\\n\\nQuestion: {Question}\\n<think>\\n"
    completion: "{Complex_CoT}\\n</think>\\n{Response}{eos}"
    system: "You are a careful physician."
```

`prompt` needs `{Question}` and may have `{system}` before it; `completion` needs `{Complex_CoT}`,
then `{Response}`, with something between them that tells them apart, and then the stop token.
Nothing is added to what is written: without `{bos}` no bos token is. Such a frame is one question
and one answer; rows with earlier turns are rejected.

## Where each was read

"""


def frames_page() -> str:
    """Return the page on think frames."""
    head = (
        "frame", "prompt ends in", "the model writes", "earlier reasoning", "without reasoning",
        "switch", "trims",
    )  # fmt: skip
    sources = "".join(f"- **{frame.name}**: {frame.source.rstrip('.')}.\n" for frame in FRAMES)
    return _BEGINNING + table(head, map(_row, FRAMES)) + _MIDDLE + _systems() + _END + sources


def _row(frame: ThinkFrame) -> tuple[str, ...]:
    text = FrameText(frame, _SPECIAL)
    return (
        f"`{frame.name}`",
        _code(frame.generation_prompt_end),
        _code(text.completion("{Complex_CoT}", "{Response}")),
        _history(frame),
        _without(frame),
        _switch(frame),
        ", ".join(f"{name}: {trim}" for name, trim in frame.trims._asdict().items() if any(trim))
        or "nothing",
    )


def _history(frame: ThinkFrame) -> str:
    if frame.is_single_turn:
        return "refused"
    said, other = ("kept", "dropped") if frame.keeps_history else ("dropped", "kept")
    switch = frame.history_switch
    if switch is None:
        return said
    value = switch.on != frame.keeps_history
    return f"{said}; {other} with `{switch.name}: {str(value).lower()}`"


def _without(frame: ThinkFrame) -> str:
    plain = frame.plain
    if plain is None:
        return f"no form of its own; written {_code(frame.bare + '{Response}')}"
    place = "in the prompt" if plain.is_prompted else "by the model"
    return f"{_code(plain.block)} {place}" if plain.block else "nothing"


def _switch(frame: ThinkFrame) -> str:
    if frame.switch is None:
        return "none"
    return f"`{frame.switch.name}`, {'on' if frame.switch.is_on else 'off'} if unset"


def _systems() -> str:
    head = (
        "## System prompts\n\nWhere a conversation has none, most frames write none. These do:\n\n"
    )
    rows = [
        (f"`{frame.name}`", _code(frame.turns.default_system))
        for frame in FRAMES
        if frame.turns.default_system
    ]
    without = [f"`{frame.name}`" for frame in FRAMES if frame.turns.system is None]
    refusing = (
        f"\nRows with a system prompt are rejected, for want of a place: {', '.join(without)}.\n"
    )
    return head + table(("frame", "default system prompt"), rows) + refusing


def _code(text: str) -> str:
    """Return a text as code on one line."""
    if not text:
        return "nothing"
    return "`" + text.replace("\\", "\\\\").replace("\n", "\\n") + "`"
