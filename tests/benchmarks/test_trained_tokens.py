import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.settings import BenchmarkError
from benchmarks.trained_tokens.contest import Result, as_json
from benchmarks.trained_tokens.families import FAMILIES, family_named
from benchmarks.trained_tokens.judge import IGNORED, Score, Trained, judge, judge_all
from benchmarks.trained_tokens.material import Row, read_rows, write_model_folder
from benchmarks.trained_tokens.table import format_results, percent
from benchmarks.trained_tokens.truth import Expected, Truth
from benchmarks.trained_tokens.ways import WAYS

STOP = ord("$")
EXPECTED = Expected([ord(c) for c in "Q?:<"], [ord(c) for c in "why>A$"], "Q?", "why")


class Letters(Truth):
    """A truth whose tokens are characters."""

    stop_id = STOP
    newline_id = ord("\n")

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def decode(self, ids: list[int]) -> str:
        return "".join(map(chr, ids))


TRUTH = Letters(FAMILIES[0], Path())


def row(masked: str, trained: str, after: str = "") -> Trained:
    ids = TRUTH.encode(masked + trained + after)
    labels = [IGNORED] * len(masked) + TRUTH.encode(trained) + [IGNORED] * len(after)
    return Trained(ids, labels)


@pytest.mark.parametrize(("after_stop", "masked_after"), [("", ""), ("\n", ""), ("", "\n")])
def test_what_a_server_sends_and_a_model_writes_is_right(
    after_stop: str, masked_after: str
) -> None:
    verdict = judge(row("Q?:<", "why>A$" + after_stop, masked_after), EXPECTED, TRUTH)
    assert (verdict.has_reasoning, verdict.has_prompt, verdict.has_stop) == (True, True, True)
    assert verdict.is_right


@given(st.data())
def test_one_changed_token_or_label_is_never_right(data: st.DataObject) -> None:
    good = row("Q?:<", "why>A$")
    place = data.draw(st.integers(0, len(good.ids) - 1))
    ids, labels = list(good.ids), list(good.labels)
    if data.draw(st.booleans()):
        ids[place] += 1
    else:
        labels[place] = ids[place] if labels[place] == IGNORED else IGNORED
    assert not judge(Trained(ids, labels), EXPECTED, TRUTH).is_right


@pytest.mark.parametrize(
    ("masked", "trained", "boundary"),
    [
        ("Q?", ":<why>A$", "2 early"),
        ("Q?:<w", "hy>A$", "1 late"),
        ("Q?:", "A$", "1 missing"),
        ("Q?:<++", "why>A$", "2 more masked"),
        ("sys Q?:<", "why>A$", "another prompt"),
        ("sys", "why>A$", "text lost"),
        ("", "Q?:<why>A$", "nothing masked"),
        ("Q?:<why>A$", "", "nothing trained"),
    ],
)
def test_says_how_the_masked_part_differs(masked: str, trained: str, boundary: str) -> None:
    verdict = judge(row(masked, trained), EXPECTED, TRUTH)
    assert (verdict.boundary, verdict.has_prompt, verdict.is_right) == (boundary, False, False)


def test_reasoning_that_is_masked_or_cut_does_not_count() -> None:
    assert not judge(row("Q?:<why", ">A$"), EXPECTED, TRUTH).has_reasoning
    assert not judge(row("Q?:<", "wh>A$"), EXPECTED, TRUTH).has_reasoning


def test_trained_padding_of_stop_tokens_is_no_stop() -> None:
    assert not judge(row("Q?:<", "why>A$$$"), EXPECTED, TRUTH).has_stop
    assert not judge(row("Q?:<", "why>A"), EXPECTED, TRUTH).has_stop


def test_counts_the_trained_tokens_that_are_prompt() -> None:
    score = judge_all([(0, row("", "Q?:<why>A$"))], [EXPECTED], TRUTH)
    assert (score.prompt_tokens, score.unmasked_tokens) == (4, 10)


def test_a_dropped_row_counts_against_the_tool() -> None:
    score = judge_all([(1, row("Q?:<", "why>A$"))], [EXPECTED, EXPECTED], TRUTH)
    assert (score.rows, score.present, score.right) == (2, 1, 1)
    table = format_results([Result("tool", "way", "Qwen3", score)], 2)
    assert "1 row dropped" in table
    assert "50.0" in table


def test_a_tool_that_did_not_run_is_in_the_table_with_its_reason() -> None:
    why = "ImportError: " + "no such module " * 30
    table = format_results([Result("tool", "way", "QwQ", why=why)], 2)
    assert "not run" in table
    assert "ImportError: no such module" in table
    assert max(map(len, table.splitlines())) <= 100


def test_no_line_is_wider_than_100_columns() -> None:
    counts = Counter({"2 more masked": 480, "text lost": 8})
    score = Score(2387, present=488, boundaries=counts)
    table = format_results([Result("t" * 60, "w" * 60, "QwQ", score)], 2387)
    assert max(map(len, table.splitlines())) <= 100


def test_a_result_is_json() -> None:
    score = judge_all([(0, row("Q?", ":<why>A$"))], [EXPECTED], TRUTH)
    found = json.loads(json.dumps(as_json(Result("tool", "way", "QwQ", score))))
    assert found["score"]["boundaries"] == {"2 early": 1}
    assert found["score"]["right"] == 0


def test_every_name_fits_its_column_of_the_table() -> None:
    for way in WAYS:
        result = Result(way.tool or way.environment, way.label, "QwQ", Score(1))
        assert f"{result.tool} " in (table := format_results([result], 1))
        assert f"{way.label} " in table


@given(st.integers(1, 100_000), st.data())
def test_100_means_all_and_0_means_none(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    assert (percent(part, whole) == "100") == (part == whole)
    assert (percent(part, whole) == "0") == (part == 0)


def test_rows_lose_the_blanks_at_their_ends_and_keep_their_order(tmp_path: Path) -> None:
    record = {"Question": " q ", "Complex_CoT": "c\n", "Response": "r"}
    (tmp_path / "a.json").write_text(json.dumps([record]))
    (tmp_path / "b.jsonl").write_text(json.dumps({**record, "Question": "p"}) + "\n")
    rows = read_rows([tmp_path / "a.json", tmp_path / "b.jsonl"])
    assert rows == [Row(0, "q", "c", "r"), Row(1, "p", "c", "r")]


def test_a_row_without_reasoning_is_no_material(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"Question": "q", "Complex_CoT": " ", "Response": "r"}\n')
    with pytest.raises(BenchmarkError, match="Complex_CoT"):
        read_rows([tmp_path / "a.jsonl"])


@pytest.mark.real_data
@pytest.mark.parametrize("name", [family.key for family in FAMILIES])
def test_the_truth_is_a_servers_prompt_and_what_the_publishers_say_follows_it(
    name: str, real_data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("transformers")
    family = family_named(name)
    folder = tmp_path / family.key
    write_model_folder(family, real_data / "tokenizers", real_data / "templates", folder)
    truth = Truth(family, folder)
    found = truth.expect(Row(0, "为什么 sky?", "Let me see.\n\n好的", "Because."))
    text = truth.decode([*found.prompt, *found.completion])
    asks = {
        "r1-distill": "<｜begin▁of▁sentence｜><｜User｜>为什么 sky?<｜Assistant｜>",
        "qwen3": "<|im_start|>user\n为什么 sky?<|im_end|>\n<|im_start|>assistant\n",
        "qwq": "<|im_start|>user\n为什么 sky?<|im_end|>\n<|im_start|>assistant\n",
    }
    written = f"<think>\nLet me see.\n\n好的\n</think>\n\nBecause.{family.stop}"
    assert text == asks[name] + written
    assert found.completion[-1] == truth.stop_id


@pytest.mark.real_data
def test_another_familys_template_is_refused(real_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    qwen3, qwq = family_named("qwen3"), family_named("qwq")
    tokenizers, templates = real_data / "tokenizers", real_data / "templates"
    folder = write_model_folder(qwen3, tokenizers, templates, tmp_path / "model")
    with pytest.raises(BenchmarkError, match="not this family's template"):
        Truth(qwq, folder).expect(Row(0, "q", "c", "r"))
