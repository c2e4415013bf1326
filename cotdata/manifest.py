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

    position: int = Field(description="0-based place among the recipe's stages.")
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
