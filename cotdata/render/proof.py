"""The proof of a row: eight checks on texts and token ids, each a mask over all rows at once."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cotdata.render.columns import IGNORED

#: Check → what it proves; a row that fails is rejected with the check's name.
CHECKS: Final[Mapping[str, str]] = {
    "control_tokens": "no text of the row would be read as a control token or a think tag",
    "reasoning": "the reasoning stands once, in its slot, closed, before the answer",
    "prompt": "the prompt is the template's own for that conversation",
    "bos": "there is one beginning-of-sequence token where the template writes one, and no other",
    "trained_span": "the completion is trained, all of it and nothing else, and ends in the stop "
    "token",
    "token_ids": "the ids are those of the prompt and, after them, those of the completion",
    "round_trip": "the ids give back the text, and the text the row",
    "length": "prompt and completion fit into `max_tokens`",
}
#: Reason → what it means, and what its evidence holds.
REASONS: Final[Mapping[str, str]] = {
    "no_answer": "The row has no `Response`, so there is nothing to train.",
    "no_reasoning": "The row has no `Complex_CoT`, and the model has no form without it or the "
    "recipe rejects such rows.",
    "template_refuses": "The chat template refuses the conversation. Evidence: `message`.",
    "template_render": "The template's own render differs from the composed one. Evidence: "
    "`expected` and `found`, from where they differ.",
    "control_tokens": "A text of the row would be read as a control token. Evidence: `column` and "
    "`token`.",
    "reasoning": "The reasoning does not stand once, closed, before the answer. Evidence: "
    "`marker`, how often it occurs, and how often the reasoning does.",
    "prompt": "The prompt is not the template's. Evidence: `expected` and `found`.",
    "bos": "The beginning-of-sequence token is missing or doubled. Evidence: `expected`, `found`.",
    "trained_span": "What is trained is not the completion up to its stop token. Evidence: "
    "`expected` and `found`.",
    "token_ids": "The ids are not those of prompt and completion. Evidence: `expected`, `found`.",
    "round_trip": "The ids do not give back the text. Evidence: `expected` and `found`, from where "
    "they differ, and `normalizes` where the tokenizer changes text.",
    "too_long": "More tokens than `max_tokens`; rows are never cut. Evidence: `n_tokens`, "
    "`max_tokens`.",
}

#: Reasoning shorter than this may occur elsewhere by chance.
LONG_BYTES: Final = 64

Mask = NDArray[np.bool_]


class Slots(NamedTuple):
    """What stands before the reasoning in a completion, and between it and the answer."""

    before: str
    between: str


@dataclass(frozen=True)
class Ids:
    """Token ids of rows as they are claimed, or as they are encoded again.

    Row i is `flat[starts[i]:starts[i + 1]]`; its completion begins at `completions[i]`.
    """

    flat: NDArray[np.int32]
    starts: NDArray[np.int64]
    completions: NDArray[np.int64]
    #: Whether the fast library was found to differ on a sample, so that it was not used.
    fell_back: bool = False

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.completions)

    def lengths(self) -> NDArray[np.int64]:
        """How many tokens each row has."""
        return np.diff(self.starts)

    def trained(self) -> NDArray[np.int64]:
        """How many tokens of each row are trained: those of its completion."""
        return self.starts[1:] - self.completions

    def row(self, place: int) -> NDArray[np.int32]:
        """Return the ids of one row."""
        return self.flat[self.starts[place] : self.starts[place + 1]]

    def labels(self) -> NDArray[np.int32]:
        """Return the ids with `IGNORED` in place of each prompt's."""
        sizes = np.empty(2 * self.rows, np.int64)
        sizes[0::2] = self.completions - self.starts[:-1]
        sizes[1::2] = self.trained()
        is_trained = np.repeat(np.tile(np.array([False, True]), self.rows), sizes)
        return np.where(is_trained, self.flat, np.int32(IGNORED))

    def counts(self, wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many ids of each row are among the wanted (a table over the vocabulary)."""
        return self.sums(wanted[self.flat])

    def sums(self, marks: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many of each row's tokens are marked."""
        total = np.zeros(len(marks) + 1, np.int64)
        np.cumsum(marks, out=total[1:])
        return total[self.starts[1:]] - total[self.starts[:-1]]

    def equal(self, other: "Ids") -> Mask:
        """Say of each row whether the other has the same ids and the same boundary."""
        same: Mask = (self.lengths() == other.lengths()) & (self.trained() == other.trained())
        if same.all():
            if np.array_equal(self.flat, other.flat):
                return same
            differing: Mask = self.sums(self.flat != other.flat) == 0
            return same & differing
        for place in np.flatnonzero(same).tolist():
            same[place] = np.array_equal(self.row(place), other.row(place))
        return same


@dataclass(frozen=True)
class Expected:
    """What the ids of rows must be."""

    stop_id: int
    bos_id: int | None
    #: How often the prompt's form writes the bos token; -1 for rows that no form wrote.
    bos_count: NDArray[np.int64]
    vocab_size: int
    max_tokens: int | None


def text_failures(claimed: pl.DataFrame, composed: pl.DataFrame, form: Slots) -> dict[str, Mask]:
    """Return the rows that fail a check on texts.

    Args:
        claimed: With prompt and completion (String, not null).
        composed: What must be written for each row (`COMPOSED_SCHEMA`).
        form: What stands around the reasoning.
    """
    both = composed.with_columns(
        claimed_prompt=claimed["prompt"], claimed_completion=claimed["completion"]
    )
    completion, reasoning = pl.col("claimed_completion"), pl.col("reasoning")
    slot = pl.concat_str(pl.lit(form.before), reasoning, pl.lit(form.between))
    misplaced = (
        completion.str.count_matches(form.between.strip(), literal=True) != 1
    ) | ~completion.str.starts_with(slot)
    checks = both.select(
        reasoning=(reasoning.is_not_null() & misplaced).fill_null(value=False),
        prompt=pl.col("claimed_prompt") != pl.col("prompt"),
        trained_span=~completion.str.ends_with(pl.col("end")),
        round_trip=completion != pl.col("completion"),
    )
    failures = {name: checks[name].to_numpy() for name in checks.columns}
    failures["reasoning"] = failures["reasoning"] | _repeated(both)
    return failures


def _repeated(rows: pl.DataFrame) -> Mask:
    """Say which rows have their reasoning a second time, in the prompt or in the answer.

    A short reasoning ("Yes.") may well stand there by chance; a text that is shorter than the
    reasoning cannot hold it.
    """
    size = pl.col("reasoning").str.len_bytes()
    is_long = size >= LONG_BYTES
    has_room = (pl.col("claimed_prompt").str.len_bytes() >= size) | (
        pl.col("claimed_completion").str.len_bytes() >= 2 * size
    )
    places = rows.select((is_long & has_room).fill_null(value=False)).to_series().arg_true()
    repeated = np.zeros(rows.height, bool)
    if len(places):
        completion, reasoning = pl.col("claimed_completion"), pl.col("reasoning")
        found = rows[places].select(
            (_occurrences(completion, reasoning) > 1)
            | (_occurrences(pl.col("claimed_prompt"), reasoning) > 0)
        )
        repeated[places.to_numpy()] = found.to_series().to_numpy()
    return repeated


def _occurrences(text: pl.Expr, part: pl.Expr) -> pl.Expr:
    # `count_matches` would compile a regular expression for each row, and long ones not at all.
    return text.str.split(part).list.len().cast(pl.Int64) - 1


def id_failures(
    ids: Ids, labels: NDArray[np.int32] | None, again: Ids, expected: Expected
) -> dict[str, Mask]:
    """Return the rows that fail a check on token ids.

    Args:
        ids: As claimed, with the boundaries that `labels` say.
        labels: As claimed; None where they are made of `ids`.
        again: The claimed texts encoded anew; the same object where they just were.
        expected: What the rows must be.
    """
    last = ids.flat[np.maximum(ids.starts[1:] - 1, 0)]
    failures = {"trained_span": (last != expected.stop_id) | (ids.trained() < 1)}
    if labels is not None:
        wrong = ids.sums(labels != ids.labels()) > 0
        failures["trained_span"] |= wrong | (ids.trained() != again.trained())
    failures["token_ids"] = ~ids.equal(again) if again is not ids else np.zeros(ids.rows, bool)
    failures["bos"] = _bos_failures(ids, expected)
    if expected.max_tokens is not None:
        failures["length"] = ids.lengths() > expected.max_tokens
    return failures


def _bos_failures(ids: Ids, expected: Expected) -> Mask:
    if expected.bos_id is None:
        return np.zeros(ids.rows, bool)
    wanted = np.zeros(expected.vocab_size, bool)
    wanted[expected.bos_id] = True
    failed: Mask = (expected.bos_count >= 0) & (ids.counts(wanted) != expected.bos_count)
    return failed


def first_failures(failures: Mapping[str, Mask], rows: int) -> pl.Series:
    """Return the name of the first check that each row fails, in the order of `CHECKS`."""
    names = np.full(rows, None, dtype=object)
    for check in reversed(list(CHECKS)):
        if check in failures:
            names[failures[check]] = check
    return pl.Series("check", names.tolist(), pl.String)


def passed(failures: Mapping[str, Mask], rows: int) -> Counter[str]:
    """Count the rows that passed each check that was made."""
    return Counter({name: rows - int(mask.sum()) for name, mask in failures.items()})
