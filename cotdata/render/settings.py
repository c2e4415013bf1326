"""The `render:` section of a recipe: for which model, in which form, how long, how well proven."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

NotEmpty = Annotated[str, StringConstraints(min_length=1)]

#: Think frames that are no frame's name: the model's own template, probed; a user's own text.
AUTO: Final = "auto"


def _no_conversation(settings: dict[str, Any]) -> dict[str, Any]:
    for name in ("messages", "add_generation_prompt"):
        if name in settings:
            message = f"'{name}' is what the rows are: it cannot be set"
            raise ValueError(message)
    try:
        orjson.dumps(settings)
    except TypeError as error:
        message = f"it cannot be written as JSON, as a server is called: {error}"
        raise ValueError(message) from error
    return settings


def _is_day(date: str) -> str:
    datetime.fromisoformat(date)
    return date


class Frame(BaseModel):
    """A prompt and completion of one's own, written out with slots for the row's columns.

    The completion ends in the stop token; what stands before `{Complex_CoT}` in it is trained.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: NotEmpty = Field(
        description="What the model is given: text with `{Question}` and, where wanted, `{system}`."
    )
    completion: NotEmpty = Field(
        description="What the model writes: text with `{Complex_CoT}`, then `{Response}`, then the "
        "stop token or `{eos}`."
    )
    system: str = Field(default="", description="What `{system}` is where a row has none.")


class Render(BaseModel):
    """How rows become tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: NotEmpty = Field(
        description="Tokenizer and template: a Hub id, `modelscope://owner/name`, or a folder with "
        "tokenizer.json and tokenizer_config.json."
    )
    revision: NotEmpty | None = Field(
        default=None, description="Commit, tag or branch of a hub's model; the newest if left out."
    )
    frame: NotEmpty | Frame = Field(
        default=AUTO,
        description="`auto`: the model's own chat template, probed. A think frame by name, or one "
        "written out: that is the template then, and is exported with the run.",
    )
    system: str | None = Field(
        default=None,
        description="System prompt of rows that have none; the template's own default if left out.",
    )
    template_kwargs: Annotated[dict[str, Any], AfterValidator(_no_conversation)] = Field(
        default={},
        description="What the chat template is called with, as the server will call it.",
    )
    date: Annotated[
        str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_is_day)
    ] = Field(default="2026-01-01", description="What templates that print today's date print.")
    stop: NotEmpty | None = Field(
        default=None,
        description="The token that ends an answer, where the template's and the server's differ.",
    )
    max_tokens: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Rows with more tokens, prompt and completion together, are rejected.",
    )
    too_long: Literal["reject"] = Field(
        default="reject", description="What happens to longer rows; they are never cut."
    )
    without_reasoning: Literal["empty_block", "no_block", "reject"] = Field(
        default="empty_block",
        description="Rows without `Complex_CoT`: as the model's non-thinking form (an empty think "
        "block outside the loss), as the answer alone, or rejected.",
    )
    control_tokens: Literal["reject", "neutralize"] = Field(
        default="reject",
        description="Rows whose text would be read as control tokens, such as `<|im_end|>`: "
        "rejected, or the token broken up by a space after its first character.",
    )
    turns: Literal["last", "all"] = Field(
        default="last",
        description="Of rows with a history: train the last answer. `all`, each answer as its own "
        "row, is not part of this version.",
    )
    proof: Literal["sample", "full"] = Field(
        default="sample",
        description="Rows that are also compared with the template's own render: one in 32, or all "
        "(every row is proven by its segments in any case).",
    )
    tokens: bool = Field(
        default=True,
        description="False: text columns only, where no tokenizer can be had; counts are estimates "
        "and nothing is proven on tokens.",
    )
    packing: bool = Field(
        default=False,
        description="Also write rows packed to `max_tokens` (first-fit decreasing), with position "
        "ids and boundaries, to `packed/`.",
    )
