import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.sources.adapters import statement
from cotdata.sources.adapters.boxed import last_box
from cotdata.sources.adapters.statement import statement_around


def statement_of(text: str) -> str:
    box = last_box(text)
    assert box is not None
    first, last = statement_around(text, box.start, box.end)
    assert first <= box.start
    assert box.end <= last
    return text[first:last]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"We add. So the answer is $\boxed{5}$.", r"So the answer is $\boxed{5}$."),
        (r"The answer is $\boxed{5}$. This tests sums.", r"The answer is $\boxed{5}$."),
        (r"Mrs. Lee has $\boxed{5}$ cats.", r"Mrs. Lee has $\boxed{5}$ cats."),
        (r"It is approx. five, i.e. $\boxed{5}$.", r"It is approx. five, i.e. $\boxed{5}$."),
        (r"It costs 3.50 each. So $\boxed{7.0}$.", r"So $\boxed{7.0}$."),
        (r"Is it so? Yes! It is $\boxed{5}$", r"It is $\boxed{5}$"),
        (r"因此成立。答案是$\boxed{5}$。谢谢。", r"答案是$\boxed{5}$。"),
        (r'He said "stop." Then $\boxed{5}$.', r"Then $\boxed{5}$."),
        (r"**Thus we are done.** So $\boxed{5}$", r"So $\boxed{5}$"),
        (r"One $x=5.$ Then $y=\boxed{6}.$ Next.", r"Then $y=\boxed{6}.$"),
        (r"See Fig. 3 and No. 4: $\boxed{5}$", r"See Fig. 3 and No. 4: $\boxed{5}$"),
    ],
)
def test_takes_the_sentence(text: str, expected: str) -> None:
    assert statement_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        r"$x = 5. Then \boxed{6}. Next$",
        "\\[ a. B \\\\[2pt]\n C = \\boxed{5}. D \\]",
        r"\( A. B = \boxed{5} \)",
        "$$\nA. B\n= \\boxed{5}. C\n$$",
        "\\begin{align*}\na &= 1. \\\\\nB &= \\boxed{5}.\n\\end{align*}",
        "\\begin{cases} A. B \\end{cases} $\\boxed{5}$",
    ],
)
def test_never_cuts_inside_mathematics(text: str) -> None:
    assert statement_of(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It has $20 left. So $\\boxed{5}$ remain.", "So $\\boxed{5}$ remain."),
        ("From $5 to $6. So he paid $\\boxed{\\$1}$ more.", "So he paid $\\boxed{\\$1}$ more."),
        ("We get $ x. Y $ here. So $ \\boxed{5} $.", "So $ \\boxed{5} $."),
    ],
)
def test_prices_are_not_mathematics(text: str, expected: str) -> None:
    assert statement_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Some text.\n\nThe answer:\n\\[\n\\boxed{5}\n\\]", "The answer:\n\\[\n\\boxed{5}\n\\]"),
        ("All. The values are:\n\n\\[ \\boxed{5} \\]", "The values are:\n\n\\[ \\boxed{5} \\]"),
        ("All is shown.\n\n\\[ \\boxed{5} \\]", "\\[ \\boxed{5} \\]"),
        ("### Conclusion:\n\n\\[ \\boxed{5} \\]", "\\[ \\boxed{5} \\]"),
        ("# Answer\nIt is $\\boxed{5}$", "It is $\\boxed{5}$"),
        ("5. **Conclusion:** It is $\\boxed{5}$", "**Conclusion:** It is $\\boxed{5}$"),
        ("Either:\n- one is $4$\n- two is $\\boxed{5}$", "two is $\\boxed{5}$"),
        ("F = 5\nThus Fred has $\\boxed{5}$", "Thus Fred has $\\boxed{5}$"),
        ("so we have that\n$x$ is $\\boxed{5}$", "so we have that\n$x$ is $\\boxed{5}$"),
        ("\\[ a = 4 \\]\n\\[ b = \\boxed{5} \\]", "\\[ b = \\boxed{5} \\]"),
        ("We get\n\\[ a \\]\n\\[ = \\boxed{5} \\]", "We get\n\\[ a \\]\n\\[ = \\boxed{5} \\]"),
        ("So\n\\[ \\boxed{5} \\]\n\\[ c = 3 \\]", "So\n\\[ \\boxed{5} \\]"),
        ("It is so:\n\\[\n\n\\boxed{5}\n\n\\]\n\nEnd.", "It is so:\n\\[\n\n\\boxed{5}\n\n\\]"),
        ("One.\n \t\nIt is $\\boxed{5}$ .\n\n", "It is $\\boxed{5}$ ."),
    ],
)
def test_takes_lines_that_belong_together(text: str, expected: str) -> None:
    assert statement_of(text) == expected


def test_takes_the_whole_block_where_a_cut_would_unbalance_it() -> None:
    text = r"Let \[ a = 1. So $\boxed{5}$. Then \] it ends"
    assert statement_of(text) == text


@pytest.mark.parametrize(
    "piece", ["\\[ ", "\\( ", "$ ", "$a ", "$$ ", "\\begin{a} ", "x. Y ", "\n a"]
)
def test_reads_a_hostile_text_in_bounded_time(piece: str) -> None:
    text = piece * 100_000
    started = time.process_time()
    statement_of(text + r"$\boxed{5}$" + text)
    assert time.process_time() - started < 5


pieces = st.lists(
    st.sampled_from(
        [
            ". ",
            "A",
            "b ",
            "$x$ ",
            "$",
            "$$",
            "\n",
            "\n\n",
            "\\[",
            "\\]",
            "\\(",
            "\\)",
            ": ",
            "5",
            "! ",
            "\\begin{align}",
            "\\end{align}",
            "- ",
            "# ",
            "\\\\",
            "\\$",
            "Mrs. ",
            "。",
            "\\[ x. Y \\] ",
        ]
    ),
    max_size=14,
).map("".join)


@given(before=pieces, after=pieces)
def test_holds_the_box_and_no_outer_blanks(before: str, after: str) -> None:
    text = before + r"\boxed{5}" + after
    found = statement_of(text)
    assert r"\boxed{5}" in found
    assert found in text
    assert found == found.strip()


@given(before=pieces, after=pieces)
def test_the_short_way_agrees_with_reading_by_tokens(before: str, after: str) -> None:
    text = before + r"\boxed{5}" + after
    short = statement_of(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statement, "_is_one_sentence", lambda *_: False)
        assert statement_of(text) == short
