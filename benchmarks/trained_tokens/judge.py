"""Whether trained tokens are right: one row's ids and labels against what must be trained."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.trained_tokens.truth import Expected, Truth

#: Label of a token that is not trained.
IGNORED = -100


@dataclass(frozen=True)
class Trained:
    """What a tool made of one row."""

    ids: list[int]
    labels: list[int]

    @property
    def start(self) -> int:
        """Return where the first trained token stands; the length where there is none."""
        marks = (place for place, label in enumerate(self.labels) if label != IGNORED)
        return next(marks, len(self.labels))

    @property
    def trained(self) -> list[int]:
        """Return the trained tokens, in order."""
        return [label for label in self.labels if label != IGNORED]


@dataclass(frozen=True)
class Verdict:
    """One row's answers.

    Attributes:
        has_reasoning: the full reasoning is among the trained tokens.
        has_prompt: what is masked before them is, id for id, what a server sends.
        has_stop: the trained span ends in the stop token, a newline after it forgiven.
        is_right: ids and labels are those of `Expected`, a newline after the stop forgiven.
        boundary: how the masked part differs where `has_prompt` is false.
        prompt_tokens: where nothing is masked: the trained tokens before the reasoning.
        trained_tokens: how many tokens are trained.
    """

    has_reasoning: bool
    has_prompt: bool
    has_stop: bool
    is_right: bool
    boundary: str
    prompt_tokens: int
    trained_tokens: int

    @property
    def is_unmasked(self) -> bool:
        """Tell whether the reasoning is trained, and all that stands before it too."""
        return self.prompt_tokens > 0


@dataclass
class Score:
    """The verdicts on all rows by one tool for one family; an absent row counts against it."""

    rows: int
    present: int = 0
    reasoning: int = 0
    prompt: int = 0
    stop: int = 0
    right: int = 0
    untrained: int = 0
    prompt_tokens: int = 0
    unmasked_tokens: int = 0
    boundaries: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count one row."""
        self.present += 1
        self.reasoning += verdict.has_reasoning
        self.prompt += verdict.has_prompt
        self.stop += verdict.has_stop
        self.right += verdict.is_right
        self.untrained += verdict.trained_tokens == 0
        if verdict.is_unmasked:
            self.prompt_tokens += verdict.prompt_tokens
            self.unmasked_tokens += verdict.trained_tokens
        if verdict.boundary:
            self.boundaries[verdict.boundary] += 1


def judge(got: Trained, expected: Expected, truth: Truth) -> Verdict:
    """Compare one row."""
    trained = got.trained
    has_prompt = got.ids[: got.start] == expected.prompt and bool(trained)
    text = truth.decode(trained)
    place = text.find(expected.reasoning)
    is_unmasked = got.start == 0 and place > 0
    return Verdict(
        has_reasoning=place >= 0,
        has_prompt=has_prompt,
        has_stop=_ends_in_stop(trained, truth),
        is_right=_is_right(got, expected, truth),
        boundary="" if has_prompt else _boundary(got, expected, truth),
        prompt_tokens=len(truth.encode(text[:place])) if is_unmasked else 0,
        trained_tokens=len(trained),
    )


def judge_all(
    rows: Iterable[tuple[int, Trained]], expected: Sequence[Expected], truth: Truth
) -> Score:
    """Compare the rows that a tool kept, each with its number."""
    score = Score(len(expected))
    for index, got in rows:
        score.add(judge(got, expected[index], truth))
    return score


def _is_right(got: Trained, expected: Expected, truth: Truth) -> bool:
    """Tell whether all is as expected; what follows the stop may be one newline, trained or not."""
    ids = [*expected.prompt, *expected.completion]
    labels = [IGNORED] * len(expected.prompt) + expected.completion
    if (got.ids, got.labels) == (ids, labels):
        return True
    newline = truth.newline_id
    is_one_more = got.ids == [*ids, newline] and got.labels[:-1] == labels
    return is_one_more and got.labels[-1] in {newline, IGNORED}


def _boundary(got: Trained, expected: Expected, truth: Truth) -> str:
    """Say how the masked part differs from the prompt that a server sends."""
    start, prompt = got.start, expected.prompt
    whole = [*prompt, *expected.completion]
    if start == len(got.labels):
        return "nothing trained"
    if start == 0:
        return "nothing masked"
    if got.ids[:start] == whole[:start] and start > len(prompt):
        return f"{start - len(prompt)} late"
    if got.ids[:start] == prompt[:start]:
        is_sent = got.ids[: len(prompt)] == prompt
        return f"{len(prompt) - start} {'early' if is_sent else 'missing'}"
    if got.ids[: len(prompt)] == prompt:
        return f"{start - len(prompt)} more masked"
    return "another prompt" if expected.question in truth.decode(got.ids) else "text lost"


def _ends_in_stop(trained: list[int], truth: Truth) -> bool:
    """Tell whether one stop token ends the trained span; several of them are trained padding."""
    span = trained[:-1] if trained[-1:] == [truth.newline_id] else trained
    return span[-1:] == [truth.stop_id] and span[-2:-1] != [truth.stop_id]
