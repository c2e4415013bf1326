"""The report as a whole: complete, safe, self-contained and always the same."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cotdata.manifest import Manifest
from cotdata.report import Examples, render_report
from cotdata.report.examples import ExampleRow, source_label
from cotdata.report.html import result_sentence
from cotdata.report.text import Excerpt, visible
from tests.report.factory import Made, broken, manifest, medical, medical_examples, row
from tests.report.page import Page

HOSTILE = (
    "<script>alert(1)</script>\"' onload=x ",
    "</style></title></svg><img src=http://evil.example/x.png>",
    "{{ 7 * 7 }}{% raw %}{# #}&lt;&#60;<!-- --><![CDATA[",
    "\x00\x1b[31m\r\u202e\u2066\ufeff\ufffe",
)


def numbers(value: object) -> Iterator[int]:
    if isinstance(value, dict):
        for part in value.values():
            yield from numbers(part)
    elif isinstance(value, list):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value


def counts(run: Manifest) -> set[int]:
    whole = run.model_dump(
        include={"sources", "stages", "splits", "rejected", "before", "after", "outputs"}
    )
    for stage in whole["stages"]:
        del stage["position"], stage["config"]
    return set(numbers(whole))


@pytest.fixture(scope="module")
def medical_page() -> Page:
    return Page(render_report(medical(), medical_examples()))


def test_shows_every_count_of_the_manifest(medical_page: Page) -> None:
    missing = {count for count in counts(medical()) if f"{count:,}" not in medical_page.words}
    assert not missing


def test_shows_every_name_of_the_manifest(medical_page: Page) -> None:
    run = medical()
    names = {source.name for source in run.sources} | {stage.kind for stage in run.stages}
    names |= {reason for source in run.sources for reason in source.reasons}
    names |= {reason for stage in run.stages for reason in stage.reasons}
    names |= {output.sha256 for output in run.outputs} | {run.fingerprint}
    assert names <= medical_page.words


def test_says_the_result_in_one_sentence(medical_page: Page) -> None:
    sentence = (
        "2,134 of 2,387 rows kept: train 2,091, validation 43; 253 rejected, each with its reason"
    )
    assert result_sentence(medical()) == sentence
    assert f"{sentence}." in medical_page.text


def test_tells_made_rows_from_kept_ones() -> None:
    run = manifest([(Made("a"), 10)], [Made("mix", {"not_drawn": 2}, made=5)])
    assert result_sentence(run) == (
        "8 of 10 rows kept, 5 more made of them: train 13; 2 rejected, each with its reason"
    )


def test_shows_examples_with_their_evidence(medical_page: Page) -> None:
    assert "kept medical_zh:412" in medical_page.text
    assert 'raw bytes {"Question": "half a rec\\xff' in medical_page.text
    assert "value 87 limit 200" in medical_page.text


def test_is_the_same_every_time() -> None:
    first = render_report(medical(), medical_examples())
    assert render_report(medical(), medical_examples()) == first


def test_loads_nothing_and_runs_nothing(medical_page: Page) -> None:
    html = render_report(medical(), medical_examples())
    loaded = {
        value
        for _, name, value in medical_page.attributes
        if name in {"src", "srcset", "href", "xlink:href", "action", "data", "poster"}
    }
    assert all(value.startswith("#") or value == "data:," for value in loaded)
    assert not {"script", "iframe", "object", "embed", "img", "base"} & set(medical_page.tags)
    assert not [name for _, name, _ in medical_page.attributes if name.startswith("on")]
    assert "@import" not in html
    assert re.findall(r"url\((?!#)", html) == []
    assert "http:" not in html
    assert "https:" not in html
    assert "default-src 'none'" in html


def test_links_inside_the_page_lead_somewhere() -> None:
    reasons = {f"reason_{place}": place + 1 for place in range(40)}
    page = Page(render_report(manifest([(Made("a", reasons), 900)]), Examples()))
    places = {value for _, name, value in page.attributes if name == "id"}
    links = {value for _, name, value in page.attributes if name == "href" and value[0] == "#"}
    assert links == {"#reasons"}
    assert {link[1:] for link in links} <= places


def hostile_run(text: str) -> tuple[Manifest, Examples]:
    made = Made(text, {text: 2}, {text: 1})
    run = manifest([(made, 9)], [Made(text, {text: 3}, {text: 4})], name=text)
    source = run.sources[0].model_copy(
        update={"origin": text, "adapter": text, "revision": text, "license": text}
    )
    source = source.model_copy(
        update={"files": [source.files[0].model_copy(update={"path": text, "sha256": text})]}
    )
    run = run.model_copy(
        update={
            "sources": [source],
            "fingerprint": text,
            "recipe": {text: text},
            "overrides": {text: {text: text}},
            "versions": {text: text, "cotdata": text},
            "columns": [run.columns[0].model_copy(update={"name": text, "added_by": text})],
            "outputs": [run.outputs[0].model_copy(update={"path": text, "sha256": text})],
            "splits": {text: run.splits["train"]},
            "after": run.after.model_copy(update={"languages": {text: 4}}),
        }
    )
    return run, Examples(
        {(source_label(text), text): [hostile_row(text)], (text, text): [hostile_row(text)]},
        [replace(row(text, {text: text}), split=text)],
    )


def hostile_row(text: str) -> ExampleRow:
    example = row(text, {"Question": text, "Response": None})
    return replace(example, evidence=Excerpt.of(text, 2_000))


def assert_is_only_text(text: str) -> None:
    page = Page(render_report(*hostile_run(text)))
    # The same elements and attributes as with a harmless text: nothing of it became markup.
    harmless = Page(render_report(*hostile_run("x")))
    assert page.tags == harmless.tags
    assert [item[:2] for item in page.attributes] == [item[:2] for item in harmless.attributes]
    shown = " ".join(visible(text).split())
    assert page.text.count(shown) >= 20
    assert render_report(*hostile_run(text)).encode("utf-8")


@pytest.mark.parametrize("text", HOSTILE)
def test_shows_hostile_text_as_text(text: str) -> None:
    assert_is_only_text(text)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(
        st.one_of(
            st.sampled_from("<>&\"'/={}%#-!`$\\;:()\x00\x1b\u202e\u200b "),
            st.characters(exclude_categories=["Cs"]),
        ),
        min_size=1,
        max_size=60,
    ).map(lambda text: f"q{text}")
)
def test_no_text_becomes_markup(text: str) -> None:
    assert_is_only_text(text)


def test_shows_hidden_characters_as_code_points() -> None:
    text = render_report(*hostile_run("a\x00b\x1b[31mc\u202ed"))
    assert "a⟨U+0000⟩b⟨U+001B⟩[31mc⟨U+202E⟩d" in text
    assert not set("\x00\x1b\u202e") & set(text)


def test_cuts_huge_texts_and_says_so() -> None:
    huge = "<b>" * 700_000
    run, _ = hostile_run("x")
    examples = Examples({("x", "x"): [hostile_row(huge)] * 3}, [row("x:1", {"Question": huge})])
    html = render_report(run, examples)
    assert "… (2,100,000 characters)" in html
    assert len(html) < 200_000


def test_stays_small_with_huge_names() -> None:
    html = render_report(*hostile_run("n" * 2_000_000))
    assert "… (2,000,000 characters)" in html
    assert len(html) < 400_000


def test_reports_a_run_that_kept_nothing() -> None:
    run = manifest([(Made("only"), 10)], [Made("require_fields", {"missing_field": 10})])
    page = Page(render_report(run, Examples()))
    assert "0 of 10 rows kept: train 0; 10 rejected, each with its reason." in page.text
    assert "No row was kept." in page.text


def test_reports_a_run_that_read_nothing() -> None:
    page = Page(render_report(manifest([(Made("empty"), 0)]), Examples()))
    assert "0 of 0 rows kept: train 0; none rejected." in page.text
    assert "No row was rejected." in page.text


def test_reports_a_run_without_stages() -> None:
    page = Page(render_report(manifest([(Made("a"), 10)]), Examples()))
    assert "The recipe has no stages" in page.text


def test_shows_all_of_forty_reasons_with_their_counts() -> None:
    reasons = {f"reason_{place}": 1_000 + place for place in range(40)}
    run = manifest([(Made("a"), 860_000)], [Made("length", reasons)])
    page = Page(render_report(run, Examples()))
    assert set(reasons) <= page.words
    assert {f"{count:,}" for count in reasons.values()} <= page.words
    assert "and 36 more reasons" in page.text
    assert "819,220 of 860,000 rows kept" in page.text


def test_tells_stages_of_one_kind_apart() -> None:
    run = manifest(
        [(Made("a"), 9)],
        [Made("length", {"too_long": 1}), Made("length", {"too_long": 2})],
    )
    twice = row("a:7", {"Question": "the second one"}, evidence={"limit": 3})
    page = Page(render_report(run, Examples({("length#2", "too_long"): [twice]})))
    after_the_second = page.text.split("length#2 2 rejected")[-1]
    assert "the second one" in after_the_second
    assert page.text.count("the second one") == 1


def test_says_which_sources_a_stage_rejected_rows_of() -> None:
    counts = {("length", "too_long"): {"zh": 5, "en": 1}}
    two = manifest([(Made("zh"), 9), (Made("en"), 9)], [Made("length", {"too_long": 6})])
    assert "zh 5, en 1" in Page(render_report(two, Examples(sources=counts))).text
    one = manifest([(Made("zh"), 9)], [Made("length", {"too_long": 6})])
    assert "zh 5" not in Page(render_report(one, Examples(sources=counts))).text


def test_says_in_words_what_was_changed() -> None:
    run = manifest([(Made("a", notes={"utf16_decoded": 1, "blank_lines": 2}), 9)])
    text = Page(render_report(run, Examples())).text
    assert "files read as utf-16" in text
    assert "blank_lines" not in text


def test_says_when_the_rows_are_the_sample() -> None:
    note = "not real data"
    assert note in Page(render_report(manifest([(Made("a"), 3)], sample=True), Examples())).text
    assert note not in Page(render_report(manifest([(Made("a"), 3)]), Examples())).text


def test_says_when_only_a_part_was_read() -> None:
    run = manifest([(Made("a"), 500)])
    part = run.sources[0].model_copy(update={"available": 19_704})
    page = Page(render_report(run.model_copy(update={"sources": [part]}), Examples()))
    assert "500 of 19,704" in page.text
    assert "500 read of 19,704" in page.text


def test_never_calls_a_broken_account_sound() -> None:
    run = manifest([(Made("a"), 5)], [Made("length", {"too_long": 1})])
    wrong = run.stages[0].model_copy(update={"kept": 2})
    sound = Page(render_report(run, Examples())).text
    unsound = Page(render_report(run.model_copy(update={"stages": [wrong]}), Examples())).text
    assert "1. length 1 5 + 0 = 4 + 1 yes" in sound
    assert "1. length 1 5 + 0 = 2 + 1 no" in unsound


def test_shows_a_record_that_was_never_a_row() -> None:
    run = manifest([(Made("a", {"bad_json": 1}), 5)])
    examples = Examples({(source_label("a"), "bad_json"): [broken("a:3", b"\xff\x00{")]})
    assert "raw bytes \\xff⟨U+0000⟩{" in Page(render_report(run, examples)).text


def test_can_be_read_by_ear(medical_page: Page) -> None:
    headings = [tag for tag in medical_page.tags if re.fullmatch(r"h\d", tag)]
    levels = [int(tag[1]) for tag in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    scopes = [
        value for tag, name, value in medical_page.attributes if (tag, name) == ("th", "scope")
    ]
    assert len(scopes) == medical_page.tags.count("th")
    pictures = [value for tag, name, value in medical_page.attributes
                if (tag, name) == ("svg", "role")]  # fmt: skip
    assert medical_page.tags.count("title") > len(pictures) > 9
    ids = [value for _, name, value in medical_page.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_elements_are_balanced(medical_page: Page) -> None:
    void = {"meta", "link", "col", "path", "rect", "stop"}
    stack: list[str] = []
    for tag in medical_page.tags:
        if tag.startswith("/"):
            if tag[1:] not in void:
                assert stack.pop() == tag[1:]
        elif tag not in void:
            stack.append(tag)
    assert stack == []
