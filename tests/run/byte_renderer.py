"""A renderer for tests of builds: its tokens are bytes, its template is one line."""

import hashlib
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl

from cotdata.errors import RenderError
from cotdata.manifest import RenderRecord
from cotdata.render.columns import CANDIDATES, IGNORED, Rendered, render_schema
from cotdata.render.settings import Render

STOP = "\x03"
#: Rows with this in their question fail a check.
FORBIDDEN = "<|stop|>"


def model_folder(path: Path, name: str = "bytes") -> Path:
    """Make a folder that the renderer takes for a model."""
    folder = path / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text('{"kind": "bytes"}', encoding="utf-8")
    return folder


def install(patch: Any) -> None:
    """Let builds open this renderer."""
    opening = SimpleNamespace(open_renderer=open_renderer)
    patch.setitem(sys.modules, "cotdata.render.opening", opening)


def open_renderer(settings: Render, base: Path, *, sample: bool = False) -> "ByteRenderer":
    file = base / settings.model / "tokenizer.json"
    if not file.is_file():
        raise RenderError(f"there is no model '{settings.model}'", fix="name another one")
    return ByteRenderer(settings, file.read_bytes())


class ByteRenderer:
    def __init__(self, settings: Render, tokenizer: bytes) -> None:
        self.settings, self.tokenizer = settings, tokenizer

    def identity(self) -> dict[str, Any]:
        settings = self.settings.model_dump(mode="json", exclude={"model", "revision"})
        digest = hashlib.sha256(self.tokenizer).hexdigest()
        return {"version": 1, "settings": settings, "files": {"tokenizer.json": digest}}

    def schema(self) -> pl.Schema:
        return render_schema(tokens=self.settings.tokens)

    def files(self) -> Mapping[str, bytes]:
        return {"tokenizer.json": self.tokenizer, "chat_template.jinja": b"{{ messages }}"}

    def record(self) -> RenderRecord:
        return RenderRecord(
            model=Path(self.settings.model).name,
            files={"tokenizer.json": hashlib.sha256(self.tokenizer).hexdigest()},
            frame="auto",
            encoding="inline",
            template_kwargs={},
            date=self.settings.date,
            prompt="user: {Question}\nassistant: ",
            completion="{Complex_CoT}</think>{Response}\x03",
            stop=STOP,
            stop_id=3,
            history="kept",
            settings={},
        )

    def render(self, rows: pl.DataFrame) -> Rendered:
        checks: Counter[str] = Counter(compared=0, length=0, reasoning=0)
        notes: Counter[str] = Counter()
        lengths = dict.fromkeys(CANDIDATES, (0, 0))
        made = []
        for row in rows.iter_rows(named=True):
            one = self._row(row)
            reason = self._reason(row, one)
            checks["reasoning"] += reason != "reasoning"
            checks["length"] += reason != "too_long"
            checks["compared"] += reason is None and self._is_compared(row)
            notes["questions_asked"] += row["Question"].endswith("?")
            for limit, (kept, trained) in lengths.items():
                if self.settings.tokens and one["n_tokens"] <= limit and reason != "reasoning":
                    lengths[limit] = kept + 1, trained + one["n_trained"]
            made.append({**one, "reason": reason, "evidence": reason and '{"why": "test"}'})
        made = [
            {name: one[name] for name in (*self.schema(), "reason", "evidence")} for one in made
        ]
        schema = {**self.schema(), "reason": pl.String(), "evidence": pl.String()}
        return Rendered(pl.DataFrame(made, schema=schema), checks, notes, lengths)

    def prove(self, rows: pl.DataFrame) -> Rendered:
        again = self.render(rows.drop(self.schema().names()))
        same = pl.Series(
            [
                old == {name: new[name] for name in old}
                for old, new in zip(
                    rows.select(self.schema().names()).to_dicts(),
                    again.rows.to_dicts(),
                    strict=True,
                )
            ],
            dtype=pl.Boolean,
        )
        found = again.rows.select(
            reason=pl.when(pl.lit(same)).then("reason").otherwise(pl.lit("token_ids")),
            evidence=pl.when(pl.lit(same)).then("evidence").otherwise(pl.lit("{}")),
        )
        return Rendered(found, again.checks)

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        prompt = f"user: {row['Question']}\nassistant: "
        completion = f"{row['Complex_CoT'] or ''}</think>{row['Response'] or ''}{STOP}"
        first, last = list(prompt.encode()), list(completion.encode())
        answer = {"role": "assistant", "content": row["Response"]}
        return {
            "prompt": prompt,
            "completion": completion,
            "text": prompt + completion,
            "messages": [
                {"role": "user", "content": row["Question"], "reasoning_content": None},
                {**answer, "reasoning_content": row["Complex_CoT"]},
            ],
            "input_ids": first + last,
            "labels": [IGNORED] * len(first) + last,
            "n_tokens": len(first) + len(last),
            "n_trained": len(last),
            "n_tokens_estimate": (len(first) + len(last)) // 4,
        }

    def _reason(self, row: Mapping[str, Any], made: Mapping[str, Any]) -> str | None:
        if FORBIDDEN in row["Question"]:
            return "reasoning"
        limit = self.settings.max_tokens
        return "too_long" if limit is not None and made["n_tokens"] > limit else None

    def _is_compared(self, row: Mapping[str, Any]) -> bool:
        return self.settings.proof == "full" or len(row["Question"]) % 4 == 0
