import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.sources.adapters.boxed import LOOKS, last_box


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (r"so $\boxed{5}$.", "5"),
        (r"\boxed 5", "5"),
        (r"\boxed 52 apples", "52"),
        (r"$\boxed 3.5$", "3.5"),
        (r"\boxed -7", "-7"),
        (r"\boxed\frac{1}{2}$", r"\frac{1}{2}"),
        (r"\boxed{\frac{1}{\sqrt{2}}}", r"\frac{1}{\sqrt{2}}"),
        (r"\boxed{ 3 \frac{5}{6}}", r"3 \frac{5}{6}"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{\{x | x > 0}", r"\{x | x > 0"),
        (r"\boxed{a \\{b} c}", r"a \\{b} c"),
        ("\\boxed\n{5}", "5"),
        (r"\fbox{B}", "B"),
        (r"\boxed{1} or \fbox{2}", "2"),
        (r"\fbox{1} or \boxed{2}", "2"),
        (r"\boxed{The answer is \(\boxed{B}\).}", "B"),
        (r"\boxed{a{b{c{d{e{f{g}}}}}}}", "a{b{c{d{e{f{g}}}}}}"),
        (r"\boxed{七}", "七"),
    ],
)
def test_reads_what_stands_in_the_last_box(text: str, content: str) -> None:
    box = last_box(text)
    assert box is not None
    assert box.content == content
    assert content in text[box.start : box.end]
    assert not box.passed_over


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no box",
        r"\boxed{}",
        r"\boxed{  }",
        r"\boxed{5",
        r"\boxedx{5}",
        r"\boxed",
        r"\boxed = 4",
    ],
)
def test_finds_no_answer_where_there_is_none(text: str) -> None:
    assert last_box(text) is None


@pytest.mark.parametrize("tail", [r" QED \boxed{}", r" and \boxed{6", r"\boxed\textit\)"])
def test_passes_over_a_later_box_that_holds_nothing(tail: str) -> None:
    box = last_box(r"\boxed{5}" + tail)
    assert box is not None
    assert (box.content, box.passed_over) == ("5", True)


def test_does_not_read_a_hostile_text_over_and_over() -> None:
    started = time.process_time()
    assert last_box(r"\boxed{5}" + r"\boxed{" * 50_000) is None
    assert last_box(r"\boxed{5}" + r"\boxed{" * (LOOKS - 1)) is not None
    assert time.process_time() - started < 2


nested = st.recursive(
    st.text(alphabet="ab1 +\\{}", max_size=4).map(
        lambda text: text.replace("\\", r"\\").replace("{", r"\{").replace("}", r"\}")
    ),
    lambda inner: st.lists(inner, max_size=3).map(lambda parts: "{" + "".join(parts) + "}"),
    max_leaves=12,
)


@given(content=nested, before=st.text(max_size=20), after=st.text(alphabet="} ax", max_size=5))
def test_content_goes_up_to_the_brace_that_balances(content: str, before: str, after: str) -> None:
    box = last_box(before + r"\boxed{" + content + "}" + after)
    if content.strip():
        assert box is not None
        assert box.content == content.strip()
        assert box.start == len(before)
