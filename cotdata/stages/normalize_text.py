"""Repairs text without changing what it says: encoding, newlines, invisible characters, NFC."""

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Final, Literal, NamedTuple

import ftfy
import polars as pl
from pydantic import Field

from cotdata.stages.base import Scope, StageConfig, StageResult, split_on_reason

NormalizableColumn = Literal["Question", "Complex_CoT", "Response", "system", "answer"]

# Bytes of UTF-8 read as Latin-1 or Windows-1252: a lead byte's character, then a continuation
# byte's. A superset of what can be mojibake; ftfy judges each text that has it.
MOJIBAKE_HINT: Final = (
    "[\u00c2-\u00f4][\u0080-\u00bf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160"
    "\u2039\u0152\u017d\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153"
    "\u017e\u0178]"
)
# Line ends of Windows and old Mac, NEL, and Unicode's line and paragraph separators.
NEWLINES: Final = "\r\n|\r|\u0085|\u2028|\u2029"
# C0 and C1 controls but for tab and newline, and DEL. ESC goes with them, and with it the start of
# every terminal escape sequence.
CONTROLS: Final = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
# Soft hyphen, zero-width space, word joiner, invisible operators, byte order mark. The zero-width
# joiner and non-joiner stay: Persian, Indic scripts and emoji are wrong without them.
ZERO_WIDTH: Final = "[\u00ad\u200b\u2060-\u2064\ufeff]"
# Characters that are not certain to stand in NFC already (Unicode Standard Annex 15,
# NFC_Quick_Check No or Maybe): marks, Hangul vowels and finals, and characters with a canonical
# singleton or an excluded decomposition. `tests/stages` recomputes the list from `unicodedata`.
NFC_HINT: Final = (
    r"[\p{M}\u{1161}-\u{1175}\u{11A8}-\u{11C2}"
    r"\u{37E}\u{387}\u{958}-\u{95F}\u{9DC}-\u{9DF}\u{A33}-\u{A5E}\u{B5C}-\u{B5D}\u{F43}-\u{F69}"
    r"\u{1F71}-\u{1FFD}\u{2000}-\u{2001}\u{2126}-\u{212B}\u{2329}-\u{232A}\u{2ADC}"
    r"\u{F900}-\u{FAD9}\u{FB1D}-\u{FB4E}\u{1D15E}-\u{1D1C0}\u{2F800}-\u{2FA1D}]"
)


class NormalizeText(StageConfig):
    """Repairs `columns` in this order: mojibake, newlines, control and zero-width characters, NFC.

    Each kind of change is counted, in texts changed. The Question is stripped again afterwards,
    and rejected where nothing is left of it.
    """

    scope: ClassVar[Scope] = "row"
    version: ClassVar[int] = 1
    changes: ClassVar[bool] = True
    reasons: ClassVar[Mapping[str, str]] = {
        "empty_question": "The Question held nothing but invisible characters. Evidence: "
        "`characters`, how many it had.",
    }

    kind: Literal["normalize_text"] = "normalize_text"
    columns: Annotated[tuple[NormalizableColumn, ...], Field(min_length=1)] = Field(
        default=("Question", "Complex_CoT", "Response"), description="Columns that are repaired."
    )
    mojibake: bool = Field(
        default=True, description="Undo UTF-8 that was read as Latin-1 or Windows-1252 (ftfy)."
    )
    newlines: bool = Field(default=True, description="Write every line end as a newline.")
    control_characters: bool = Field(
        default=True, description="Remove control characters but for tab and newline."
    )
    zero_width: bool = Field(
        default=True, description="Remove invisible characters but for joiners."
    )
    unicode_nfc: bool = Field(default=True, description="Compose characters (Unicode NFC).")


class _Repair(NamedTuple):
    note: str
    hint: str
    apply: Callable[[pl.Series], pl.Series]


def normalize_text(rows: pl.DataFrame, config: NormalizeText) -> StageResult:
    """Repair the text of `config.columns` (String, nullable) and count the changes.

    Reason: `empty_question`. Notes: `<column>: <kind of change>` → texts changed.
    """
    notes: dict[str, int] = {}
    repaired = []
    for name in config.columns:
        column = rows[name]
        for repair in _repairs(config):
            column = _repair(column, repair, notes)
        if name == "Question":
            column = _strip(column, notes)
        repaired.append(column)
    normalized = rows.with_columns(repaired)
    emptied = (normalized["Question"] == "").fill_null(value=False)
    result = split_on_reason(
        rows,
        pl.when(pl.lit(emptied)).then(pl.lit("empty_question")),
        pl.struct(characters=pl.col("Question").str.len_chars()),
    )
    return StageResult(normalized.filter(~emptied), result.rejected, notes)


def _repairs(config: NormalizeText) -> list[_Repair]:
    steps = [
        (config.mojibake, _Repair("mojibake", MOJIBAKE_HINT, _fix_encoding)),
        (config.newlines, _Repair("newlines", NEWLINES, _replace(NEWLINES, "\n"))),
        (
            config.control_characters,
            _Repair("control characters", CONTROLS, _replace(CONTROLS, "")),
        ),
        (config.zero_width, _Repair("zero-width characters", ZERO_WIDTH, _replace(ZERO_WIDTH, ""))),
        (config.unicode_nfc, _Repair("Unicode NFC", NFC_HINT, _compose)),
    ]
    return [repair for is_on, repair in steps if is_on]


def _repair(column: pl.Series, repair: _Repair, notes: dict[str, int]) -> pl.Series:
    """Repair the few texts that the hint finds; the others are not touched."""
    places = column.str.contains(repair.hint).arg_true()
    if places.is_empty():
        return column
    before = column.gather(places)
    after = repair.apply(before)
    return _put_back(column, places, before, after, f"{column.name}: {repair.note}", notes)


def _strip(column: pl.Series, notes: dict[str, int]) -> pl.Series:
    stripped = column.str.strip_chars()
    places = (stripped != column).arg_true()
    if places.is_empty():
        return column
    before, after = column.gather(places), stripped.gather(places)
    return _put_back(column, places, before, after, f"{column.name}: blanks at the ends", notes)


def _put_back(
    column: pl.Series,
    places: pl.Series,
    before: pl.Series,
    after: pl.Series,
    note: str,
    notes: dict[str, int],
) -> pl.Series:
    changed = int((before != after).sum())
    if not changed:
        return column
    notes[note] = notes.get(note, 0) + changed
    return column.clone().scatter(places, after)


def _replace(pattern: str, value: str) -> Callable[[pl.Series], pl.Series]:
    return lambda texts: texts.str.replace_all(pattern, value)


def _fix_encoding(texts: pl.Series) -> pl.Series:
    return pl.Series(texts.name, [ftfy.fix_encoding(text) for text in texts], dtype=pl.String)


def _compose(texts: pl.Series) -> pl.Series:
    return texts.str.normalize("NFC")
