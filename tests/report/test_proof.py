"""What the report says of a rendering: the proof, the tokens, and rows as they are trained."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cotdata.errors import SourceError
from cotdata.manifest import Evidence, Manifest, PackingRecord
from cotdata.render.columns import IGNORED, TOKEN_COLUMNS
from cotdata.render.proof import CHECKS, REASONS
from cotdata.render.view import RowView, Span
from cotdata.report import Examples, collect_examples, collect_rendered, render_report
from cotdata.report.meanings import stage_meaning
from cotdata.report.proof import FORM_CHARS, pieces, proof, settings_text
from cotdata.report.rendered import MIDDLE_CHARS, WHOLE_CHARS, shown_row
from cotdata.report.text import visible
from cotdata.report.token_lengths import token_lengths
from cotdata.row import ROW_SCHEMA
from tests.report.factory import medical, medical_examples, rendered_medical, rendered_views
from tests.report.page import Page
from tests.report.test_style import contrast, palettes

HOSTILE = (
    "<script>alert(1)</script>\"' onload=x ",
    "</style></title></dd></section><img src=http://evil.example/x.png>",
    "{{ 7 * 7 }}{% raw %}{# #}&lt;&#60;<!-- --><![CDATA[",
    "\x00\x1b[31m\u202e\u2066\ufeff\ufffe",
    "{Question}<b>{Response}",
)


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_report(rendered_medical(), medical_examples(), rendered_views()))


def with_record(**update: Any) -> Manifest:
    run = rendered_medical()
    assert run.render is not None
    return run.model_copy(update={"render": run.render.model_copy(update=update)})


def text_of(run: Manifest) -> str:
    return Page(render_report(run, Examples())).text


def test_a_run_of_text_has_no_such_sections() -> None:
    text = text_of(medical())
    assert "Proof" not in text
    assert "How many tokens" not in text
    assert "Rows as they are trained" not in text
    assert proof(medical()) is None
    assert token_lengths(medical()) is None


def test_says_how_many_rows_are_proven(page: Page) -> None:
    assert "2,116 rows proven on their tokens: each passed every check." in page.text
    assert "18 of 2,134 were rejected, each with its check and the two texts." in page.text


def test_shows_every_check_with_the_rows_that_passed_it(page: Page) -> None:
    for name in CHECKS:
        assert name in page.words
    assert "control_tokens 2,130 2,134 3 no text of the row would be read" in page.text
    assert "length 2,121 2,134 12 prompt and completion fit into max_tokens" in page.text
    assert "no_answer before the checks 1 The row has no Response" in page.text


def test_every_rejected_row_is_counted_once() -> None:
    found = proof(rendered_medical())
    assert found is not None
    assert sum(check.rejected for check in found.checks) == found.rejected
    assert found.kept + found.rejected == found.rows


def test_checks_that_nobody_knows_are_shown_too() -> None:
    found = proof(with_record(checks={"own": 3, "bos": 4}))
    assert found is not None
    assert [(check.name, check.passed) for check in found.checks][:2] == [("bos", 4), ("own", 3)]


def test_keeps_rows_proven_by_segments_apart_from_those_compared(page: Page) -> None:
    assert "by the template’s segments alone 2,083 98.4%" in page.text
    assert "also compared with the template’s own render 33 1.6%" in page.text
    assert "6 rows would be other tokens if prompt and completion" in page.text


def test_shows_for_which_model_and_in_which_form(page: Page) -> None:
    assert "Model deepseek-ai/DeepSeek-R1-Distill-Qwen-7B Revision 916b56a44061" in page.text
    assert "Frame auto the model’s own chat template" in page.text
    assert "Reasoning composed no form survives the template" in page.text
    assert "Stop token <｜end▁of▁sentence｜> id 151,643" in page.text
    assert "Default system none Switches enable_thinking: true" in page.text
    assert "Earlier turns reasoning dropped by the template Date 2026-01-01" in page.text
    assert (
        "Prompt <｜begin▁of▁sentence｜><｜User｜> {Question} <｜Assistant｜><think> ↵ "
        "Completion {Complex_CoT} ↵ </think> ↵ ↵ {Response} <｜end▁of▁sentence｜>"
    ) in page.text


def test_shows_what_the_template_answered(page: Page) -> None:
    assert "reasoning as reasoning_content lost the reasoning is written nowhere" in page.text


def test_a_folder_without_extras_is_shown_plainly() -> None:
    run = with_record(
        revision=None, default_system="You are kind.", template_kwargs={}, frame="alpaca-think",
        encoding="inline", verdict=[], files={}, stop_id=None, prompt="", sample=True,
    )  # fmt: skip
    text = text_of(run)
    assert "Revision none" in text
    assert "Frame alpaca-think is the template, and exported with the run" in text
    assert "Default system You are kind. Switches none" in text
    assert "Prompt nothing Completion" in text
    assert "The tokenizer is the package’s own small one" in text
    assert "Files of the model" not in text
    assert "What the template was asked" not in text


def test_text_without_tokens_is_not_called_proven() -> None:
    run = with_record(tokens=None, trained=None, lengths={}, packing=None, compared=0)
    text = text_of(run)
    assert "2,116 rows rendered as text: there is no tokenizer, so no token is proven." in text
    assert "How many tokens" not in text


def test_nothing_is_proven_where_no_row_was_rendered() -> None:
    run = with_record(compared=0, tokens=0, trained=0, packing=None, lengths={})
    step = run.stages[-1].model_copy(update={"kept": 0, "rejected": run.stages[-1].rows_in})
    run = run.model_copy(
        update={
            "stages": [*run.stages[:-1], step],
            "after": run.after.model_copy(update={"rows": 0}),
        }
    )
    text = text_of(run)
    assert "No row was rendered." in text
    assert "Compared with the template itself" not in text


def test_a_run_that_does_not_account_for_rendering_counts_its_rows() -> None:
    run = rendered_medical()
    found = proof(run.model_copy(update={"stages": run.stages[:-1]}))
    assert found is not None
    assert (found.rows, found.kept, found.rejected, found.merges) == (2_116, 2_116, 0, 0)
    assert token_lengths(run.model_copy(update={"stages": run.stages[:-1]}))


def test_shows_what_each_length_would_keep(page: Page) -> None:
    assert "1,024 1,377 64.7% 862,411 55.2%" in page.text
    assert "2,048 the recipe’s 2,116 99.4% 1,530,873 98.0%" in page.text
    assert "32,768 2,127 >99.9% 1,562,870 100%" in page.text
    assert "1 row is longer than all of these." in page.text
    assert "1,839,697 tokens, of which 1,530,873 (83.2%) are trained." in page.text


def test_lengths_stand_in_order_of_length() -> None:
    found = token_lengths(rendered_medical())
    assert found is not None
    limits = [candidate.max_tokens for candidate in found.candidates]
    assert limits == sorted(limits)
    assert [candidate.is_chosen for candidate in found.candidates].count(True) == 1


def test_says_how_full_packed_sequences_are(page: Page) -> None:
    assert "in sequences of 2,048 tokens: 99.1% of their room is filled." in page.text
    assert "With one row to a sequence it would be 42.5%." in page.text
    assert "train 2,074 887 1,803,217 validation 42 19 36,480" in page.text
    assert "Whole rows side by side" not in text_of(with_record(packing=None))


def test_shows_rows_in_their_parts(page: Page) -> None:
    assert "medical_zh:0 medical_zh:0.json 120 tokens, 79 trained" in page.text
    assert "prompt 41 tokens not trained <｜begin▁of▁sentence｜>" in page.text
    assert "frame 3 tokens trained ↵ </think> ↵ ↵ answer 52 tokens trained" in page.text
    assert "stop 1 token trained <｜end▁of▁sentence｜>" in page.text
    assert "read back from their token ids" in page.text


def test_rows_without_tokens_are_shown_from_their_text() -> None:
    view = RowView("a:0", "a:1", (Span("So.", "answer", True),), None, None, True)
    text = Page(render_report(rendered_medical(), Examples(), [view])).text
    assert "read back from their text columns" in text
    assert "a:0 a:1 answer trained So." in text


def test_tokens_that_are_another_text_are_told_of() -> None:
    view = RowView("a:0", "a:1", (Span("So.", "answer", True, 1),), 1, 1, False)
    text = Page(render_report(rendered_medical(), Examples(), [view])).text
    assert "Its tokens read back as another text than its columns" in text


def test_long_parts_unfold_between_their_beginning_and_their_end() -> None:
    words = " ".join(f"w{place}" for place in range(2_000))
    view = RowView("a:0", "a:1", (Span(words, "reasoning", True, 2_000),), 2_000, 2_000, True)
    (span,) = shown_row(view).spans
    assert span.middle is not None
    assert span.tail is not None
    assert span.head.text + span.middle.text + span.tail.text == words
    page = Page(render_report(rendered_medical(), Examples(), [view]))
    assert f"{len(span.middle.text):,} characters between" in page.text
    short = RowView("a:0", "a:1", (Span("x" * WHOLE_CHARS, "reasoning", True, 1),), 1, 1, True)
    assert shown_row(short).spans[0].middle is None


def test_the_report_stays_small_with_huge_texts() -> None:
    huge = "<b>\n" * 500_000
    view = RowView(huge, huge, (Span(huge, "reasoning", True, 9),), 9, 9, True)
    run = with_record(prompt=huge, completion=huge, default_system=huge, stop=huge,
                      template_kwargs={"a": huge}, model=huge,
                      verdict=[Evidence(question=huge, answer=huge, evidence=huge)])  # fmt: skip
    html = render_report(run, Examples(), [view] * 5)
    small = len(render_report(with_record(), Examples(), rendered_views()))
    assert len(html) < small + 5 * MIDDLE_CHARS * 16
    assert "… (1,999,400 characters)" in html


def hostile(text: str) -> str:
    run = with_record(
        model=text, revision=text, frame=text, encoding=text, stop=text, default_system=text,
        history=text, date=text, template_kwargs={text: text}, files={text: text}, prompt=text,
        completion=text, checks={text: 1},
        verdict=[Evidence(question=text, answer=text, evidence=text)],
        packing=PackingRecord(max_tokens=9, rows={text: 1}, sequences={text: 1},
                              tokens={text: 1}, utilisation=1.0),
    )  # fmt: skip
    long = text * (2_000 // len(text))
    spans = (Span(text, "prompt", False, 1), Span(long, "reasoning", True, 1))
    return render_report(run, Examples(), [RowView(text, text, spans, 2, 1, False)])


def assert_is_only_text(text: str) -> None:
    page, harmless = Page(hostile(text)), Page(hostile("x"))
    # Marks of line breaks and of slots are all that a text can bring in.
    bare, expected = (
        [tag for tag in found.tags if tag.strip("/") not in {"i", "b"}]
        for found in (page, harmless)
    )
    assert bare == expected
    marks = {("i", "class", "break"), ("b", "class", "slot")}
    names = [item[:2] for item in page.attributes if item not in marks]
    assert names == [item[:2] for item in harmless.attributes if item not in marks]


@pytest.mark.parametrize("text", HOSTILE)
def test_shows_hostile_text_as_text(text: str) -> None:
    assert_is_only_text(text)
    shown = " ".join(visible(text).split())
    assert Page(hostile(text)).text.count(shown) >= 10


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(
        st.one_of(
            st.sampled_from("<>&\"'/={}%#-!`$\\;:()\x00\x1b\u202e\u200b\n "),
            st.characters(exclude_categories=["Cs"]),
        ),
        min_size=1,
        max_size=60,
    ).map(lambda text: f"q{text}")
)
def test_no_text_becomes_markup(text: str) -> None:
    assert_is_only_text(text)


def test_forms_are_cut_at_their_slots() -> None:
    found = pieces("a{Question}{b}{turn 12}")
    assert [(str(piece.text), piece.is_slot) for piece in found] == [
        ("a", False),
        ("{Question}", True),
        ("{b}", False),
        ("{turn 12}", True),
    ]
    assert pieces("") == ()
    assert sum(len(piece.text.text) for piece in pieces("x{Question}" * 9_000)) <= FORM_CHARS


def test_settings_are_written_as_recipes_write_them() -> None:
    assert settings_text({"a": True, "b": "high", "c": None}) == "a: true, b: high, c: null"


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_rendering_has_a_meaning(reason: str) -> None:
    meaning = stage_meaning("render", reason)
    assert meaning.endswith(".")
    assert "Evidence" not in meaning


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
@pytest.mark.parametrize("part", ["frame", "reasoning", "answer", "stop"])
@pytest.mark.parametrize("paper", ["--paper", "--card"])
def test_parts_stand_out(palette: dict[str, str], part: str, paper: str) -> None:
    assert contrast(palette[f"--part-{part}"], palette[paper]) >= 4.5


def write_run(folder: Path, *, tokens: bool) -> None:
    extra = pl.Schema({"prompt": pl.String(), "completion": pl.String()})
    schema = pl.Schema({**ROW_SCHEMA, **extra, **(TOKEN_COLUMNS if tokens else {})})
    made = []
    for place in range(9):
        prompt, completion = f"ask {place}\n", f"hm {place}\n</think>\n\nSo.<｜end▁of▁sentence｜>"
        ids = list((prompt + completion).encode())
        start = len(prompt.encode())
        made.append(
            dict.fromkeys(schema.names())
            | {"row_id": f"a:{place}", "origin": f"f:{place}", "source": "a", "Question": "?",
               "Complex_CoT": f"hm {place}", "prompt": prompt, "completion": completion}
            | ({"input_ids": ids, "labels": [IGNORED] * start + ids[start:]} if tokens else {})
        )  # fmt: skip
    (folder / "data").mkdir(parents=True)
    (folder / "rejected").mkdir()
    path = folder / "data" / "train-00000-of-00001.parquet"
    pl.DataFrame(made, schema=schema).write_parquet(path)


def test_the_rows_that_are_shown_as_kept_are_shown_rendered(tmp_path: Path) -> None:
    write_run(tmp_path, tokens=True)
    record = rendered_medical().render
    assert record is not None
    views = collect_rendered(tmp_path, record, lambda ids: bytes(ids).decode("utf-8", "replace"))
    kept = collect_examples(tmp_path).kept
    assert [view.row_id for view in views] == [str(row.row_id) for row in kept]
    assert [(span.part, span.text) for span in views[2].spans] == [
        ("prompt", "ask 2\n"),
        ("reasoning", "hm 2"),
        ("frame", "\n</think>\n\n"),
        ("answer", "So."),
        ("stop", "<｜end▁of▁sentence｜>"),
    ]
    assert all(view.is_as_text and view.is_from_tokens for view in views)


def test_rows_without_token_columns_are_read_too(tmp_path: Path) -> None:
    write_run(tmp_path, tokens=False)
    record = rendered_medical().render
    assert record is not None
    views = collect_rendered(tmp_path, record)
    assert len(views) == 5
    assert not views[0].is_from_tokens
    assert views[0].tokens is None


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train-00000-of-00001.parquet").write_bytes(b"PAR1 no PAR1")
    record = rendered_medical().render
    assert record is not None
    with pytest.raises(SourceError, match="cannot be read as a run's parquet file"):
        collect_rendered(tmp_path, record)
