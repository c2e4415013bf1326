"""Guesses which columns of a data set mean the canonical ones, from names and first values."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from cotdata.sources.records import EVIDENCE, PLACE, RAW, REASON, REST, Peek

#: Names seen in published sets, the most telling first; compared without case and punctuation.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "Question": (
        *("formatted_question", "formated_question", "Question", "Open-ended Verifiable Question"),
        *("problem", "query", "prompt", "problem_text", "user_prompt", "instruction", "task"),
        *("user", "input", "request", "问题", "提问"),
    ),
    "Complex_CoT": (
        *("Complex_CoT", "cot", "chain_of_thought", "reasoning_content", "reasoning", "think"),
        *("thinking", "thought", "thoughts", "deepseek_thinking_trajectory", "deepseek_reasoning"),
        *("thinking_trajectory", "rationale", "reason", "reasoning_trace", "scratchpad"),
        *("explanation", "思考", "推理"),
    ),
    "Response": (
        *("Response", "output", "content", "completion", "deepseek_solution", "deepseek_attempt"),
        *("gen_ans", "model_answer", "model_response", "model_completion", "final_response"),
        *("reply", "assistant", "canonical_solution", "回答"),
    ),
    "answer": (
        *("Ground-True Answer", "ground_truth", "ground_truth_answer", "gt_answer", "gold_answer"),
        *("reference_answer", "expected_answer", "correct_answer", "final_answer", "gold"),
    ),
    "system": ("system", "system_prompt"),
}
ANSWER: Final = ("answer", "答案")
SOLUTION: Final = ("solution", "reference_solution")

#: `answer` may be a reply or a gold answer; if all are this short they can be checked against.
GOLD_CHARS: Final = 60

_TEXT_KINDS: Final = frozenset({"string", "number", "boolean"})
_RESERVED: Final = frozenset({"", PLACE, REST, REASON, EVIDENCE, RAW})
#: Names that are near to telling ones and mean something else: tests, and lists written as text.
_OTHERS: Final = frozenset({"inputoutput", "solutions", "answers"})
_OTHER_ENDS: Final = frozenset({"id", "idx", "index", "type", "url", "source", "name", "key"})
#: difflib's ratio: `qestion` is near to `question` (0.93), `context` not to `content` (0.857).
_NEAR: Final = 0.86


@dataclass(frozen=True)
class Match:
    """A guess: what a mapping would say for one canonical column, and why."""

    value: str
    columns: tuple[str, ...]
    why: str


def match_columns(peek: Peek) -> dict[str, Match]:
    """Return a guess for each canonical column that has one, in the canonical order.

    Columns that hold lists or objects are never guessed, nor those that are null throughout.
    """
    texts = {name: values for name, values in _texts(peek) if values}
    strings = {name: texts[name] for name in texts if "string" in peek.columns[name]}
    found = _question(strings)
    used = [column for match in found.values() for column in match.columns]
    for canonical in ("Complex_CoT", "Response", "answer", "system"):
        fit = texts if canonical in {"Response", "answer"} else strings
        guess = _by_name([name for name in fit if name not in used], NAMES[canonical])
        if guess is not None:
            found[canonical] = guess
            used += guess.columns
    found |= _answers(texts, strings, found)
    order = ("Question", "Complex_CoT", "Response", "system", "answer")
    return {canonical: found[canonical] for canonical in order if canonical in found}


def _texts(peek: Peek) -> Iterable[tuple[str, list[str]]]:
    for column, kinds in peek.columns.items():
        if kinds <= _TEXT_KINDS | {"null"} and column not in _RESERVED:
            values = [example.get(column) for example in peek.examples]
            yield column, [str(value) for value in values if value is not None]


def _question(texts: Mapping[str, list[str]]) -> dict[str, Match]:
    instruction = _first(texts, "instruction")
    question = _by_name([name for name in texts if name != instruction], NAMES["Question"])
    if instruction is None:
        return {"Question": question} if question else {}
    if question is None:
        return {"Question": _match(instruction, "the name")}
    if len(texts[instruction]) > 1 and len(set(texts[instruction])) == 1:
        why = "the same text in all of the first records, beside a question"
        return {"Question": question, "system": _match(instruction, why)}
    if _key(question.columns[0]) == "input":
        return {"Question": _alpaca(instruction, question.columns[0])}
    return {"Question": question}


def _alpaca(instruction: str, more: str) -> Match:
    if "{" in instruction + more or "}" in instruction + more:
        return _match(instruction, "the name")
    why = "an instruction, then its input where there is one, as Alpaca has them"
    return Match(f"{{{instruction}}}\n\n{{{more}}}", (instruction, more), why)


def _answers(
    texts: Mapping[str, list[str]], strings: Iterable[str], found: Mapping[str, Match]
) -> dict[str, Match]:
    """Say what `solution` and `answer` mean: that depends on what else there is."""
    used = {column for match in found.values() for column in match.columns}
    solution = _by_name([name for name in strings if name not in used], SOLUTION)
    answer = _by_name([name for name in texts if name not in used], ANSWER)
    guesses: dict[str, Match] = {}
    if answer is not None and "Response" not in found:
        guesses["Response"] = answer
    if solution is not None and "Complex_CoT" not in found and "Response" not in found:
        canonical = "Complex_CoT" if answer is not None else "Response"
        guesses[canonical] = Match(solution.value, solution.columns, "the worked solution")
    if answer is not None and "answer" not in found:
        lengths = [len(value) for value in texts[answer.columns[0]]]
        if "Response" in found or "Complex_CoT" in guesses or max(lengths) <= GOLD_CHARS:
            why = "the name, and short or beside another reply: an answer to check against"
            guesses["answer"] = Match(answer.value, answer.columns, why)
    return guesses


def _by_name(columns: Iterable[str], names: Iterable[str]) -> Match | None:
    every = list(columns)
    wanted = [_key(name) for name in names]
    for name in wanted:
        exact = _first(every, name)
        if exact is not None:
            return _match(exact, "the name")
    keys = {_key(column): column for column in every if _is_open_to_guesses(column)}
    for name in wanted:
        near = get_close_matches(name, keys, n=1, cutoff=_NEAR) if len(name) > 4 else []
        if near:
            return _match(keys[near[0]], f"the name, close to `{name}`")
    for name in wanted:
        for column in keys.values():
            if name == _last_word(column):
                return _match(column, f"the name ends in `{name}`")
    return None


def _is_open_to_guesses(column: str) -> bool:
    return _key(column) not in _EXACT | _OTHERS and _last_word(column) not in _OTHER_ENDS


def _last_word(column: str) -> str:
    return re.split(r"[\W_]+", column)[-1].lower()


def _first(columns: Iterable[str], key: str) -> str | None:
    return next((column for column in columns if _key(column) == key), None)


def _match(column: str, why: str) -> Match:
    return Match(column.replace("{", "{{").replace("}", "}}"), (column,), why)


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


_EXACT: Final = frozenset(
    _key(name) for names in (*NAMES.values(), ANSWER, SOLUTION) for name in names
)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is nearest to a mistaken one, if one is near."""
    by_key = {key: candidate for candidate in known for key in (candidate.lower(), candidate)}
    if len(name) > 3:
        for key, candidate in by_key.items():
            if key.startswith(name.lower()):
                return candidate
    near = get_close_matches(name.lower(), by_key, n=1, cutoff=0.6)
    return by_key[near[0]] if near else None


def printable(name: str) -> str:
    """Return a name on one line, with escapes for what cannot be printed, not over 80 long."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
    return f"{text[:80]}…" if len(text) > 80 else text


def shown(name: str) -> str:
    """Return a name as a message shows it."""
    return f"`{printable(name)}`"


def listed(names: Iterable[str], most: int = 30) -> str:
    """Return names as a message can list them."""
    every = list(names)
    if not every:
        return "none"
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(shown(name) for name in every[:most]) + more
