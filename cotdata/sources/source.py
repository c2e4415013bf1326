"""One source of a recipe: where records come from, and what is asked of them."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from cotdata.sources.adapters import Adapter
from cotdata.sources.encodings import codec_name, suggested_encoding
from cotdata.sources.source_file import readable

HUB_SCHEMES: Final = ("hf://", "modelscope://")
_RANGE: Final = re.compile(r"^([0-9]*):([0-9]*)$")
#: The largest whole number that every JSON reader keeps exact; a file has fewer records.
_MAX_RECORDS: Final = 2**53


def _parse_range(value: object) -> object:
    if isinstance(value, str) and (found := _RANGE.match(value.strip())):
        first, stop = found.groups()
        return {"first": _number(first or "0"), "stop": _number(stop) if stop else None}
    return value


def _number(digits: str) -> int:
    # The length goes first: Python refuses to read a number of thousands of digits.
    digits = digits.lstrip("0") or "0"
    if len(digits) > len(str(_MAX_RECORDS)) or int(digits) > _MAX_RECORDS:
        shown = digits if len(digits) <= 30 else f"{digits[:30]}…"
        message = f"{shown} is too large for a record's number (at most {_MAX_RECORDS})"
        raise ValueError(message)
    return int(digits)


class RowRange(BaseModel):
    """Which records of a source are read: from `first` (0-based) up to `stop`, exclusive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: Annotated[int, Field(ge=0, le=_MAX_RECORDS)] = 0
    stop: Annotated[int, Field(ge=0, le=_MAX_RECORDS)] | None = None

    @model_validator(mode="after")
    def _is_in_order(self) -> "RowRange":
        if self.stop is not None and self.stop < self.first:
            message = f"ends ({self.stop}) before it begins ({self.first})"
            raise ValueError(message)
        return self


def _range_schema(schema: dict[str, Any]) -> None:
    text = {"type": "string", "pattern": _RANGE.pattern, "examples": ["0:500"]}
    schema.pop("$ref", None)
    schema["anyOf"] = [text, {"type": "null"}]


class Source(BaseModel):
    """Where records come from. Relative paths are relative to the recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")] = Field(
        description="Letters, digits, `_`, `.`, `-`; stands in row_id and in `source`."
    )
    from_: str = Field(
        alias="from",
        min_length=1,
        description="A file, a glob, a folder, `s3://…` (fsspec), `hf://owner/name` or "
        "`modelscope://owner/name`.",
    )
    adapter: Adapter = Field(
        description="How a record becomes a row: a format's name or a mapping."
    )
    config: str | None = Field(default=None, description="The hub data set's configuration.")
    split: str | None = Field(default=None, description="The hub data set's split; `train`.")
    revision: str | None = Field(
        default=None, description="The hub data set's commit; the newest one if left out."
    )
    streaming: bool | None = Field(
        default=None, description="Stream the hub data set; by its size if left out."
    )
    format: Literal["jsonl", "json", "csv", "tsv", "parquet", "arrow"] | None = Field(
        default=None, description="The files' format, where their names don't say it."
    )
    encoding: str | None = Field(
        default=None, description="The files' encoding, where it isn't UTF-8 (or UTF-16 with BOM)."
    )
    rows: Annotated[
        RowRange | None, BeforeValidator(_parse_range), Field(json_schema_extra=_range_schema)
    ] = Field(default=None, description="A part of the records: `0:500`.")
    license: str | None = Field(default=None, description="Goes to the dataset card.")
    weight: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Share of this source's train rows that is used, by hash."
    )
    max_rows: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="At most so many train rows of this source, by hash."
    )
    repeat: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=1, description="How often each used train row stands in the result."
    )

    @field_validator("encoding")
    @classmethod
    def _is_known_encoding(cls, encoding: str | None) -> str | None:
        if encoding is not None and codec_name(encoding) is None:
            name = readable(encoding)
            message = f"`{name}` is no known text encoding, {suggested_encoding(encoding)}"
            raise ValueError(message)
        return encoding

    @property
    def is_hub(self) -> bool:
        """True for a data set of a hub, false for files."""
        return self.from_.startswith(HUB_SCHEMES)

    @model_validator(mode="after")
    def _has_settings_that_fit(self) -> "Source":
        hub_only = {name for name in ("config", "split", "revision", "streaming")}
        file_only = {"format", "encoding"}
        wrong = (file_only if self.is_hub else hub_only) & {
            name for name in hub_only | file_only if getattr(self, name) is not None
        }
        if wrong:
            what = "a hub's data set" if self.is_hub else "files"
            message = f"{', '.join(sorted(wrong))} mean nothing for {what}"
            raise ValueError(message)
        return self
