"""A look at what rendering does: `render --explain`, `--row`, `--serve`, and `lengths`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cotdata.bundled import bundled
from cotdata.recipe import load_recipe
from cotdata.run import build
from tests.cli.conftest import CommandLine
from tests.render.test_server import MODELS, Replies, Start, start  # noqa: F401 - a fixture

SAMPLE = str(bundled("recipes") / "samples" / "tokenizer")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Build the sample rows once, rendered."""
    folder = tmp_path_factory.mktemp("rendered")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COTDATA_CACHE_DIR", str(folder / "cache"))
        loaded = load_recipe(
            "recipes/medical.yaml",
            settings={"render.max_tokens": "4096"},
            output=folder / "run",
            sample=True,
        )
        yield build(loaded).path


def test_explain_says_what_keeps_the_reasoning(cotdata: CommandLine) -> None:
    found = cotdata("render", "--explain", SAMPLE)
    assert found.code == 0
    assert "in the message's field reasoning_content" in found.out
    assert "<think>⏎{Complex_CoT}⏎</think>⏎⏎{Response}<|im_end|>" in found.out


def test_explain_as_json_has_every_finding(cotdata: CommandLine) -> None:
    found = json.loads(cotdata("render", "--explain", SAMPLE, "--json").out)
    assert found["encoding"] == "reasoning_content"
    assert found["stop"] == "<|im_end|>"
    assert {"question", "answer", "evidence"} == found["findings"][0].keys()


def test_explain_takes_a_bare_template(cotdata: CommandLine, tmp_path: Path) -> None:
    template = tmp_path / "mine.jinja"
    template.write_text("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}")
    found = cotdata("render", "--explain", str(template))
    assert found.code == 0
    assert "a template without a tokenizer" in found.out


def test_explain_says_why_a_template_is_refused(cotdata: CommandLine, tmp_path: Path) -> None:
    template = tmp_path / "mine.jinja"
    template.write_text("{{ raise_exception('only with tools') }}")
    found = cotdata("render", "--explain", str(template))
    assert found.code == 2
    assert "only with tools" in found.err
    assert "fix:" in found.err


def test_a_row_is_shown_in_its_parts(cotdata: CommandLine, run: Path) -> None:
    found = cotdata("render", str(run), "--row", "medical_en:0")
    assert found.code == 0
    for part in ("[prompt,", "[reasoning,", "[answer,", "[stop,"):
        assert part in found.out


def test_a_rejected_row_is_shown_with_its_reason(cotdata: CommandLine, run: Path) -> None:
    import polars as pl

    rejected = pl.read_parquet(run / "rejected" / "*.parquet")
    row_id, reason = rejected.select("row_id", "reason").row(0)
    found = cotdata("render", str(run), "--row", row_id)
    assert found.code == 2
    assert reason in found.err


def test_a_row_that_is_not_there_is_told_with_one_that_is(cotdata: CommandLine, run: Path) -> None:
    found = cotdata("render", str(run), "--row", "nowhere:1")
    assert found.code == 2
    assert "has no row nowhere:1" in found.err
    assert "such as medical_en:0" in found.err


def test_lengths_are_those_of_the_manifest(cotdata: CommandLine, run: Path) -> None:
    found = json.loads(cotdata("lengths", str(run), "--json").out)
    manifest = json.loads((run / "manifest.json").read_bytes())
    fit = manifest["render"]["lengths"]["4096"]
    assert {"max_tokens": 4096, **fit} in found["lengths"]


def test_lengths_in_another_models_tokens_are_counted(cotdata: CommandLine, run: Path) -> None:
    own = json.loads(cotdata("lengths", str(run), "--json").out)
    counted = json.loads(cotdata("lengths", str(run), "--model", SAMPLE, "--json").out)
    kept = json.loads((run / "manifest.json").read_bytes())["render"]["checks"]["length"]
    assert counted["rows"] == kept
    own_rows = {length["max_tokens"]: length["rows"] for length in own["lengths"]}
    for length in counted["lengths"]:
        assert length["rows"] == min(own_rows[length["max_tokens"]], kept)


def test_a_run_of_text_has_no_lengths_of_its_own(cotdata: CommandLine, tmp_path: Path) -> None:
    rows = str(bundled("recipes") / "samples" / "custom_notes.jsonl")
    loaded = load_recipe("recipes/custom.yaml", sources={"notes": rows}, output=tmp_path / "text")
    found = cotdata("lengths", str(build(loaded).path))
    assert found.code == 2
    assert "cotdata render" in found.err


def test_a_server_that_agrees_exits_0(
    cotdata: CommandLine,
    run: Path,
    start: Start,  # noqa: F811
) -> None:
    def tokenize(body: dict[str, object]) -> dict[str, object]:
        return {"tokens": ids(body["messages"]), "count": 1}

    url = start({**MODELS, "/tokenize": tokenize})
    found = cotdata("render", str(run), "--serve", url, "--rows", "3")
    assert found.code == 0, found
    assert "3 of 3 prompts the same (ids)" in found.out


def test_a_server_that_differs_exits_2_and_says_where(
    cotdata: CommandLine,
    run: Path,
    start: Start,  # noqa: F811
) -> None:
    replies: Replies = {**MODELS, "/tokenize": lambda _: {"tokens": [1, 2], "count": 2}}
    found = cotdata("render", str(run), "--serve", start(replies), "--rows", "2")
    assert found.code == 2
    assert "from token 0" in found.out
    assert "0 of 2 prompts the same" in found.out


@pytest.mark.parametrize(
    ("arguments", "lacking"),
    [((), "RUN"), (("run",), "--model"), (("run", "--model", "m"), "--output")],
)
def test_what_is_missing_is_named(
    cotdata: CommandLine, arguments: tuple[str, ...], lacking: str
) -> None:
    found = cotdata("render", *arguments)
    assert found.code == 2
    assert f"error: {lacking}: is missing" in found.err


def ids(messages: object) -> list[int]:
    """Render and encode messages as a server of the sample model would."""
    import polars as pl

    from cotdata.render.model_files import open_model
    from cotdata.render.template_process import Chat, TemplateProcess
    from cotdata.render.tokenizer import Tokenizer

    tokenizer = Tokenizer(open_model(SAMPLE, Path.cwd()))
    process = TemplateProcess(tokenizer.files.template or "", dict(tokenizer.special), "2026-01-01")
    text = process.render([Chat(messages)])[0].text  # type: ignore[arg-type]
    process.close()
    found: list[int] = tokenizer.encode(pl.Series([text])).ids.tolist()
    return found
