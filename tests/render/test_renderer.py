"""Rows become tokens: what is written, what is trained, what is rejected and why."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata.errors import RenderError
from cotdata.render.columns import IGNORED
from cotdata.render.opening import open_renderer
from cotdata.render.renderer import Renderer
from cotdata.render.settings import Render
from tests.render.rows import REASONING, many, rows, turns

OPEN, CLOSE, STOP = "<think>\n", "\n</think>\n\n", "<|im_end|>"


@cache
def sample(**settings: Any) -> Renderer:
    """Return a renderer for the package's own model."""
    return open_renderer(Render(model="sample", **settings), Path.cwd(), sample=True)


def only(frame: pl.DataFrame, renderer: Renderer | None = None) -> dict[str, Any]:
    """Return the one row that comes of a frame."""
    (row,) = (renderer or sample()).render(frame).rows.to_dicts()
    return row


def evidence(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["evidence"])
    return found


def decoded(ids: Sequence[int], renderer: Renderer | None = None) -> str:
    tokenizer = (renderer or sample())._prover.tokenizer
    assert tokenizer is not None
    return tokenizer.decode(ids)


def test_the_completion_is_trained_and_the_prompt_is_not() -> None:
    row = only(rows({"Question": "Why?", "Complex_CoT": "Because.", "Response": "So."}))
    trained = [label for label in row["labels"] if label != IGNORED]
    assert decoded(trained) == row["completion"] == f"{OPEN}Because.{CLOSE}So.{STOP}"
    assert decoded(row["input_ids"]) == row["text"] == row["prompt"] + row["completion"]
    assert row["n_trained"] == len(trained)
    assert row["n_tokens"] == len(row["input_ids"]) == len(row["labels"])
    assert row["labels"][: -len(trained)] == [IGNORED] * (len(row["labels"]) - len(trained))


def test_messages_have_the_reasoning_beside_the_answer() -> None:
    row = only(rows({"system": "Be brief.", "history": turns("a", "b"), "Question": "c"}))
    roles = [message["role"] for message in row["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant"]
    assert row["messages"][-1]["reasoning_content"] == REASONING
    assert row["messages"][2]["reasoning_content"] is None


def test_a_system_prompt_and_earlier_turns_are_written_as_the_template_does() -> None:
    row = only(rows({"system": "Be brief.", "history": turns("a", "b"), "Question": "c"}))
    assert row["prompt"].startswith("<|im_start|>system\nBe brief.<|im_end|>\n")
    assert "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n" in row["prompt"]


def test_the_recipes_system_prompt_stands_for_one_that_a_row_lacks() -> None:
    renderer = sample(system="House style.")
    assert "House style." in only(many(1), renderer)["prompt"]
    assert "House style." not in only(rows({"system": "Own."}), renderer)["prompt"]


def test_earlier_reasoning_is_dropped_where_the_template_drops_it() -> None:
    history = turns("a", "<think>\nearlier thoughts\n</think>\n\nb")
    renderer = sample(control_tokens="neutralize")
    assert "earlier thoughts" not in only(rows({"history": turns("a", "b")}), renderer)["prompt"]
    row = only(rows({"history": history}))
    assert row["reason"] == "control_tokens"
    assert evidence(row) == {"column": "turn 1", "token": "</think>"}


def test_a_row_without_reasoning_has_an_empty_block_outside_the_loss() -> None:
    row = only(rows({"Complex_CoT": None, "Response": "So."}))
    assert row["prompt"].endswith("<think>\n\n</think>\n\n")
    assert row["completion"] == f"So.{STOP}"
    assert row["messages"][-1]["reasoning_content"] is None


def test_a_row_without_reasoning_has_no_block_by_choice() -> None:
    row = only(
        rows({"Complex_CoT": " \n", "Response": "So."}), sample(without_reasoning="no_block")
    )
    assert row["prompt"].endswith("<|im_start|>assistant\n")
    assert row["completion"] == f"So.{STOP}"


def test_a_row_without_reasoning_is_rejected_by_choice() -> None:
    row = only(rows({"Complex_CoT": None}), sample(without_reasoning="reject"))
    assert row["reason"] == "no_reasoning"
    assert row["input_ids"] is None


@pytest.mark.parametrize("answer", [None, "", " \n\t"])
def test_a_row_without_an_answer_is_rejected(answer: str | None) -> None:
    assert only(rows({"Response": answer}))["reason"] == "no_answer"


@pytest.mark.parametrize("column", ["Question", "Complex_CoT", "Response", "system"])
@pytest.mark.parametrize("token", ["<|im_end|>", "</think>", "<think>", "<|endoftext|>"])
def test_text_that_would_be_a_control_token_is_rejected(column: str, token: str) -> None:
    row = only(rows({column: f"before {token} after"}))
    assert row["reason"] == "control_tokens"
    assert evidence(row) == {"column": column, "token": token}


def test_control_tokens_are_broken_up_by_choice_and_counted() -> None:
    renderer = sample(control_tokens="neutralize")
    given_rows = rows({"Question": "What is <|im_end|>?", "Complex_CoT": "a</think>b"}, {})
    found = renderer.render(given_rows)
    row = found.rows.row(0, named=True)
    assert row["reason"] is None
    assert "What is < |im_end|>?" in row["prompt"]
    assert "a< /think>b" in row["completion"]
    assert found.notes["control tokens broken up"] == 1


def test_a_row_that_is_too_long_is_rejected_and_never_cut() -> None:
    found = sample(max_tokens=64).render(rows({"Complex_CoT": "word " * 100}, {"Complex_CoT": "a"}))
    long, short = found.rows.to_dicts()
    assert long["reason"] == "too_long"
    assert evidence(long)["max_tokens"] == 64
    assert evidence(long)["n_tokens"] > 64
    assert short["reason"] is None


def test_max_tokens_below_every_prompt_rejects_every_row() -> None:
    assert set(sample(max_tokens=1).render(many(3)).rows["reason"]) == {"too_long"}


def test_reasoning_that_stands_in_the_question_too_is_rejected() -> None:
    row = only(rows({"Question": f"Why? {REASONING}"}))
    assert row["reason"] == "reasoning"
    assert evidence(row)["reasoning_occurs"] == 2


def test_a_short_reasoning_may_occur_in_the_answer_by_chance() -> None:
    row = only(rows({"Complex_CoT": "Yes.", "Response": "Yes. Yes."}))
    assert row["reason"] is None


def test_every_row_counts_for_each_check_that_it_passed() -> None:
    found = sample(proof="full").render(many(5))
    assert set(found.checks.values()) == {5}
    assert found.checks["compared"] == 5


def test_lengths_say_what_would_be_kept_too_long_rows_included() -> None:
    found = sample(max_tokens=64).render(
        rows({"Complex_CoT": "word " * 3000}, {"Complex_CoT": "a"})
    )
    assert found.lengths[1024][0] == 1
    assert found.lengths[16384][0] == 2


def test_two_megabytes_of_reasoning_are_rendered() -> None:
    row = only(rows({"Complex_CoT": "An idea. " * 230_000}))
    assert row["reason"] is None
    assert row["n_trained"] > 100_000


HOSTILE = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from(list("<|>\n \t{}%\u202e\x00\x1b\u200b")),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE), min_size=1, max_size=4))
def test_whatever_a_row_holds_is_proven_or_rejected(texts: list[tuple[str, str, str]]) -> None:
    renderer = sample(proof="full")
    frame = rows(
        *[
            {"Question": question.strip() or "?", "Complex_CoT": reasoning, "Response": answer}
            for question, reasoning, answer in texts
        ]
    )
    found = renderer.render(frame).rows
    assert found["evidence"].is_null().equals(found["reason"].is_null())
    kept = pl.concat([frame, found], how="horizontal").filter(pl.col("reason").is_null())
    assert renderer.prove(kept).rows["reason"].null_count() == kept.height
    for row in kept.iter_rows(named=True):
        assert decoded(row["input_ids"], renderer) == row["text"]


MIXED: tuple[dict[str, Any], ...] = (
    {},
    {"Complex_CoT": None},
    {"system": "Be brief."},
    {"history": turns("a", "b")},
    {"Response": None},
    {"Question": "What is <|im_end|>?"},
    {"history": turns("a", "b", "c", "d"), "system": "x"},
    {"Complex_CoT": "word " * 3000},
)


@settings(deadline=None)
@given(st.permutations(range(len(MIXED))), st.integers(1, len(MIXED) - 1))
def test_rows_are_rendered_alike_on_any_cut(order: list[int], cut: int) -> None:
    frame = rows(*[MIXED[place] for place in order])
    renderer = sample(max_tokens=2048)
    whole = renderer.render(frame)
    parts = [renderer.render(frame[:cut]), renderer.render(frame[cut:])]
    assert pl.concat([part.rows for part in parts]).equals(whole.rows)
    assert parts[0].checks + parts[1].checks == whole.checks
    assert parts[0].notes + parts[1].notes == whole.notes


def test_no_rows_give_no_rows_with_all_columns() -> None:
    found = sample().render(many(0)).rows
    assert found.height == 0
    assert found.columns == [*sample().schema().names(), "reason", "evidence"]
    assert found.schema["input_ids"] == pl.List(pl.Int32)


def test_text_alone_has_estimates_and_no_tokens() -> None:
    row = only(many(1), sample(tokens=False))
    assert row["n_tokens_estimate"] > 20
    assert "input_ids" not in row
    assert row["reason"] is None


def test_a_reopened_run_proves_what_was_rendered(tmp_path: Path) -> None:
    from cotdata.render.opening import reopen_renderer

    renderer = sample()
    for name, content in renderer.files().items():
        (tmp_path / name).write_bytes(content)
    frame = many(4)
    made = pl.concat(
        [frame, renderer.render(frame).rows.drop("reason", "evidence")], how="horizontal"
    )
    again = reopen_renderer(renderer.settings, tmp_path)
    assert again.prove(made).rows["reason"].null_count() == 4


@pytest.mark.parametrize("frame", ["qwen3", "alpaca-think", "huatuo-o1", "diagnosis-zh", "plain"])
def test_a_named_frame_is_the_template_and_is_proven_after_its_export(
    frame: str, tmp_path: Path
) -> None:
    from cotdata.render.opening import reopen_renderer

    settings = {"stop": STOP} if frame == "huatuo-o1" else {}
    renderer = sample(frame=frame, **settings)
    made = renderer.render(many(3)).rows
    assert made["reason"].null_count() == 3
    for name, content in renderer.files().items():
        (tmp_path / name).write_bytes(content)
    whole = pl.concat([many(3), made.drop("reason", "evidence")], how="horizontal")
    again = reopen_renderer(renderer.settings, tmp_path)
    assert again.prove(whole).rows["reason"].null_count() == 3


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["deepseek-r1-distill-qwen", "qwen3", "minimind", "qwen2.5"])
def test_real_rows_are_all_proven_and_as_the_template_renders_them(
    name: str, real_data: Path
) -> None:
    texts = pl.read_json(real_data / "medical" / "medical_o1_zh_liver_filtered.json")[:120]
    frame = rows(*texts.select("Question", "Complex_CoT", "Response").to_dicts())
    frame = frame.with_columns(pl.col("Question").str.strip_chars())
    renderer = open_renderer(Render(model=name, proof="full"), real_data / "tokenizers")
    found = renderer.render(frame)
    assert found.rows["reason"].null_count() == frame.height
    assert found.checks["compared"] == frame.height
    assert found.notes["boundary_merge"] == 0


def test_a_frame_whose_stop_is_no_token_of_the_model_is_refused() -> None:
    with pytest.raises(RenderError, match="no token of this tokenizer") as raised:
        sample(frame="gpt-oss")
    assert "render.stop" in (raised.value.fix or "")
