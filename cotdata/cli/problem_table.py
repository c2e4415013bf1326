"""How the records that are no rows are shown."""

from collections import Counter
from typing import Final

import orjson

from cotdata.cli.tables import print_table
from cotdata.cli.terminal import counted, write_line, write_text
from cotdata.report.meanings import note_words
from cotdata.run import Validation

#: Evidence is shown up to here; `--json` has all of it.
_EVIDENCE_CHARS: Final = 200


def print_validation(found: Validation, *, limit: int, as_json: bool) -> None:
    """Print the problems of a source's records as a table and in numbers, or as JSON."""
    problems = found.problems
    counts = Counter(problems["reason"].to_list())
    if as_json:
        result = {
            "records": found.records,
            "kept": found.kept,
            "rejected": problems.height,
            "reasons": dict(sorted(counts.items())),
            "notes": dict(sorted(found.notes.items())),
            "problems": [
                {**row, "evidence": orjson.Fragment(row["evidence"])}
                for row in problems.select("origin", "reason", "evidence").to_dicts()
            ],
        }
        write_text(orjson.dumps(result))
        return
    shown = problems.head(limit)
    if shown.height:
        columns = zip(
            shown["origin"], shown["reason"], map(_evidence, shown["evidence"]), strict=True
        )
        print_table(["record", "reason", "evidence"], [list(row) for row in columns])
    if problems.height > shown.height:
        more = problems.height - shown.height
        write_line(f"… and {more:,} more; --limit {problems.height} shows all")
    for note, count in sorted(found.notes.items()):
        write_line(f"note: {note_words(note)} {count:,}")
    why = ", ".join(f"{reason} {count:,}" for reason, count in counts.most_common())
    write_line(
        f"{counted(found.records, 'record')}: {found.kept:,} "
        f"{'is a row' if found.kept == 1 else 'are rows'}, {problems.height:,} "
        f"{'is' if problems.height == 1 else 'are'} not" + (f" ({why})" if why else "")
    )


def _evidence(text: str) -> str:
    """Return evidence as `key: value` pairs."""
    evidence = orjson.loads(text)
    parts = evidence if isinstance(evidence, list) else [evidence]
    said = "; ".join(
        ", ".join(f"{key}: {_value(value)}" for key, value in part.items())
        if isinstance(part, dict)
        else _value(part)
        for part in parts
    )
    return said if len(said) <= _EVIDENCE_CHARS else said[:_EVIDENCE_CHARS] + "…"


def _value(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
