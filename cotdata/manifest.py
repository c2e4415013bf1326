"""What a run did: the record that makes a run's folder checkable, the same bytes on every machine.

No clock, host name, absolute path or worker count stands in it: those are in `timings.json`.
"""

import hashlib
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field

MANIFEST_NAME: Final = "manifest.json"
TIMINGS_NAME: Final = "timings.json"
#: Files of a run that its manifest does not hash: itself, and what differs between machines.
UNHASHED: Final = frozenset({MANIFEST_NAME, TIMINGS_NAME})
SCHEMA: Final = 1

#: Upper edges of the length histograms, in characters; the last bin is open. Half-octave steps.
LENGTH_EDGES: Final = tuple(round(16 * 2 ** (step / 2)) for step in range(28))
LENGTH_COLUMNS: Final = ("Question", "Complex_CoT", "Response")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputFile(_Record):
    """One file that a source read, or one revision of a hub's data set."""

    path: str = Field(description="As written in the recipe, or below the folder that it names.")
    bytes: int | None = Field(description="Size; null for a hub's data set.")
    sha256: str | None = Field(description="Of the file's bytes; null for a hub's data set.")
    records: int = Field(description="Records that the file holds, read or not.")


class SourceRecord(_Record):
    """What one source gave: `read = kept + rejected`."""

    name: str
    origin: str = Field(description="`from` as the recipe has it; a file's name if overridden.")
    adapter: str
    revision: str | None = Field(default=None, description="Resolved commit of a hub's data set.")
    license: str | None = None
    files: list[InputFile]
    available: int = Field(description="Records that the source holds.")
    read: int = Field(description="Records read: all, or the recipe's `rows`.")
    kept: int
    rejected: int
    reasons: dict[str, int] = Field(description="Rejected rows by reason.")
    notes: dict[str, int] = Field(description="What was changed or passed over, with its count.")


class StageRecord(_Record):
    """What one stage did: `rows_in + made = kept + rejected`."""

    position: int = Field(description="0-based place among the recipe's stages; last: `render`.")
    kind: str
    version: int | str = Field(description="Changes with the stage's behaviour.")
    config: dict[str, Any] = Field(description="Every setting, defaults included.")
    rows_in: int
    made: int
    kept: int
    rejected: int
    reasons: dict[str, int] = Field(description="Rejected rows by reason.")
    notes: dict[str, int] = Field(description="What was changed, with its count.")


class SplitRecord(_Record):
    """One split of the result."""

    rows: int
    sources: dict[str, int] = Field(description="Rows by source.")


class OutputFile(_Record):
    """One file of the run's folder."""

    path: str
    rows: int | None = Field(default=None, description="Rows of a parquet file.")
    bytes: int
    sha256: str


class ColumnRecord(_Record):
    """One column of the kept rows."""

    name: str
    dtype: str
    added_by: str | None = Field(default=None, description="The stage that added it, if one did.")


class Profile(_Record):
    """How rows look at one point of the run, in counts that add up."""

    rows: int
    lengths: dict[str, list[int]] = Field(
        description="By column: rows in each length bin, characters, null not counted."
    )
    nulls: dict[str, int] = Field(description="By column: rows without a value.")
    sources: dict[str, int]
    languages: dict[str, int] = Field(
        description="Rows by `language`, or, where no stage set it, by script of the Question as "
        "`script:Han`, `script:Latin`, `script:other`."
    )


class Fit(_Record):
    """How much of the rows fits a candidate length."""

    rows: int = Field(description="Rows that have no more tokens.")
    trained_tokens: int = Field(description="Trained tokens in them.")


class Evidence(_Record):
    """One thing that probing a model's chat template found out, and what shows it."""

    question: str = Field(description="What was asked of the template.")
    answer: str = Field(description="What it does.")
    evidence: str = Field(description="The text that shows it.")


class PackingRecord(_Record):
    """Packed sequences, in `packed/`."""

    max_tokens: int = Field(description="Room of a sequence.")
    rows: dict[str, int] = Field(description="Rows by split; each stands in one sequence, whole.")
    sequences: dict[str, int] = Field(description="Packed sequences by split.")
    tokens: dict[str, int] = Field(description="Tokens by split.")
    utilisation: float = Field(
        description="The share of all sequences' room that tokens fill, rounded to six digits."
    )


class RenderRecord(_Record):
    """How rows became tokens, for which model, and what was proven of them."""

    model: str = Field(description="A hub's id; of a folder only the name.")
    revision: str | None = Field(default=None, description="Resolved commit of a hub's model.")
    sample: bool = Field(default=False, description="True for the package's own small tokenizer.")
    files: dict[str, str] = Field(
        description="File of the model's tokenizer and template → SHA-256 of its bytes as read."
    )
    frame: str = Field(
        description="`auto`: the model's own chat template; else the think frame's name, or "
        "`custom` for one written out in the recipe."
    )
    encoding: str = Field(
        description="The form that keeps the reasoning: `reasoning_content`, `thinking`, `parts`, "
        "`inline`, or `composed` where the template keeps none and the think frame writes it."
    )
    template_kwargs: dict[str, Any] = Field(
        description="What the template is called with, and a server must be: the recipe's, and "
        "the switch that turns thinking on where the template has it off."
    )
    date: str = Field(description="What templates that print today's date print.")
    prompt: str = Field(
        description="The generation prompt of a conversation of one question, `{Question}` in its "
        "place."
    )
    completion: str = Field(
        description="What the model writes after it, `{Complex_CoT}` and `{Response}` in their "
        "places."
    )
    stop: str = Field(description="The token that ends an answer, trained as its last.")
    stop_id: int | None = Field(default=None, description="Its id; null without tokens.")
    default_system: str | None = Field(
        default=None,
        description="The system prompt that the template writes where a conversation has none.",
    )
    history: str = Field(
        description="The reasoning of earlier turns in a prompt, as the template has it: `kept` or "
        "`dropped`."
    )
    settings: dict[str, Any] = Field(
        description="The recipe's `render:` section, defaults included."
    )
    checks: dict[str, int] = Field(
        default={},
        description="Check → rows that passed it, rejected ones that passed this one included.",
    )
    compared: int = Field(
        default=0,
        description="Rows that were also compared with the chat template's own render; all others "
        "are proven by its segments.",
    )
    lengths: dict[str, Fit] = Field(
        default={},
        description="Candidate for `max_tokens` → what would be kept with it, of all rows that "
        "could be rendered, too long ones included.",
    )
    tokens: int | None = Field(
        default=None, description="Tokens of all splits; null where there is no tokenizer."
    )
    trained: int | None = Field(
        default=None, description="Tokens among them that are trained; null without tokenizer."
    )
    tokens_estimate: int | None = Field(
        default=None, description="An estimate of `tokens`, where the recipe says `tokens: false`."
    )
    verdict: list[Evidence] = Field(
        default=[], description="What probing the chat template found out."
    )
    packing: PackingRecord | None = Field(
        default=None, description="What `packed/` holds, where the recipe says `packing: true`."
    )


class ParentRecord(_Record):
    """The run whose rows a child run renders for another model."""

    fingerprint: str = Field(description="The parent's.")
    sha256: str = Field(description="Of the parent's manifest, as it states it.")


class Manifest(_Record):
    """What a run did, complete enough to check it and to explain every row's fate."""

    schema_: int = Field(default=SCHEMA, alias="schema")
    name: str
    fingerprint: str = Field(
        description="Of the recipe, the inputs' contents and the stages' versions: the first 32 "
        "hexadecimal digits of a SHA-256."
    )
    seed: int
    sample: bool = Field(description="True for `--sample`: the package's own rows.")
    overrides: dict[str, Any] = Field(description="`--source` and `--set`, as given.")
    recipe: dict[str, Any] = Field(description="The recipe as it ran, defaults included.")
    sources: list[SourceRecord]
    stages: list[StageRecord]
    splits: dict[str, SplitRecord]
    rejected: int = Field(description="Rejected rows of all sources and stages.")
    render: RenderRecord | None = Field(
        default=None, description="How rows became tokens; null for a run of text."
    )
    parent: ParentRecord | None = Field(
        default=None, description="The run that `cotdata render` made this one of."
    )
    columns: list[ColumnRecord]
    length_edges: list[int] = Field(default=list(LENGTH_EDGES))
    before: Profile = Field(description="Rows as they left the sources.")
    after: Profile = Field(description="Rows of all splits.")
    versions: dict[str, str] = Field(description="Packages that shape the bytes.")
    outputs: list[OutputFile]
    sha256: str = Field(default="", description="Of this manifest with this field empty.")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def to_json(self) -> bytes:
        """Return the manifest as its file holds it: sorted keys, sealed by its own `sha256`."""
        return _dump(self.model_copy(update={"sha256": self.seal()}))

    def seal(self) -> str:
        """Return the SHA-256 of this manifest with its `sha256` field empty."""
        return hashlib.sha256(_dump(self.model_copy(update={"sha256": ""}))).hexdigest()


def _dump(manifest: Manifest) -> bytes:
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(manifest.model_dump(mode="json", by_alias=True), option=options)
