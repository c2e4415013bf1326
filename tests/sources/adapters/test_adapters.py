from typing import Any

import jsonschema  # type: ignore[import-untyped]
import polars as pl
import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from cotdata.errors import Location, SourceError
from cotdata.sources.adapters import (
    ADAPTER_NAMES,
    Adapter,
    ColumnMapping,
    MedicalO1,
    NuminaMathCot,
    adapt,
    check_fit,
    wanted,
)
from tests.sources.adapters.frames import read
from tests.sources.peeks import peek_at

WHERE = Location("data/notes.jsonl")


class Holder(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    adapter: Adapter


def adapter_of(value: object) -> Adapter:
    return Holder.model_validate({"adapter": value}).adapter


GOOD: list[tuple[Any, Adapter]] = [
    ("medical_o1", MedicalO1()),
    ("numina_math_cot", NuminaMathCot()),
    ({"kind": "medical_o1"}, MedicalO1()),
    ({"kind": "numina_math_cot"}, NuminaMathCot()),
    ({"Question": "q"}, ColumnMapping(Question="q")),
    ({"kind": "mapping", "Question": "{a} {b}"}, ColumnMapping(Question="{a} {b}")),
    ({"Question": "q", "answer": None}, ColumnMapping(Question="q")),
]

BAD: list[tuple[Any, str]] = [
    ("medical_01", "did you mean `medical_o1`"),
    ("numina", "did you mean `numina_math_cot`"),
    ("alpaca", "`alpaca` is no adapter"),
    ({"kind": "medical"}, "did you mean `medical_o1`"),
    ({"kind": "medical_o1", "Question": "q"}, "Extra inputs"),
    ({"question": "q"}, "did you mean `Question`"),
    ({"Question": "q", "Respnse": "r"}, "did you mean `Response`"),
    ({}, "must say what the `Question` is"),
    ({"Question": "{a"}, "a single {"),
    ({"Question": 3}, "valid string"),
    ({"Question": "q", "history": "q"}, "used for nothing else"),
    ({"Question": "q", "history": "{a}{b}"}, "one column"),
    (3, "an adapter is a name"),
    (None, "an adapter is a name"),
    (["medical_o1"], "an adapter is a name"),
]


@pytest.mark.parametrize(("value", "expected"), GOOD)
def test_reads_the_short_forms(value: Any, expected: Adapter) -> None:
    assert adapter_of(value) == expected


@pytest.mark.parametrize("adapter", [expected for _, expected in GOOD])
def test_a_dump_reads_back(adapter: Adapter) -> None:
    holder = Holder(adapter=adapter)
    assert Holder.model_validate(holder.model_dump(mode="json")) == holder
    assert Holder.model_validate_json(holder.model_dump_json()) == holder


@pytest.mark.parametrize(("value", "message"), BAD)
def test_says_what_is_wrong_with_an_adapter(value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        adapter_of(value)
    assert message in str(caught.value)


def test_names_every_wrong_column_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        adapter_of({"Qestion": "q", "Respnse": "r"})
    (error,) = caught.value.errors()
    assert error["loc"] == ("adapter",)
    assert "`Qestion`" in error["msg"]
    assert "`Respnse`" in error["msg"]


@pytest.mark.parametrize(("value", "_"), GOOD)
def test_the_schema_takes_all_forms(value: Any, _: Adapter) -> None:
    jsonschema.validate({"adapter": value}, Holder.model_json_schema())


@pytest.mark.parametrize(
    "value", ["alpaca", {}, {"kind": "alpaca"}, {"question": "q"}, {"Question": 3}, 3, None, []]
)
def test_the_schema_refuses_what_the_model_refuses(value: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"adapter": value}, Holder.model_json_schema())
    with pytest.raises(ValidationError):
        adapter_of(value)


@pytest.mark.parametrize("adapter", [MedicalO1(), NuminaMathCot(), ColumnMapping(Question="q")])
def test_every_adapter_keeps_number_and_order(adapter: Adapter) -> None:
    columns = wanted(adapter)
    records = [{columns.text[0]: f"q{place}", "n": place} for place in range(5)]
    rows = adapt(read(records, columns), adapter).rows
    assert rows["Question"].to_list() == [f"q{place}" for place in range(5)]
    assert rows["meta"].to_list() == [f'{{"n":{place}}}' for place in range(5)]
    assert adapt(read([], columns), adapter).rows.schema == rows.schema
    assert isinstance(adapter.version, int)


@pytest.mark.parametrize(
    "adapter", [MedicalO1(), NuminaMathCot(), ColumnMapping(Question="{q} {r}")]
)
def test_any_cut_of_the_records_gives_the_same_rows(adapter: Adapter) -> None:
    columns = wanted(adapter)
    records = [
        {name: rf" {name} is \boxed{{{place}}}. " for name in columns.columns[: place % 4]}
        for place in range(9)
    ]
    frame = read(records, columns)
    whole = adapt(frame, adapter)
    parts = [adapt(frame.slice(at, 4), adapter) for at in (0, 4, 8)]
    assert pl.concat([part.rows for part in parts]).equals(whole.rows)
    kinds = {kind for part in parts for kind in part.notes}
    assert {kind: sum(part.notes.get(kind, 0) for part in parts) for kind in kinds} == whole.notes


def misfit(value: Any, *records: dict[str, object]) -> str:
    with pytest.raises(SourceError) as caught:
        check_fit(adapter_of(value), peek_at(records), WHERE)
    return str(caught.value)


@pytest.mark.parametrize("name", ADAPTER_NAMES)
def test_native_columns_fit(name: str) -> None:
    check_fit(adapter_of(name), peek_at([dict.fromkeys(ADAPTER_NAMES[name], "x")]), WHERE)


def test_a_source_without_records_fits() -> None:
    check_fit(MedicalO1(), peek_at([]), WHERE)


def test_a_misfit_names_what_is_there_what_is_missing_and_what_fits() -> None:
    message = misfit("medical_o1", {"problem": "p", "solution": "s"})
    assert message.startswith("data/notes.jsonl: ")
    assert "no column `Question`, `Complex_CoT`, `Response`" in message
    assert "they have `problem`, `solution`" in message
    assert "`adapter: numina_math_cot` fits" in message


def test_a_misfit_proposes_a_mapping() -> None:
    message = misfit("numina_math_cot", {"question": "q", "think": "t", "reply text": "r"})
    assert "`adapter: {Question: question, Complex_CoT: think}`" in message


def test_a_mistyped_column_gets_its_near_miss() -> None:
    assert "`question` is near `qestion`" in misfit({"Question": "qestion"}, {"question": "q"})


def test_every_column_of_a_mapping_is_required() -> None:
    message = misfit({"Question": "q", "answer": "{a}{b}"}, {"q": "Q", "a": "A"})
    assert "no column `b`" in message


def test_a_column_that_only_holds_what_cannot_be_read_is_a_misfit() -> None:
    message = misfit({"Question": "q", "Response": "r"}, {"q": "Q", "r": ["R"]})
    assert "column `r` holds arrays, but must hold strings or numbers or booleans" in message
    check_fit(adapter_of({"Question": "q", "Response": "r"}), peek_at([{"q": "Q", "r": 1}]), WHERE)
    check_fit(adapter_of({"Question": "q"}), peek_at([{"q": None}]), WHERE)
    check_fit(adapter_of({"Question": "q"}), peek_at([{"q": ["Q"]}, {"q": "Q"}]), WHERE)


def test_nothing_near_is_said_too() -> None:
    assert "map columns that hold text" in misfit("medical_o1", {"xyz": 1})


@pytest.mark.parametrize("value", [{"Question": "q"}, {"Question": "q", "Response": "r"}])
def test_numbers_in_a_column_of_text_come_with_the_template_that_takes_them(value: Any) -> None:
    message = misfit(value, {"q": 5, "r": "R"})
    assert "column `q` holds numbers, but must hold strings" in message
    assert message.endswith('write `"{q}"`')
    check_fit(adapter_of({**value, "Question": "{q}"}), peek_at([{"q": 5, "r": "R"}]), WHERE)


def test_no_near_name_leads_away_from_an_adapter_that_fits() -> None:
    message = misfit("medical_o1", {"problem": "p", "solution": "s"})
    assert " is near " not in message


def test_a_hostile_name_cannot_break_the_message() -> None:
    message = misfit("medical_o1", {"\x1b[31m\nred": 1, "\u202eevil": 2, "x" * 500: 3})
    assert "\x1b" not in message
    assert "\u202e" not in message
    assert len(message.splitlines()) == 2
    assert len(message) < 500
