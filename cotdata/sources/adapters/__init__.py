"""The adapters: how the records of each known data set, and of any other, become rows."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, assert_never

import polars as pl
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from cotdata.errors import Location
from cotdata.sources.adapters import medical_o1, numina_math_cot
from cotdata.sources.adapters.base import Adapted, AdapterConfig
from cotdata.sources.adapters.column_names import listed, nearest, shown
from cotdata.sources.adapters.fit import refuse_misfit
from cotdata.sources.adapters.mapping import (
    MAPPING_REASONS,
    ColumnMapping,
    adapt_mapping,
    wanted_by_mapping,
)
from cotdata.sources.adapters.medical_o1 import MedicalO1, adapt_medical_o1
from cotdata.sources.adapters.numina_math_cot import NuminaMathCot, adapt_numina_math_cot
from cotdata.sources.records import PEEKED_RECORDS, Peek, Wanted

__all__ = [
    "ADAPTER_NAMES",
    "ADAPTER_REASONS",
    "Adapted",
    "Adapter",
    "AdapterConfig",
    "ColumnMapping",
    "MedicalO1",
    "NuminaMathCot",
    "adapt",
    "check_fit",
    "fits_plainly",
    "has_columns_of",
    "wanted",
]

AdapterName = Literal["medical_o1", "numina_math_cot"]

#: The adapters that a recipe calls by name, and the columns that each cannot do without.
ADAPTER_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "medical_o1": medical_o1.WANTED.text,
    "numina_math_cot": numina_math_cot.REQUIRED,
}

#: Why an adapter rejects a record that could be read: reason → meaning and evidence.
ADAPTER_REASONS: Final[Mapping[str, str]] = {**MAPPING_REASONS}

_CANONICAL: Final = tuple(name for name in ColumnMapping.model_fields if name != "kind")


def _in_full(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the recipe
    """Return the long form of an adapter that a recipe wrote as a name or as a mapping."""
    if isinstance(value, str):
        _known_name(value)
        return {"kind": value}
    if not isinstance(value, dict):
        if isinstance(value, AdapterConfig):
            return value
        message = "an adapter is a name ({names}) or a mapping of columns"
        raise PydanticCustomError("adapter", message, {"names": listed(ADAPTER_NAMES)})
    if value.get("kind", "mapping") != "mapping":
        _known_name(str(value["kind"]))
        return value
    _known_columns(value)
    return {"kind": "mapping", **value}


def _known_name(name: str) -> None:
    if name in ADAPTER_NAMES:
        return
    near = nearest(name, ADAPTER_NAMES)
    hint = f", did you mean {shown(near)}?" if near else ""
    message = "{name} is no adapter{hint} (adapters: {names}; or map columns: {example})"
    context = {"name": shown(name), "hint": hint, "names": listed(ADAPTER_NAMES)}
    example = "`{Question: …, Complex_CoT: …, Response: …}`"
    raise PydanticCustomError("adapter", message, {**context, "example": example})


def _known_columns(mapping: dict[Any, Any]) -> None:
    problems = []
    for key in mapping:
        if key != "kind" and key not in _CANONICAL:
            near = nearest(str(key), _CANONICAL)
            hint = f" (did you mean {shown(near)}?)" if near else ""
            problems.append(f"{shown(str(key))} is no column of a row{hint}")
    if "Question" not in mapping:
        problems.append("a mapping must say what the `Question` is")
    if problems:
        context = {"problems": "; ".join(problems), "columns": listed(_CANONICAL)}
        raise PydanticCustomError("adapter", "{problems}; a row's columns: {columns}", context)


#: A field of a recipe. Written as a name (`medical_o1`), as `{kind: medical_o1}`, or as a mapping.
Adapter = Annotated[
    MedicalO1 | NuminaMathCot | ColumnMapping,
    Field(discriminator="kind"),
    BeforeValidator(
        _in_full, json_schema_input_type=AdapterName | MedicalO1 | NuminaMathCot | ColumnMapping
    ),
]


def wanted(adapter: Adapter) -> Wanted:
    """Return the columns that an adapter reads, and in what form."""
    match adapter:
        case MedicalO1():
            return medical_o1.WANTED
        case NuminaMathCot():
            return numina_math_cot.WANTED
        case ColumnMapping():
            return wanted_by_mapping(adapter)
        case _:
            assert_never(adapter)


def adapt(records: pl.DataFrame, adapter: Adapter) -> Adapted:
    """Return what a reader handed over, in the canonical columns.

    Reads the columns of `wanted(adapter)` (String, nullable) and `REST`; hands on `PLACE`,
    `REASON`, `EVIDENCE`, `RAW`. No record is dropped and none changes its place. A record that has
    a reason keeps it, with the columns it has; an adapter may give others one of
    `ADAPTER_REASONS`.
    """
    match adapter:
        case MedicalO1():
            return adapt_medical_o1(records)
        case NuminaMathCot():
            return adapt_numina_math_cot(records)
        case ColumnMapping():
            return adapt_mapping(records, adapter)
        case _:
            assert_never(adapter)


def check_fit(adapter: Adapter, peek: Peek, where: Location) -> None:
    """Refuse a source whose first records lack a column that the adapter cannot do without.

    For `numina_math_cot` these are problem and solution, else all that it reads: a mapping's
    columns are there because someone wrote them down. A source without records passes.

    Raises:
        SourceError: The columns found, the ones missing (or of a kind that cannot be read), and
            the nearest fit: another adapter, or a mapping with near names.
    """
    columns = wanted(adapter)
    required = _required(adapter, columns)
    others = [name for name in ADAPTER_NAMES if has_columns_of(name, peek)]
    refuse_misfit(columns, required, others, peek, where)


def fits_plainly(adapter: Adapter, beginning: pl.DataFrame) -> bool:
    """Say whether the first records, read for the adapter, prove that `check_fit` would pass.

    Args:
        adapter: What the records were read for.
        beginning: A reader's frame that begins with the first record of its source.
    """
    records = beginning.head(PEEKED_RECORDS)
    columns = wanted(adapter)
    # A column without a value may be absent, or hold only what cannot be read.
    needed = {*_required(adapter, columns), *columns.text, *columns.scalar}
    return all(records[name].null_count() < records.height for name in needed)


def _required(adapter: Adapter, columns: Wanted) -> tuple[str, ...]:
    return numina_math_cot.REQUIRED if isinstance(adapter, NuminaMathCot) else columns.columns


def has_columns_of(name: str, peek: Peek) -> bool:
    """Say whether the first records have all that the adapter `name` cannot do without, as text."""
    return all("string" in peek.columns.get(column, ()) for column in ADAPTER_NAMES[name])
