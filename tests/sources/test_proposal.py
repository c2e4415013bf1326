from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from cotdata.errors import Location, SourceError
from cotdata.sources.adapters import Adapter, check_fit, wanted
from cotdata.sources.proposal import propose
from cotdata.sources.records import Peek
from tests.sources.peeks import peek_at, peek_file

ADAPTER: TypeAdapter[Adapter] = TypeAdapter(Adapter)

UNMAPPABLE = {
    "apps_test_example_tests.jsonl",
    "dataset_info.json",
    "glaive_toolcall_en_demo.json",
    "medicalgpt_sharegpt_zh_1000.jsonl",
    "messages_500_r1.json",
    "sharegpt_zh_1000.jsonl",
    "v1_sft_demo.jsonl",
}


def recipe_of(peek: Peek, name: str = "notes", label: str = "data/notes.jsonl") -> dict[str, Any]:
    recipe: dict[str, Any] = yaml.safe_load(propose(peek, name, label))
    return recipe


def test_a_proposal_is_a_whole_recipe() -> None:
    assert recipe_of(peek_at([{"question": "q", "think": "t", "answer": "a " * 50}])) == {
        "schema": 1,
        "name": "notes",
        "seed": 3407,
        "sources": [
            {
                "name": "notes",
                "from": "data/notes.jsonl",
                "adapter": {"Question": "question", "Complex_CoT": "think", "Response": "answer"},
            }
        ],
        "stages": [
            {"kind": "normalize_text"},
            {"kind": "require_fields"},
            {"kind": "exact_dedup"},
            {"kind": "split", "validation": 0.02},
        ],
        "output": {"dir": "build/notes"},
    }


def test_says_why_each_column_is_mapped_and_what_goes_to_meta() -> None:
    text = propose(peek_at([{"query": "q", "Cot": "t", "reply": "r", "id": 1, "a b": 2}]), "n", "f")
    assert "# Question from query: the name\n" in text
    assert "# Complex_CoT from Cot: the name\n" in text
    assert '# To meta, unchanged: id, "a b"\n' in text


def test_native_schemas_get_their_adapter() -> None:
    medical = dict.fromkeys(("Question", "Complex_CoT", "Response"), "x")
    numina = {"source": "s", "problem": "p", "solution": r"$\boxed{1}$", "messages": []}
    assert recipe_of(peek_at([medical]))["sources"][0]["adapter"] == "medical_o1"
    assert recipe_of(peek_at([numina]))["sources"][0]["adapter"] == "numina_math_cot"


def test_counts_solutions_without_a_box() -> None:
    records = [{"problem": "p", "solution": text} for text in (r"\boxed{1}", "none", "none")]
    assert "# 2 of the first 3 solutions have no \\boxed{}" in propose(peek_at(records), "n", "f")


def test_a_gold_answer_beside_a_boxed_solution_is_mapped_and_the_adapter_named() -> None:
    peek = peek_at([{"problem": "p", "solution": r"$\boxed{1}$", "answer": "1"}])
    assert "# `adapter: numina_math_cot` fits too" in propose(peek, "n", "f")
    assert recipe_of(peek)["sources"][0]["adapter"]["answer"] == "answer"


def test_requires_only_what_is_there() -> None:
    stages = recipe_of(peek_at([{"prompt": "q", "output": "r"}]))["stages"]
    assert stages[1] == {"kind": "require_fields", "columns": ["Question", "Response"]}


def test_says_that_reasoning_inside_a_reply_stays_there() -> None:
    records = [{"input": "q", "output": "<think>t</think> r"}, {"input": "q", "output": "r"}]
    assert "# 1 of the first 2 hold <think>" in propose(peek_at(records), "n", "f")


def test_says_that_nested_columns_cannot_be_mapped() -> None:
    text = propose(peek_at([{"question": "q", "messages": [{}], "options": {}}]), "n", "f")
    assert "# Lists or objects, which a mapping can't read yet: messages, options\n" in text


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([{"conversations": [{}], "id": 1}], "`conversations` holds whole conversations"),
        ([{"file": "f", "size": 1}], "the columns are `file`, `size`"),
        ([], "there are no records"),
    ],
)
def test_without_a_question_it_says_what_to_do(
    records: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(SourceError) as caught:
        propose(peek_at(records), "n", "data/f.json")
    assert message in str(caught.value)
    assert str(caught.value).startswith("data/f.json: ")
    assert caught.value.fix


@pytest.mark.parametrize(
    ("name", "plain"),
    [("a b/../c", "a_b_.._c"), ("../x", "x"), ("问题", "dataset"), ("null", "null"), ("1", "1")],
)
def test_a_name_is_made_fit_for_a_folder(name: str, plain: str) -> None:
    recipe = recipe_of(peek_at([{"question": "q"}]), name)
    assert (recipe["name"], recipe["sources"][0]["name"]) == (plain, plain)
    assert recipe["output"]["dir"] == f"build/{plain}"


def proposed(peek: Peek, name: str, label: str) -> str | SourceError:
    try:
        return propose(peek, name, label)
    except SourceError as error:
        return error


words = st.sampled_from(
    ["question", "answer", "input", "instruction", "think", "Response", "{", ": "]
)
hostile = st.text(max_size=12) | words | st.tuples(words, st.text(max_size=4)).map("".join)
values = st.text(max_size=5) | st.integers(0, 9) | st.none() | st.just(["x"]) | st.just({"a": 1})


@given(
    records=st.lists(st.dictionaries(hostile, values, max_size=6), max_size=3),
    name=st.text(max_size=8),
    label=st.text(max_size=12),
)
def test_whatever_the_names_hold_it_is_a_recipe_that_fits_or_an_error(
    records: list[dict[str, object]], name: str, label: str
) -> None:
    peek = peek_at(records)
    text = proposed(peek, name, label)
    if isinstance(text, SourceError):
        assert len(str(text).splitlines()) == 2
        return
    source = yaml.safe_load(text)["sources"][0]
    assert source["from"] == label
    adapter = ADAPTER.validate_python(source["adapter"])
    assert set(wanted(adapter).columns) <= {*peek.columns, "messages"}
    check_fit(adapter, peek, Location("f"))
    text.encode()


def real_files(folder: Path) -> list[Path]:
    kinds = ("*.json", "*.jsonl", "*.jsonl.gz", "*.csv", "*.parquet")
    parts = ("medical", "math", "code", "sft", "eval")
    return sorted(path for part in parts for kind in kinds for path in (folder / part).glob(kind))


@pytest.mark.real_data
def test_every_real_file_gets_a_recipe_that_fits_or_an_error_that_helps(real_data: Path) -> None:
    files = real_files(real_data)
    assert len(files) == 40
    refused = set()
    for path in files:
        peek = peek_file(path)
        text = proposed(peek, path.stem, f"data/{path.name}")
        if isinstance(text, SourceError):
            assert text.fix
            refused.add(path.name)
            continue
        adapter = ADAPTER.validate_python(yaml.safe_load(text)["sources"][0]["adapter"])
        check_fit(adapter, peek, Location(path.name))
    assert refused == UNMAPPABLE


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("medical/medical_o1_zh_liver_filtered.json", "medical_o1"),
        ("math/numina_math_cot_1k.parquet", "numina_math_cot"),
        (
            "medical/qa_think_answer_en_01.jsonl",
            {"Question": "question", "Complex_CoT": "think", "Response": "answer"},
        ),
        (
            "sft/alpaca_zh_demo.json",
            {"Question": "{instruction}\n\n{input}", "Response": "output"},
        ),
        (
            "medical/delicate_medical_r1_val_format_think_zh_241.jsonl",
            {"Question": "input", "Response": "output", "system": "instruction"},
        ),
        (
            "eval/math500_test.jsonl",
            {
                "Question": "problem",
                "Complex_CoT": "solution",
                "Response": "answer",
                "answer": "answer",
            },
        ),
        (
            "sft/r1_distill_bangla_think_a.json",
            {
                "Question": "formated_question",
                "Complex_CoT": "reason",
                "Response": "gen_ans",
                "answer": "answer",
            },
        ),
    ],
)
def test_recognises_real_files(real_data: Path, path: str, expected: object) -> None:
    assert recipe_of(peek_file(real_data / path))["sources"][0]["adapter"] == expected
