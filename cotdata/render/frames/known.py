"""The think frames that are known by name. A new one is added here, and is data."""

import difflib
import re
from typing import Final

from cotdata.errors import RenderError
from cotdata.render.frames.families import FAMILY_FRAMES
from cotdata.render.frames.notebooks import NOTEBOOK_FRAMES
from cotdata.render.frames.qwen import QWEN_FRAMES
from cotdata.render.frames.think_frame import CONTENT, SLOT, ThinkFrame

FRAMES: Final[tuple[ThinkFrame, ...]] = (*QWEN_FRAMES, *FAMILY_FRAMES, *NOTEBOOK_FRAMES)


def find_frame(name: str) -> ThinkFrame:
    """Return a think frame by its name.

    Raises:
        RenderError: If there is none of that name.
    """
    frames = {frame.name: frame for frame in FRAMES}
    if name in frames:
        return frames[name]
    near = difflib.get_close_matches(name.lower().replace("_", "-"), frames, n=1, cutoff=0.6)
    hint = f"did you mean `{near[0]}`? " if near else ""
    raise RenderError(
        f"no think frame is called `{name}`",
        fix=f"{hint}`auto` takes the model's own template; known are {', '.join(sorted(frames))}",
    )


def opened_by(generation_prompt: str) -> ThinkFrame | None:
    """Return the frame whose model continues a generation prompt of a plain question, if known.

    It is the frame with the longest ending that fits, from the end of the question on; among
    those with the same, one whose beginning fits as well.
    """
    fitting = [
        (len(ending), _fits_beginning(frame, generation_prompt), frame)
        for frame in FRAMES
        if frame.tags is not None
        and (ending := frame.turns.user.partition(CONTENT)[2] + frame.generation_prompt_end).strip()
        and generation_prompt.endswith(ending)
    ]
    if not fitting:
        return None
    return max(fitting, key=lambda fit: fit[:2])[2]


def _fits_beginning(frame: ThinkFrame, prompt: str) -> int:
    """Return how long a frame's beginning is if a prompt begins so, else -1."""
    turns = frame.turns
    if turns.system is not None and turns.default_system is not None:
        system = turns.system.replace(CONTENT, turns.default_system)
    else:
        system = turns.no_system
    text = frame.head + system + turns.user.partition(CONTENT)[0]
    parts = SLOT.split(text)[::2]
    pattern = ".*?".join(re.escape(part) for part in parts)
    return sum(map(len, parts)) if re.match(pattern, prompt, re.DOTALL) else -1
