"""What a server sends and what the model must then write, in token ids; without cotdata.

The prompt is the official template's own generation prompt, rendered by transformers. What follows
is the family's published generation format. Ids are encode(prompt) + encode(completion), since a
server encodes the one and the model writes the other.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.settings import BenchmarkError
from benchmarks.trained_tokens.families import Family
from benchmarks.trained_tokens.material import Row


@dataclass(frozen=True)
class Expected:
    """The ids of one row, and two of its texts as this tokenizer gives them back."""

    prompt: list[int]
    completion: list[int]
    question: str
    reasoning: str


@dataclass(frozen=True)
class Truth:
    """A family's tokenizer and template, read from its folder."""

    family: Family
    folder: Path

    def expect(self, row: Row) -> Expected:
        """Return the ids of `row`.

        Raises:
            BenchmarkError: The template is not the family's, or the tokenizer loses text.
        """
        prompt = self._prompt(row.question)
        if not prompt.endswith(self.family.opening):
            raise BenchmarkError(
                f"{self.folder}: the generation prompt ends {prompt[-40:]!r}, "
                f"not {self.family.opening!r}: not this family's template"
            )
        written = self.family.completion.format(reasoning=row.reasoning, answer=row.answer)
        return Expected(
            prompt=self.encode(prompt),
            completion=self.encode(written + self.family.stop),
            question=self._survives(row.question),
            reasoning=self._survives(row.reasoning),
        )

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text in which control tokens count, with nothing put before it."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: list[int]) -> str:
        """Return the text of ids, control tokens included."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=False))

    @cached_property
    def stop_id(self) -> int:
        """Return the id of the stop token."""
        (stop_id,) = self.encode(self.family.stop)
        return stop_id

    @cached_property
    def newline_id(self) -> int:
        """Return the id of a newline, which templates write after the stop token."""
        (newline_id,) = self.encode("\n")
        return newline_id

    def _prompt(self, question: str) -> str:
        jinja = import_module("transformers.utils.chat_template_utils")
        conversation = [{"role": "user", "content": question}]
        rendered, _ = jinja.render_jinja_template(
            conversations=[conversation],
            chat_template=self._settings["chat_template"],
            add_generation_prompt=True,
            **self._special,
        )
        return str(rendered[0])

    def _survives(self, text: str) -> str:
        """Return `text` normalized as the vocabulary does; the round trip must give it back."""
        normalizer = self._tokenizer.normalizer
        normal = str(normalizer.normalize_str(text)) if normalizer else text
        if self.decode(self.encode(text)) != normal:
            raise BenchmarkError(f"{self.folder}: the tokenizer does not give back {text[:60]!r}")
        return normal

    @cached_property
    def _tokenizer(self) -> Any:  # noqa: ANN401 - tokenizers has no types for it
        return import_module("tokenizers").Tokenizer.from_file(str(self.folder / "tokenizer.json"))

    @cached_property
    def _settings(self) -> dict[str, Any]:
        text = (self.folder / "tokenizer_config.json").read_text(encoding="utf-8")
        return dict(json.loads(text))

    @cached_property
    def _special(self) -> dict[str, str]:
        names = ("bos_token", "eos_token", "pad_token", "unk_token")
        values = {name: self._settings.get(name) for name in names}
        texts = {
            name: value["content"] if isinstance(value, dict) else value
            for name, value in values.items()
        }
        return {name: text for name, text in texts.items() if text}
