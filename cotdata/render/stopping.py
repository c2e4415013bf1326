"""Finds the token that ends an answer: what the template writes, and where the server stops."""

import re
from typing import Final, NamedTuple

from cotdata.errors import RenderError

#: Where there is no tokenizer to say what a token is: `<|im_end|>`, `[/INST]`, `</s>`.
MARKER: Final = re.compile(r"<[^<>\s]+>|\[/?[A-Z_]+\]")


class Stops(NamedTuple):
    """What may end an answer; the first two are empty where there is no tokenizer."""

    #: Every token that text may be read as: special and added ones.
    tokens: tuple[str, ...] = ()
    #: Those at which the server stops: of generation_config.json, and the tokenizer's eos.
    served: tuple[str, ...] = ()
    #: What the recipe says.
    chosen: str | None = None
    #: The tokenizer's own eos.
    eos: str | None = None


class Ending(NamedTuple):
    """What the model writes after an answer, up to the stop token, which is its last."""

    text: str
    stop: str


def find_ending(after: str, between_turns: str, stops: Stops) -> Ending:
    """Return how an answer ends.

    Args:
        after: What the template writes after the last answer.
        between_turns: What it writes after an answer that another question follows.
        stops: What may end an answer.

    Raises:
        RenderError: If nothing does, or the server would not stop there.
    """
    found = _cut(after, stops)
    if found is None:  # the last turn is left open: what begins the next one ends it
        found = _cut(between_turns, stops, is_next_turn=True)
        if found is None or (stops.served and found.stop not in stops.served):
            found = Ending(stops.eos, stops.eos) if stops.eos else None
    if stops.chosen is not None:
        text = found.text.removesuffix(found.stop) if found is not None else ""
        return Ending(text + stops.chosen, stops.chosen)
    if found is None:
        raise RenderError(
            "nothing ends an answer: neither the chat template nor the tokenizer has a stop token",
            fix="name it with `render.stop`",
        )
    if stops.served and found.stop not in stops.served:
        raise RenderError(
            f"the chat template ends an answer with {found.stop}, but a server of this model stops "
            f"at {', '.join(stops.served)}: what is trained would never stop there",
            fix=f"choose one: `render.stop: '{found.stop}'` (and tell the server), or "
            f"`render.stop: '{stops.served[0]}'`",
        )
    return found


def _cut(after: str, stops: Stops, *, is_next_turn: bool = False) -> Ending | None:
    """Cut what follows an answer behind its stop token.

    The first token at which a server stops is it, else the first token at all. Without a
    tokenizer, it is the last of the markers that stand together; of those between two turns, the
    first.
    """
    if stops.tokens:
        found = sorted(
            (after.index(token), -len(token), token) for token in stops.tokens if token in after
        )
        served = [item for item in found if item[2] in stops.served]
        if not found:
            return None
        place, _, token = (served or found)[0]
        return Ending(after[:place] + token, token)
    markers = list(MARKER.finditer(after))
    if not markers:
        return None
    last = markers[0]
    for marker in markers[1:]:
        if is_next_turn or marker.start() != last.end():
            break
        last = marker
    return Ending(after[: last.end()], last[0])
