"""The `rendering` benchmark: prompts and completions of rows, text only.

Measured is the one call. Ours probes the template once, and concatenates; the peers render each
row: `apply_chat_template` as the documents of transformers show it, and its compiled template
without what it does around. All must write the same text, character for character.

`COTDATA_BENCHMARK_MODEL` names a folder with a tokenizer and a template; the package's own small
model if left out.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from benchmarks.contest import Answer, Contestant, Stopwatch, digest, run_contestant
from benchmarks.exact_dedup import complete_rows
from benchmarks.settings import BenchmarkError
from cotdata.render.renderer import Renderer


def rows_to_render(corpus: Path) -> pl.DataFrame:
    """Return the corpus without incomplete rows, questions stripped as the row contract has it."""
    return complete_rows(corpus).with_columns(pl.col("Question").str.strip_chars())


def open_model(**settings: Any) -> Renderer:  # noqa: ANN401
    """Open the benchmark's model for rendering."""
    from cotdata.render.opening import open_renderer
    from cotdata.render.settings import Render

    folder = os.environ.get("COTDATA_BENCHMARK_MODEL")
    render = Render(model=folder or "sample", **settings)
    return open_renderer(render, Path.cwd(), sample=folder is None)


# ---- the interface to cotdata: adjust here ----
def by_cotdata(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time the composing of every prompt and completion."""
    renderer = open_model(tokens=False)
    with watch:
        composed, _ = renderer._composer.compose(rows)
        texts = composed.select(pl.concat_str("prompt", "completion")).to_series()
    return _answer(texts.to_list(), renderer.verdict.end)


def by_apply_chat_template(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time transformers' own method, row by row."""
    tokenizer = load_tokenizer()
    chats = _chats(rows)
    with watch:
        texts = [tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats]
    return _answer(texts, _end(tokenizer))


def by_compiled_jinja(rows: pl.DataFrame, watch: Stopwatch) -> Answer:
    """Time the compiled template alone, row by row: as fast as a template can be run."""
    from cotdata.render.chat_template import ChatTemplate

    tokenizer = load_tokenizer()
    template = ChatTemplate(tokenizer.chat_template, tokenizer.special_tokens_map, "2026-01-01")
    chats = _chats(rows)
    with watch:
        texts = [template.render(chat, {}, is_prompt=False) for chat in chats]
    return _answer(texts, _end(tokenizer))


def load_tokenizer() -> Any:  # noqa: ANN401
    """Return the model's tokenizer as transformers loads it."""
    from transformers import PreTrainedTokenizerFast

    from cotdata.render.model_files import sample_model

    folder = os.environ.get("COTDATA_BENCHMARK_MODEL") or str(sample_model())
    return PreTrainedTokenizerFast.from_pretrained(folder)


def _chats(rows: pl.DataFrame) -> list[list[dict[str, str]]]:
    return [
        [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer, "reasoning_content": reasoning},
        ]
        for question, reasoning, answer in rows.select(
            "Question", "Complex_CoT", "Response"
        ).iter_rows()
    ]


def _end(tokenizer: Any) -> str:  # noqa: ANN401
    end = tokenizer.eos_token
    if not isinstance(end, str):
        raise BenchmarkError("the model has no eos_token")
    return end


def _answer(texts: Iterable[str], end: str) -> Answer:
    # What a template writes after the stop token is not the model's.
    cut = [text[: text.rindex(end) + len(end)] for text in texts]
    return Answer(len(cut), digest(cut))


CONTESTANTS: Final[Mapping[str, Contestant]] = {
    "cotdata": by_cotdata,
    "apply_chat_template": by_apply_chat_template,
    "compiled_jinja": by_compiled_jinja,
}

if __name__ == "__main__":
    run_contestant(CONTESTANTS, rows_to_render)
