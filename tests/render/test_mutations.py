"""Each way to break a rendered row is caught, by the name of the check that it is for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cotdata.render.opening import open_renderer
from cotdata.render.renderer import Renderer
from cotdata.render.settings import Render
from tests.render.rows import REASONING, many

FAMILIES = ("deepseek-r1-distill-qwen", "qwen3", "minimind")
Row = dict[str, Any]


@pytest.fixture(scope="module")
def models(request: pytest.FixtureRequest) -> dict[str, Renderer]:
    return {}


@pytest.fixture(params=["sample", *FAMILIES])
def renderer(
    request: pytest.FixtureRequest, models: dict[str, Renderer], tmp_path: Path
) -> Renderer:
    name = request.param
    if name not in models:
        is_sample = name == "sample"
        folder = tmp_path if is_sample else request.getfixturevalue("real_data") / "tokenizers"
        settings = Render(model=name, max_tokens=4096)
        models[name] = open_renderer(settings, folder, sample=is_sample)
    return models[name]


def rendered(renderer: Renderer) -> pl.DataFrame:
    rows = many(3)
    made = renderer.render(rows).rows
    assert made["reason"].null_count() == 3
    return pl.concat([rows, made.drop("reason", "evidence")], how="horizontal")


def retold(renderer: Renderer, row: Row, prompt: str, completion: str) -> Row:
    """Return a row with other texts, its ids and labels made of them as a careless tool would."""
    ids = renderer._prover.encode(pl.DataFrame({"prompt": [prompt], "completion": [completion]}))
    return row | {
        "prompt": prompt,
        "completion": completion,
        "text": prompt + completion,
        "input_ids": ids.flat.tolist(),
        "labels": ids.labels().tolist(),
        "n_tokens": len(ids.flat),
        "n_trained": int(ids.trained()[0]),
    }


def without_reasoning(renderer: Renderer, row: Row) -> Row:
    return retold(renderer, row, row["prompt"], row["completion"].replace(REASONING, ""))


def with_doubled_reasoning(renderer: Renderer, row: Row) -> Row:
    doubled = row["completion"].replace(REASONING, REASONING * 2)
    return retold(renderer, row, row["prompt"], doubled)


def with_reasoning_in_the_answer(renderer: Renderer, row: Row) -> Row:
    moved = row["completion"].replace(REASONING, "").replace("It is", REASONING + "It is")
    return retold(renderer, row, row["prompt"], moved)


def with_a_second_block(renderer: Renderer, row: Row) -> Row:
    between = renderer.verdict.between
    doubled = row["completion"].replace(between, between + between)
    return retold(renderer, row, row["prompt"], doubled)


def with_a_block_that_is_not_closed(renderer: Renderer, row: Row) -> Row:
    completion = row["completion"].replace(renderer.verdict.between, "\n\n")
    return retold(renderer, row, row["prompt"], completion)


def with_the_boundary_one_token_early(renderer: Renderer, row: Row) -> Row:
    first = row["labels"].count(-100) - 1
    labels = [*row["labels"]]
    labels[first] = row["input_ids"][first]
    return row | {"labels": labels, "n_trained": row["n_trained"] + 1}


def with_the_boundary_one_token_late(renderer: Renderer, row: Row) -> Row:
    first = row["labels"].count(-100)
    labels = [*row["labels"]]
    labels[first] = -100
    return row | {"labels": labels, "n_trained": row["n_trained"] - 1}


def with_a_hole_in_the_labels(renderer: Renderer, row: Row) -> Row:
    labels = [*row["labels"]]
    labels[-5] = -100
    return row | {"labels": labels}


def without_the_stop_token(renderer: Renderer, row: Row) -> Row:
    return row | {"input_ids": row["input_ids"][:-1], "labels": row["labels"][:-1]}


def without_the_stop_text(renderer: Renderer, row: Row) -> Row:
    completion = row["completion"].removesuffix(renderer.verdict.stop)
    return retold(renderer, row, row["prompt"], completion)


def with_a_cut_tail(renderer: Renderer, row: Row) -> Row:
    size = len(row["input_ids"]) - 12
    return row | {"input_ids": row["input_ids"][:size], "labels": row["labels"][:size]}


def with_nothing_trained(renderer: Renderer, row: Row) -> Row:
    return row | {"labels": [-100] * len(row["labels"])}


def with_another_prompt(renderer: Renderer, row: Row) -> Row:
    return retold(renderer, row, "You are helpful.\n" + row["prompt"], row["completion"])


def with_a_token_exchanged(renderer: Renderer, row: Row) -> Row:
    ids, labels = [*row["input_ids"]], [*row["labels"]]
    ids[-5] = labels[-5] = ids[-5] + 1
    return row | {"input_ids": ids, "labels": labels}


def with_another_answer(renderer: Renderer, row: Row) -> Row:
    completion = row["completion"].replace("That is all.", "That is not all.")
    return retold(renderer, row, row["prompt"], completion)


def with_a_stop_in_the_question(renderer: Renderer, row: Row) -> Row:
    question = row["Question"] + renderer.verdict.stop
    return row | {"Question": question}


def with_a_think_tag_in_the_question(renderer: Renderer, row: Row) -> Row:
    return row | {"Question": row["Question"] + "</think>"}


def with_labels_of_another_length(renderer: Renderer, row: Row) -> Row:
    return row | {"labels": row["labels"][1:]}


MUTATIONS: dict[Callable[[Renderer, Row], Row], str] = {
    without_reasoning: "reasoning",
    with_doubled_reasoning: "reasoning",
    with_reasoning_in_the_answer: "reasoning",
    with_a_second_block: "reasoning",
    with_a_block_that_is_not_closed: "reasoning",
    with_the_boundary_one_token_early: "trained_span",
    with_the_boundary_one_token_late: "trained_span",
    with_a_hole_in_the_labels: "trained_span",
    without_the_stop_token: "trained_span",
    without_the_stop_text: "trained_span",
    with_a_cut_tail: "trained_span",
    with_nothing_trained: "trained_span",
    with_another_prompt: "prompt",
    with_a_token_exchanged: "token_ids",
    with_another_answer: "round_trip",
    with_a_stop_in_the_question: "control_tokens",
    with_a_think_tag_in_the_question: "control_tokens",
    with_labels_of_another_length: "trained_span",
}


def test_rows_as_they_were_rendered_are_proven(renderer: Renderer) -> None:
    assert renderer.prove(rendered(renderer)).rows["reason"].null_count() == 3


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_broken_row_is_caught_by_name(
    mutation: Callable[[Renderer, Row], Row], renderer: Renderer
) -> None:
    whole = rendered(renderer)
    broken = mutation(renderer, whole.row(1, named=True))
    mutated = pl.DataFrame(
        [whole.row(0, named=True), broken, whole.row(2, named=True)], schema=whole.schema
    )
    found = renderer.prove(mutated).rows
    assert found["reason"].to_list() == [None, MUTATIONS[mutation], None]
    assert found["evidence"][1] is not None


def test_a_doubled_bos_is_caught_by_name(renderer: Renderer) -> None:
    bos = renderer._composer.bos
    whole = rendered(renderer)
    row = whole.row(1, named=True)
    if bos is None or not row["prompt"].startswith(bos):
        pytest.skip("this template writes no beginning of sequence")
    bos_id = row["input_ids"][0]
    broken = row | {
        "input_ids": [bos_id, *row["input_ids"]],
        "labels": [-100, *row["labels"]],
        "n_tokens": row["n_tokens"] + 1,
    }
    mutated = pl.DataFrame([whole.row(0, named=True), broken], schema=whole.schema)
    assert renderer.prove(mutated).rows["reason"].to_list() == [None, "bos"]
