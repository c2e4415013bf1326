"""What of a rendered row is prompt, reasoning, answer and stop token, and what of it is trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata.render.columns import IGNORED
from cotdata.render.view import Form, Span, spans, view_row

STOP = "<|im_end|>"
R1 = Form.of(f"{{Complex_CoT}}\n</think>\n\n{{Response}}{STOP}", STOP)
QWEN = Form.of(f"<think>\n{{Complex_CoT}}\n</think>\n\n{{Response}}{STOP}", STOP)


def row(prompt: str, completion: str, reasoning: str | None = None) -> dict[str, Any]:
    return {
        "row_id": "a:0",
        "origin": "a.jsonl:1",
        "Complex_CoT": reasoning,
        "prompt": prompt,
        "completion": completion,
    }


def in_bytes(rendered: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose every byte is a token."""
    prompt, completion = rendered["prompt"].encode(), rendered["completion"].encode()
    labels = [IGNORED] * len(prompt) + list(completion)
    return rendered | {"input_ids": list(prompt + completion), "labels": labels}


def from_bytes(ids: list[int]) -> str:
    return bytes(ids).decode("utf-8", "replace")


def shown(found: tuple[Span, ...]) -> list[tuple[str, str]]:
    return [(span.part, span.text) for span in found]


def test_a_form_is_read_as_the_manifest_writes_it() -> None:
    assert R1 == ("", "\n</think>\n\n", "", STOP)
    assert QWEN == ("<think>\n", "\n</think>\n\n", "", STOP)
    own = "Think: {Complex_CoT}\nAnswer: {Response}\n###</s>"
    assert Form.of(own, "</s>") == ("Think: ", "\nAnswer: ", "\n###", "</s>")
    assert Form.of("{Response}</s>", "</s>") == ("", "", "", "</s>")


def test_a_row_is_divided_into_its_parts() -> None:
    rendered = row("<user>Why?<assistant>", f"<think>\nhm\n</think>\n\nSo.{STOP}", "hm")
    assert shown(spans(rendered, QWEN)) == [
        ("prompt", "<user>Why?<assistant>"),
        ("frame", "<think>\n"),
        ("reasoning", "hm"),
        ("frame", "\n</think>\n\n"),
        ("answer", "So."),
        ("stop", STOP),
    ]


def test_the_prompt_is_not_trained_and_the_completion_is() -> None:
    found = spans(in_bytes(row("ask", f"hm\n</think>\n\nSo.{STOP}", "hm")), R1, from_bytes)
    assert [span.is_trained for span in found] == [False, True, True, True, True]
    assert [span.tokens for span in found] == [3, 2, 11, 3, 10]


def test_a_row_without_reasoning_is_all_answer() -> None:
    assert shown(spans(row("ask", f"So.{STOP}"), R1)) == [
        ("prompt", "ask"),
        ("answer", "So."),
        ("stop", STOP),
    ]


def test_an_empty_block_is_frame() -> None:
    found = spans(row("ask", f"<think>\n\n</think>\n\nSo.{STOP}"), QWEN)
    assert shown(found)[1:] == [
        ("frame", "<think>\n\n</think>\n\n"),
        ("answer", "So."),
        ("stop", STOP),
    ]


def test_an_empty_block_outside_the_loss_is_a_span_of_its_own() -> None:
    rendered = in_bytes(row("ask", f"<think>\n\n</think>\n\nSo.{STOP}"))
    labels = rendered["labels"]
    rendered["labels"] = [IGNORED] * (len(labels) - 13) + labels[-13:]
    found = spans(rendered, QWEN, from_bytes)
    assert [(span.part, span.is_trained) for span in found] == [
        ("prompt", False),
        ("frame", False),
        ("answer", True),
        ("stop", True),
    ]


def test_reasoning_that_holds_its_own_closing_is_found_whole() -> None:
    reasoning = "one\n</think>\n\ntwo"
    found = spans(row("ask", f"{reasoning}\n</think>\n\nSo.{STOP}", reasoning), R1)
    assert shown(found)[1:3] == [("reasoning", reasoning), ("frame", "\n</think>\n\n")]


def test_reasoning_that_was_changed_is_found_by_the_form() -> None:
    found = spans(row("ask", f"a < |x|>\n</think>\n\nSo.{STOP}", "a <|x|>"), R1)
    assert shown(found)[1] == ("reasoning", "a < |x|>")


def test_what_has_not_the_form_is_answer() -> None:
    assert shown(spans(row("ask", "cut off", "hm"), QWEN)) == [
        ("prompt", "ask"),
        ("answer", "cut off"),
    ]


def test_tokens_are_shown_where_they_disagree_with_the_text() -> None:
    rendered = in_bytes(row("ask", f"hm\n</think>\n\nSo.{STOP}", "hm"))
    rendered |= {"prompt": "asked", "completion": "x"}
    assert "".join(span.text for span in spans(rendered, R1, from_bytes)).startswith("askhm")
    assert shown(spans(rendered, R1, from_bytes))[:2] == [("prompt", "ask"), ("reasoning", "hm")]
    assert not view_row(rendered, R1, from_bytes).is_as_text


def test_a_row_of_which_nothing_is_trained_is_all_prompt() -> None:
    rendered = in_bytes(row("ask", "So."))
    rendered |= {"prompt": "other", "labels": [IGNORED] * 6}
    assert spans(rendered, R1, from_bytes) == (Span("askSo.", "prompt", False, 6),)


def test_a_character_of_several_tokens_is_shown_whole() -> None:
    rendered = in_bytes(row("问", f"想😀\n</think>\n\n答\ufffd{STOP}", "想😀"))
    found = spans(rendered, R1, from_bytes)
    assert shown(found)[:2] == [("prompt", "问"), ("reasoning", "想😀")]
    assert [span.tokens for span in found][:2] == [3, 7]
    assert view_row(rendered, R1, from_bytes).is_as_text


def test_a_token_across_a_boundary_counts_where_it_begins() -> None:
    texts = ["ask", "hm\n", "</think>\n\n", "So.", STOP]
    rendered = row("ask", "".join(texts[1:]), "hm")
    rendered |= {"input_ids": list(range(5)), "labels": [IGNORED, 1, 2, 3, 4]}
    found = spans(rendered, R1, lambda ids: "".join(texts[place] for place in ids))
    assert shown(found)[1:3] == [("reasoning", "hm"), ("frame", "\n</think>\n\n")]
    assert [span.tokens for span in found] == [1, 1, 1, 1, 1]


def test_a_blank_that_decoding_drops_at_the_start_is_kept_elsewhere() -> None:
    words = ["▁ask", "▁hm", "\n</think>\n\n", "So", "▁far", STOP]

    def decode(ids: list[int]) -> str:
        return "".join(words[place] for place in ids).replace("▁", " ").removeprefix(" ")

    rendered = row("ask", f" hm\n</think>\n\nSo far{STOP}", "hm")
    rendered |= {"input_ids": list(range(6)), "labels": [IGNORED, 1, 2, 3, 4, 5]}
    assert view_row(rendered, R1, decode).is_as_text
    assert "".join(span.text for span in spans(rendered, R1, decode)) == (
        rendered["prompt"] + rendered["completion"]
    )


def test_a_view_counts_tokens() -> None:
    view = view_row(in_bytes(row("ask", f"So.{STOP}")), R1, from_bytes)
    assert (view.row_id, view.tokens, view.trained, view.is_from_tokens) == ("a:0", 16, 13, True)


def test_a_row_without_tokens_is_shown_from_its_text() -> None:
    view = view_row(row("ask", f"So.{STOP}"), R1, from_bytes)
    assert (view.tokens, view.trained, view.is_from_tokens, view.is_as_text) == (
        None,
        None,
        False,
        True,
    )
    assert [span.tokens for span in view.spans] == [None] * 3


def test_a_row_of_nothing_has_no_spans() -> None:
    assert spans(row("", ""), R1) == ()
    assert spans(in_bytes(row("", "")), R1, from_bytes) == ()


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FORMS = st.builds(Form, TEXTS, TEXTS, TEXTS, TEXTS)


@settings(deadline=None)
@given(TEXTS, TEXTS, st.none() | TEXTS, FORMS)
def test_spans_are_all_of_the_row_whatever_it_holds(
    prompt: str, completion: str, reasoning: str | None, form: Form
) -> None:
    rendered = row(prompt, completion, reasoning)
    for found in (spans(rendered, form), spans(in_bytes(rendered), form, from_bytes)):
        assert "".join(span.text for span in found) == prompt + completion
        assert "".join(span.text for span in found if not span.is_trained) == prompt


@settings(deadline=None)
@given(TEXTS, TEXTS, st.none() | TEXTS, FORMS)
def test_every_token_is_counted_once(
    prompt: str, completion: str, reasoning: str | None, form: Form
) -> None:
    rendered = in_bytes(row(prompt, completion, reasoning))
    found = spans(rendered, form, from_bytes)
    assert sum(span.tokens or 0 for span in found) == len(rendered["input_ids"])
    trained = sum(span.tokens or 0 for span in found if span.is_trained)
    assert trained == len(completion.encode())


@settings(deadline=None)
@given(TEXTS, TEXTS, TEXTS, FORMS)
def test_a_row_that_has_the_form_is_divided_as_it_was_put_together(
    prompt: str, reasoning: str, answer: str, form: Form
) -> None:
    form = form._replace(between=f"{form.between}</think>")
    completion = f"{form.before}{reasoning}{form.between}{answer}{form.after}{form.stop}"
    found = spans(row(prompt, completion, reasoning), form)
    by_part = {part: "".join(span.text for span in found if span.part == part)
               for part in ("prompt", "reasoning", "stop")}  # fmt: skip
    assert by_part["prompt"] == prompt
    assert by_part["stop"] == form.stop
    assert by_part["reasoning"].strip() == reasoning.strip()


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["qwen3", "llama3", "minimind", "deepseek-r1-distill-qwen"])
def test_real_tokenizers_read_back_whole_characters(real_data: Path, name: str) -> None:
    decode, encode = tokenizer(real_data / "tokenizers" / name)
    prompt, reasoning = "患者：头痛三天 👩‍⚕️。", "先想 𠮷野家 🫀, é and e\u0301…\n\nthen"
    completion = f"{reasoning}\n</think>\n\n答案：肝硬化。{STOP}"
    ids = [encode(prompt), encode(completion)]
    rendered = row(prompt, completion, reasoning)
    rendered |= {"input_ids": ids[0] + ids[1], "labels": [IGNORED] * len(ids[0]) + ids[1]}
    view = view_row(rendered, R1, decode)
    assert view.is_as_text
    assert [span.part for span in view.spans] == ["prompt", "reasoning", "frame", "answer", "stop"]
    text = "".join(span.text for span in view.spans)
    assert text == decode(rendered["input_ids"])
    assert normalize("NFC", text) == normalize("NFC", prompt + completion)
    assert sum(span.tokens or 0 for span in view.spans) == len(ids[0] + ids[1])


def tokenizer(folder: Path) -> tuple[Callable[[list[int]], str], Callable[[str], list[int]]]:
    library = pytest.importorskip("tokenizers").Tokenizer.from_file(str(folder / "tokenizer.json"))

    def decode(ids: list[int]) -> str:
        return str(library.decode(ids, skip_special_tokens=False))

    def encode(text: str) -> list[int]:
        return list(library.encode(text, add_special_tokens=False).ids)

    return decode, encode
