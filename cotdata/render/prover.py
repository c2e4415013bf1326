"""Holds rows against their model's template and tokenizer, and words what does not hold."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from cotdata.kernels.stable_hash import text_hash
from cotdata.render.encodings import Encoding, Shape, answered
from cotdata.render.forms import continues
from cotdata.render.proof import (
    Expected,
    Ids,
    Mask,
    Slots,
    first_failures,
    id_failures,
    passed,
    text_failures,
)
from cotdata.render.settings import Render
from cotdata.render.template_process import Chat, TemplateProcess
from cotdata.render.token_ids import joined
from cotdata.render.token_text import TokenText
from cotdata.render.tokenizer import Tokenizer
from cotdata.render.verdict import Verdict

#: One row in so many is also compared with the template's own render.
SAMPLED: Final = 32
#: Characters of a text, and token ids, that stand in evidence, from where two differ.
_SHOWN: Final = 120
_SHOWN_IDS: Final = 12
#: Reasons that are not named after their check.
_REASON_OF: Final[Mapping[str, str]] = {"length": "too_long"}


@dataclass(frozen=True)
class Claim:
    """Rows with what is said to have been made of them.

    `texts` has prompt and completion (String, not null). `ids` and `labels` are None where there
    are no tokens; `labels` also where they follow from `ids`.
    """

    texts: pl.DataFrame
    ids: Ids | None = None
    labels: NDArray[np.int32] | None = None
    #: Check → rows whose other columns contradict these.
    wrong: Mapping[str, Mask] = field(default_factory=dict)


@dataclass(frozen=True)
class Judgement:
    """What the checks found: `reason` and `evidence` for each row, null where all hold."""

    reason: pl.Series
    evidence: pl.Series
    checks: Counter[str]


@dataclass(frozen=True)
class Prover:
    """Proves rows for one model."""

    settings: Render
    verdict: Verdict
    process: TemplateProcess
    tokenizer: Tokenizer | None
    text: TokenText | None
    stop_id: int
    #: Whether the template decides by what no probe shows, so that every row is compared.
    compares_all: bool = False

    def encode(self, texts: pl.DataFrame) -> Ids:
        """Return the ids of prompts and completions, each encoded by itself, as a server does."""
        if self.tokenizer is None:
            message = "there is no tokenizer"
            raise TypeError(message)
        if self.tokenizer.prefixes:  # a blank before the prompt, and none before what goes on
            prompts = self.tokenizer.encode(texts["prompt"])
            completions = self.tokenizer.encode(texts["completion"], continues=True)
            places = np.arange(texts.height)
            found = joined(prompts, 2 * places, completions, 2 * places + 1)
        else:
            pieces = texts.select(pl.concat_list("prompt", "completion").alias("piece"))
            found = self.tokenizer.encode(pieces["piece"].explode())
        return Ids(found.ids, found.offsets[0::2], found.offsets[1::2], found.fell_back)

    def judge(self, composed: pl.DataFrame, claim: Claim, again: Ids | None) -> Judgement:
        """Make every check on rows that could be composed.

        Args:
            composed: What must be written for each row (`COMPOSED_SCHEMA`).
            claim: What is said to be written.
            again: The claimed texts encoded anew; the claim's own ids where they just were.
        """
        rows = composed.height
        slots = Slots(self.verdict.before, self.verdict.between)
        failures = text_failures(claim.texts, composed, slots)
        evidence = _Evidence(self, composed, claim, again)
        if claim.ids is not None and again is not None and self.tokenizer is not None:
            expected = Expected(
                self.stop_id,
                self.tokenizer.bos_id,
                composed["bos_count"].to_numpy(),
                self.tokenizer.vocab_size,
                self.settings.max_tokens,
            )
            found = id_failures(claim.ids, claim.labels, again, expected)
            failures = _either(failures, found)
            lost = self._lost(claim.ids, claim.texts)
            failures["round_trip"] = failures["round_trip"] | lost
        failures = _either(failures, claim.wrong)
        failures["control_tokens"] = np.zeros(rows, bool)  # found when the row was composed
        names = first_failures(failures, rows)
        return Judgement(names.replace(_REASON_OF), evidence.all(names), passed(failures, rows))

    def compare(
        self, source: pl.DataFrame, shapes: pl.DataFrame, texts: pl.DataFrame, reason: pl.Series
    ) -> tuple[Mask, list[str | None]]:
        """Compare rows with the template's own render.

        Returns which rows were compared, and for each row what differs, as evidence. Where one of
        the sample differs, all are compared: it is not the only one.
        """
        chosen = self._chosen(source, reason)
        different = self._compared(source, shapes, texts, chosen)
        if any(different) and not chosen.all():
            others = reason.is_null().to_numpy() & ~chosen
            found = self._compared(source, shapes, texts, others)
            different = [one or other for one, other in zip(different, found, strict=True)]
            chosen |= others
        return chosen, different

    def _compared(
        self, source: pl.DataFrame, shapes: pl.DataFrame, texts: pl.DataFrame, chosen: Mask
    ) -> list[str | None]:
        places = np.flatnonzero(chosen)
        different: list[str | None] = [None] * source.height
        rows = source[places].with_columns(shapes[places])
        claimed = texts[places].rows()
        asked = []
        for row in rows.iter_rows(named=True):
            settings = orjson.loads(row["settings"])
            chat = conversation(row, self.settings.system)
            asked += [
                Chat(chat, settings),
                Chat([*chat, self._answer(row)], settings, is_prompt=False),
            ]
        outcomes = self.process.render(asked)
        for number, place in enumerate(places.tolist()):
            prompt, completion = claimed[number]
            row = rows.row(number, named=True)
            own, whole = outcomes[2 * number], outcomes[2 * number + 1]
            different[place] = self._difference(row, own.text, whole.text, prompt, completion)
        return different

    def _answer(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        if row["reasoning"] is None or self.verdict.encoding is Encoding.COMPOSED:
            return {"role": "assistant", "content": row["Response"]}
        return answered(self.verdict.encoding, row["Complex_CoT"], row["Response"])

    def _difference(
        self,
        row: Mapping[str, Any],
        own: str | None,
        whole: str | None,
        prompt: str,
        completion: str,
    ) -> str | None:
        """Return how a row differs from the template's own render of it, as evidence."""
        asked = prompt.removesuffix(row["block"])
        if own != asked:
            return difference(own or "", asked)
        if row["reasoning"] is None or self.verdict.encoding is Encoding.COMPOSED:
            return None
        # What the template leaves open is closed by the stop token; blanks that end the prompt
        # may be missing from its render.
        body = completion.removesuffix(self.verdict.end)
        if continues(whole, asked, body):
            return None
        return difference((whole or "").removeprefix(asked.rstrip()).lstrip(), body)

    def _chosen(self, source: pl.DataFrame, reason: pl.Series) -> Mask:
        if self.settings.proof == "full" or self.compares_all:
            return reason.is_null().to_numpy()
        chosen = source.select(text_hash(pl.col("Question")) % SAMPLED == 0).to_series()
        return (chosen & reason.is_null()).to_numpy()

    def _lost(self, ids: Ids, texts: pl.DataFrame) -> Mask:
        """Say which rows' ids do not give back their text."""
        whole = texts.select(pl.concat_str("prompt", "completion")).to_series()
        lost = np.zeros(ids.rows, bool)
        if self.text is not None:
            column = whole.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
            lost[self.text.differing(ids.flat, ids.starts, column.cast(pa.large_string()))] = True
        elif self.tokenizer is not None:
            lists = [ids.row(place).tolist() for place in range(ids.rows)]
            lost = np.array(self.tokenizer.decode_batch(lists), object) != whole.to_numpy()
        return lost


def _either(one: Mapping[str, Mask], other: Mapping[str, Mask]) -> dict[str, Mask]:
    """Return the rows that fail a check by one account or the other."""
    both = {name: one[name] | other[name] for name in one.keys() & other.keys()}
    return {**one, **other, **both}


@dataclass(frozen=True)
class _Evidence:
    """Words what was expected of a row, and what was found."""

    prover: Prover
    composed: pl.DataFrame
    claim: Claim
    again: Ids | None

    def all(self, names: pl.Series) -> pl.Series:
        found: list[str | None] = [None] * len(names)
        for place in names.is_not_null().arg_true().to_list():
            content = self._of(names[place], place)
            found[place] = orjson.dumps(content).decode()
        return pl.Series("evidence", found, pl.String)

    def _of(self, check: str, place: int) -> dict[str, Any]:
        row = self.composed.row(place, named=True)
        prompt, completion = self.claim.texts.row(place)
        whole = row["prompt"] + row["completion"]
        words: dict[str, Callable[[], dict[str, Any]]] = {
            "reasoning": lambda: _reasoning(row, prompt, completion),
            "prompt": lambda: _parts(row["prompt"], prompt),
            "trained_span": lambda: {
                "expected": row["end"],
                "found": self._trained_end(place, completion),
            },
            "bos": lambda: {"expected": row["bos_count"], "found": self._beginning(place)},
            "token_ids": lambda: self._ids(place),
            "length": lambda: self._length(place),
        }
        return words.get(check, lambda: self._round_trip(place, whole))()

    def _length(self, place: int) -> dict[str, Any]:
        n_tokens = int(self.claim.ids.lengths()[place]) if self.claim.ids is not None else 0
        return {"n_tokens": n_tokens, "max_tokens": self.prover.settings.max_tokens}

    def _trained_end(self, place: int, completion: str) -> str:
        ids, tokenizer = self.claim.ids, self.prover.tokenizer
        if ids is None or tokenizer is None:
            return completion[-_SHOWN:]
        start, stop = ids.starts[place], ids.starts[place + 1]
        if self.claim.labels is None:
            return tokenizer.decode(ids.flat[start:stop][-_SHOWN_IDS:])
        labels = self.claim.labels[start:stop]
        trained = labels[labels >= 0]
        head, tail = trained[:_SHOWN_IDS], trained[-_SHOWN_IDS:]
        return f"{tokenizer.decode(head)}…{tokenizer.decode(tail)}"

    def _beginning(self, place: int) -> str:
        ids, tokenizer = self.claim.ids, self.prover.tokenizer
        if ids is None or tokenizer is None:
            return ""
        return tokenizer.decode(ids.row(place)[:_SHOWN_IDS])

    def _ids(self, place: int) -> dict[str, Any]:
        if self.claim.ids is None or self.again is None:
            return {}
        expected, found = self.again.row(place), self.claim.ids.row(place)
        size = min(len(expected), len(found))
        same = expected[:size] == found[:size]
        at = int(np.argmin(same)) if size and not same.all() else size
        shown = slice(at, at + _SHOWN_IDS)
        return {
            "at": at,
            "expected": expected[shown].tolist(),
            "found": found[shown].tolist(),
        }

    def _round_trip(self, place: int, expected: str) -> dict[str, Any]:
        ids, tokenizer = self.claim.ids, self.prover.tokenizer
        if ids is None or tokenizer is None:
            return _parts(expected, "".join(self.claim.texts.row(place)))
        content = _parts(expected, tokenizer.decode(ids.row(place)))
        return content | ({"normalizes": tokenizer.normalizes} if tokenizer.normalizes else {})


def _reasoning(row: Mapping[str, Any], prompt: str, completion: str) -> dict[str, Any]:
    marker, reasoning = row["between"].strip(), row["reasoning"] or ""
    return {
        "marker": marker,
        "marker_occurs": completion.count(marker),
        "reasoning_occurs": (prompt + completion).count(reasoning),
        "expected": _cut(row["completion"]),
        "found": _cut(completion),
    }


def conversation(row: Mapping[str, Any], system: str | None) -> list[Mapping[str, str]]:
    """Return a row's conversation up to its question."""
    turns = row["history"] or []
    asked = row["system"] if row["system"] is not None else system
    shape = Shape(asked is not None, tuple(turn["role"] for turn in turns))
    texts = {f"turn {place}": turn["content"] for place, turn in enumerate(turns)}
    return shape.messages({**texts, "system": asked or "", "Question": row["Question"]})


def difference(expected: str, found: str) -> str:
    """Return the evidence of two texts that differ, from where they do."""
    return orjson.dumps(_parts(expected, found)).decode()


def _parts(expected: str, found: str) -> dict[str, Any]:
    size = min(len(expected), len(found))
    at = next((place for place in range(size) if expected[place] != found[place]), size)
    start = max(0, at - 20)
    return {
        "at": at,
        "expected": expected[start : start + _SHOWN],
        "found": found[start : start + _SHOWN],
    }


def _cut(text: str) -> str:
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]}…{text[-_SHOWN:]}"
