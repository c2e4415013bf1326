"""Proposes a recipe for a file that nobody has described yet: what `cotdata init FILE` prints."""

import re
from collections.abc import Iterable
from typing import Final

from cotdata.errors import Location, SourceError
from cotdata.sources.adapters import ADAPTER_NAMES, has_columns_of
from cotdata.sources.adapters.column_names import Match, listed, match_columns, printable
from cotdata.sources.adapters.yaml_scalar import yaml_scalar
from cotdata.sources.records import Peek

SEED: Final = 3407
VALIDATION: Final = 0.02

#: How reasoning is marked inside a text; a mapping cannot cut it out.
REASONING_MARKS: Final = (
    *("<think>", "<reasoning>", "<thought>", "<|begin_of_thought|>", "[THINK]", "## Thinking"),
)
_REQUIRED: Final = ("Question", "Complex_CoT", "Response")
_CONVERSATIONS: Final = frozenset({"conversations", "conversation", "messages", "dialog"})


def propose(peek: Peek, name: str, path_label: str) -> str:
    """Return a complete recipe for a file, with comments that say why each column is mapped.

    Native schemas get their adapter, others a mapping by the columns' names. What cannot be mapped
    (nested columns, reasoning inside a reply) is said in comments. Whatever the names of columns
    and files hold, the text is YAML that reads back to them.

    Args:
        peek: The file's first records.
        name: Names the recipe, its source and its output folder; what is no letter, digit, `-`,
            `_` or `.` becomes `_`.
        path_label: The file, as the recipe shall name it.

    Raises:
        SourceError: No column can be the Question; names the columns found.
    """
    plain = _plain_name(name)
    adapter, required = _adapter(peek, path_label)
    lines = [
        "schema: 1",
        f"name: {yaml_scalar(plain)}",
        f"seed: {SEED}",
        "",
        "sources:",
        f"  - name: {yaml_scalar(plain)}",
        f"    from: {yaml_scalar(path_label)}",
        *(f"    {line}" for line in adapter),
        "",
        "stages:",
        "  - kind: normalize_text",
        *_require_fields(required),
        "  - kind: exact_dedup",
        "  - kind: split",
        f"    validation: {VALIDATION}",
        "",
        "output:",
        f"  dir: {yaml_scalar(f'build/{plain}')}",
    ]
    return "\n".join(lines) + "\n"


def _plain_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).strip("._-") or "dataset"


def _adapter(peek: Peek, path_label: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the source's lines that name its adapter, and which canonical columns it fills."""
    native = _native(peek)
    if native is not None:
        columns = ADAPTER_NAMES[native]
        comment = f"# {listed(columns)}: the columns of this adapter's data set"
        rest = [column for column in peek.columns if column not in columns]
        return [comment, f"adapter: {native}", *_unboxed(peek, native), *_rest(rest)], _REQUIRED
    guesses = match_columns(peek)
    if "Question" not in guesses:
        raise _no_question(peek, path_label)
    used = {column for guess in guesses.values() for column in guess.columns}
    rest = [column for column in peek.columns if column not in used]
    lines = [
        *_numina_would_fit(peek),
        "# Guessed from names and first values: check each line.",
        "adapter:",
        *(line for item in guesses.items() for line in _mapped(*item, peek)),
        *_rest(rest),
        *_nested(peek, rest),
    ]
    return lines, tuple(column for column in _REQUIRED if column in guesses)


def _native(peek: Peek) -> str | None:
    """Return the adapter made for these columns: by its columns, and by boxes for NuminaMath."""
    fits = [name for name in ADAPTER_NAMES if has_columns_of(name, peek)]
    if "medical_o1" in fits:
        return "medical_o1"
    is_boxed = _count_with(peek, "solution", r"\boxed") > 0
    if "numina_math_cot" in fits and "answer" not in peek.columns and is_boxed:
        return "numina_math_cot"
    return None


def _unboxed(peek: Peek, native: str) -> list[str]:
    count = len(peek.examples) - _count_with(peek, "solution", r"\boxed")
    if native != "numina_math_cot" or count == 0:
        return []
    return [
        f"# {count} of the first {len(peek.examples)} solutions have no \\boxed{{}}: they get no",
        "# Response, and require_fields rejects them.",
    ]


def _numina_would_fit(peek: Peek) -> list[str]:
    is_boxed = _count_with(peek, "solution", r"\boxed") > 0
    if not is_boxed or not has_columns_of("numina_math_cot", peek):
        return []
    return [
        "# `adapter: numina_math_cot` fits too: it takes the Response (a whole sentence) and the",
        "# answer from the last box of the solution.",
    ]


def _mapped(canonical: str, guess: Match, peek: Peek) -> Iterable[str]:
    columns = ", ".join(yaml_scalar(column) for column in guess.columns)
    yield f"  # {canonical} from {columns}: {guess.why}"
    for mark in REASONING_MARKS if canonical in {"Complex_CoT", "Response"} else ():
        count = _count_with(peek, guess.columns[0], mark)
        if count:
            yield f"  # {count} of the first {len(peek.examples)} hold {mark}, which stays inside:"
            yield "  # a mapping can't cut a text apart yet."
    yield f"  {canonical}: {yaml_scalar(guess.value)}"


def _count_with(peek: Peek, column: str, mark: str) -> int:
    values = (example.get(column) for example in peek.examples)
    return sum(mark in value for value in values if isinstance(value, str))


def _rest(columns: Iterable[str]) -> list[str]:
    names = [yaml_scalar(column) for column in columns]
    return [f"# To meta, unchanged: {', '.join(names)}"] if names else []


def _nested(peek: Peek, columns: Iterable[str]) -> list[str]:
    nested = [column for column in columns if peek.columns[column] & {"array", "object"}]
    names = ", ".join(yaml_scalar(column) for column in nested)
    return [f"# Lists or objects, which a mapping can't read yet: {names}"] if nested else []


def _require_fields(filled: tuple[str, ...]) -> list[str]:
    if filled == _REQUIRED:
        return ["  - kind: require_fields"]
    missing = " and no ".join(column for column in _REQUIRED if column not in filled)
    return [
        f"  # No {missing} was found, so only what is there is required.",
        "  - kind: require_fields",
        f"    columns: [{', '.join(filled)}]",
    ]


def _no_question(peek: Peek, path_label: str) -> SourceError:
    where = Location(printable(path_label))
    if not peek.columns:
        return SourceError("there are no records", where, "give a file that has some")
    nested = [column for column in peek.columns if column in _CONVERSATIONS]
    what = f"no column looks like a question; the columns are {listed(peek.columns)}"
    if nested:
        fix = (
            f"{listed(nested)} holds whole conversations, which no adapter reads yet: write each "
            "exchange as one record with a column for the question and one for the reply"
        )
    else:
        fix = "name the column by hand: `adapter: {Question: …, Complex_CoT: …, Response: …}`"
    return SourceError(what, where, fix)
