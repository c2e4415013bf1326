"""Says how rows were rendered, and how many of them each check proved."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from cotdata.manifest import Manifest, RenderRecord, StageRecord
from cotdata.render.proof import CHECKS, REASONS
from cotdata.report.shares import Share
from cotdata.report.text import Excerpt

#: The stage under whose name rendering accounts for its rows.
RENDER: Final = "render"
#: A note on rows whose prompt and completion would be other tokens if they were encoded together.
MERGES: Final = "boundary_merge"

FORM_CHARS: Final = 4_000
VALUE_CHARS: Final = 2_000

#: Reasons that are not named after their check.
_REASONS: Final = {"length": "too_long"}
_SLOT: Final = re.compile(r"\{(?:Question|Complex_CoT|Response|system|history|eos|turn \d+)\}")


@dataclass(frozen=True)
class Piece:
    """A piece of a form: text as it is, or the place of one of a row's texts."""

    text: Excerpt
    is_slot: bool


@dataclass(frozen=True)
class Check:
    """One check of the proof, or a reason for which rows never came to the checks."""

    name: str
    meaning: str
    #: None for a reason that is no check.
    passed: int | None
    #: Rows that were rejected for it; a row counts where it failed first.
    rejected: int


@dataclass(frozen=True)
class Proof:
    """What the report says of the rendering."""

    record: RenderRecord
    rows: int
    kept: int
    rejected: int
    checks: tuple[Check, ...]
    prompt: tuple[Piece, ...]
    completion: tuple[Piece, ...]
    switches: Excerpt
    merges: int

    @property
    def sentence(self) -> str:
        """What was proven, in one sentence."""
        rows = f"{self.kept:,} {'row' if self.kept == 1 else 'rows'}"
        if not self.kept:
            return "No row was rendered"
        if self.record.tokens is None:
            return f"{rows} rendered as text: there is no tokenizer, so no token is proven"
        return f"{rows} proven on their tokens: each passed every check"

    @property
    def apart(self) -> tuple[tuple[str, Share], ...]:
        """The rows that are proven, by what they were held against."""
        compared = self.record.compared
        return (
            ("by the template’s segments alone", Share(self.kept - compared, self.kept)),
            ("also compared with the template’s own render", Share(compared, self.kept)),
        )


def proof(manifest: Manifest) -> Proof | None:
    """Return what there is to say of a run's rendering; None where nothing was rendered."""
    record = manifest.render
    if record is None:
        return None
    stage = render_stage(manifest)
    reasons = stage.reasons if stage else {}
    kept = stage.kept if stage else manifest.after.rows
    return Proof(
        record=record,
        rows=stage.rows_in + stage.made if stage else kept,
        kept=kept,
        rejected=stage.rejected if stage else 0,
        checks=_checks(record.checks, reasons),
        prompt=pieces(record.prompt),
        completion=pieces(record.completion),
        switches=Excerpt.of(settings_text(record.template_kwargs), VALUE_CHARS),
        merges=stage.notes.get(MERGES, 0) if stage else 0,
    )


def render_stage(manifest: Manifest) -> StageRecord | None:
    """Return the account of the rendering, if there is one."""
    return next((stage for stage in reversed(manifest.stages) if stage.kind == RENDER), None)


def pieces(form: str) -> tuple[Piece, ...]:
    """Cut a form into what is written as it is and the slots."""
    found = []
    left, done = FORM_CHARS, 0
    for slot in _SLOT.finditer(form):
        found += [(form[done : slot.start()], False), (slot[0], True)]
        done = slot.end()
    found.append((form[done:], False))
    shown = []
    for text, is_slot in found:
        if text and left > 0:
            shown.append(Piece(Excerpt.of(text, left), is_slot))
            left -= len(text)
    return tuple(shown)


def render_meaning(reason: str) -> str:
    """Return what a reason of rendering means; empty if nobody says."""
    return _plain(REASONS.get(reason, "").split(" Evidence:")[0])


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return settings as `name: value`, one after the other."""
    return ", ".join(f"{name}: {_value(value)}" for name, value in settings.items())


def _value(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _checks(passed: Mapping[str, int], reasons: Mapping[str, int]) -> tuple[Check, ...]:
    """Return the checks in the order in which they are made, then what else rejected rows."""
    names = [name for name in CHECKS if name in passed]
    names += sorted(name for name in passed if name not in CHECKS)
    checks = [
        Check(name, _plain(CHECKS.get(name, "")), passed[name], reasons.get(_reason(name), 0))
        for name in names
    ]
    others = sorted(reasons.keys() - {_reason(name) for name in names})
    checks += [Check(name, render_meaning(name), None, reasons[name]) for name in others]
    return tuple(checks)


def _reason(check: str) -> str:
    return _REASONS.get(check, check)


def _plain(text: str) -> str:
    """Leave out the marks of code, which a page would show as they are."""
    return text.replace("`", "")
