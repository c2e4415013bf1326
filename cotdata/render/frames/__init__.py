"""How model families write conversations with reasoning, as data, and what is made of it."""

from cotdata.render.frames.known import FRAMES, find_frame, opened_by
from cotdata.render.frames.own import frame_from_text
from cotdata.render.frames.template import chat_template
from cotdata.render.frames.think_frame import (
    Inline,
    Plain,
    Switch,
    ThinkFrame,
    Trims,
    Turns,
)
from cotdata.render.frames.written import FrameText

__all__ = [
    "FRAMES",
    "FrameText",
    "Inline",
    "Plain",
    "Switch",
    "ThinkFrame",
    "Trims",
    "Turns",
    "chat_template",
    "find_frame",
    "frame_from_text",
    "opened_by",
]
