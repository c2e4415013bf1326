"""How a recipe names a hub's model, and what is fetched of it."""

import re
from dataclasses import dataclass
from typing import Final

from cotdata.errors import RenderError

#: A full commit: needs no request to be resolved, and never means anything else.
COMMIT: Final = re.compile(r"[0-9a-f]{40}")
#: What can be done without the model.
WAY_OUT: Final = (
    "use a folder that has its tokenizer (`--set render.model=FOLDER`), or write text without "
    "tokens (`--set render=null`)"
)
#: What is fetched: all that says how text becomes tokens, and none of the weights.
PATTERNS: Final = (
    "tokenizer.json",
    "tokenizer.model",
    "spiece.model",
    "vocab.json",
    "merges.txt",
    "tekken.json",
    "*.tiktoken",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "generation_config.json",
    "config.json",
)
_MODELSCOPE: Final = "modelscope"
_SCHEMES: Final = ("hf", _MODELSCOPE)
# What both hubs allow in a name: letters, digits, `-`, `_`, `.`; no other punctuation at an end.
_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_ID: Final = re.compile(rf"{_PART}/{_PART}")
_MAX_PART_CHARS: Final = 96


@dataclass(frozen=True)
class HubModel:
    """A hub's model, and the revision where one is given."""

    model_id: str
    revision: str | None
    is_modelscope: bool = False


def parse_model(model: str, revision: str | None) -> HubModel:
    """Read `owner/name`, `hf://owner/name` or `modelscope://owner/name`.

    Raises:
        RenderError: If it is none of these.
    """
    scheme, _, rest = model.rpartition("://")
    if scheme and scheme not in _SCHEMES:
        raise RenderError(
            f"`{model}`: models are not read from {scheme}://",
            fix="name a folder, OWNER/NAME at the Hugging Face Hub, or modelscope://OWNER/NAME",
        )
    if not _is_model_id(rest):
        known = "a folder that is there, nor OWNER/NAME" if not scheme else "OWNER/NAME"
        raise RenderError(
            f"`render.model: {model}` is {'neither' if not scheme else 'not'} {known} at a hub",
            fix=f"check the name and the path, or {WAY_OUT}",
        )
    return HubModel(rest, revision, is_modelscope=scheme == _MODELSCOPE)


def _is_model_id(model_id: str) -> bool:
    return (
        _ID.fullmatch(model_id) is not None
        and all(len(part) <= _MAX_PART_CHARS for part in model_id.split("/"))
        and not any(wrong in model_id for wrong in ("--", ".."))
        and not model_id.endswith(".git")
    )
