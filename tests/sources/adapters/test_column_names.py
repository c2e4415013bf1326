import pytest

from cotdata.sources.adapters.column_names import listed, match_columns, nearest
from tests.sources.peeks import peek_at

LONG = "a worked solution " * 10


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"question": "q", "think": "t", "answer": LONG}, "Question Complex_CoT Response"),
        ({"prompt": "q", "answer": "42"}, "Question Response answer"),
        ({"prompt": "q", "answer": LONG}, "Question Response"),
        ({"problem": "q", "solution": LONG, "answer": "4"}, "Question Complex_CoT Response answer"),
        ({"input": "q", "output": "r"}, "Question Response"),
        ({"query": "q", "response": "r"}, "Question Response"),
        ({"input": "q", "reasoning_content": "t", "content": "r"}, "Question Complex_CoT Response"),
        ({"Open-ended Verifiable Question": "q", "Ground-True Answer": "a"}, "Question answer"),
        ({"problem_id": "1", "input_output": "{}"}, ""),
        ({"question": "q", "context": "c", "answer_idx": "B", "solutions": "[]"}, "Question"),
        ({"question": "q", "gt_answer": None}, "Question"),
        ({"question": ["q"], "answer": "a"}, "Response answer"),
        ({"question": 3}, ""),
        ({"conversations": [{}]}, ""),
        ({"__rest__": "q", "": "r"}, ""),
    ],
)
def test_guesses_from_names(record: dict[str, object], expected: str) -> None:
    assert list(match_columns(peek_at([record, record]))) == expected.split()


def test_alpaca_becomes_a_template() -> None:
    records = [{"instruction": f"do {n}", "input": "x", "output": "y"} for n in range(2)]
    found = match_columns(peek_at(records))
    assert found["Question"].value == "{instruction}\n\n{input}"
    assert found["Question"].columns == ("instruction", "input")
    assert found["Response"].value == "output"


def test_one_instruction_for_all_is_a_system_prompt() -> None:
    records = [{"instruction": "Be kind.", "input": f"q{n}", "output": "y"} for n in range(2)]
    found = match_columns(peek_at(records))
    assert (found["system"].value, found["Question"].value) == ("instruction", "input")


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ("Qestion", "the name, close to `question`"),
        ("patient_question", "the name ends in `question`"),
        ("QUESTION", "the name"),
    ],
)
def test_says_why(column: str, why: str) -> None:
    found = match_columns(peek_at([{"id": "1", column: "q"}]))["Question"]
    assert (found.value, found.why) == (column, why)


def test_a_column_is_not_used_for_two_things_but_the_answer() -> None:
    found = match_columns(
        peek_at([{"question": "q", "reason": "c", "gen_ans": "r", "answer": "B"}])
    )
    columns = [match.columns for match in found.values()]
    assert len(set(columns)) == len(columns) == 4


def test_braces_in_a_name_are_doubled() -> None:
    assert match_columns(peek_at([{"{question}": "q"}]))["Question"].value == "{{question}}"


def test_nearest_finds_slips_and_beginnings() -> None:
    assert nearest("RESPONSE", ["Question", "Response"]) == "Response"
    assert nearest("numina", ["numina_math_cot"]) == "numina_math_cot"
    assert nearest("xyz", ["Question"]) is None


def test_long_lists_are_cut_and_counted() -> None:
    assert listed([]) == "none"
    assert listed("abc", most=2) == "`a`, `b` and 1 more"
