"""Repairs text without changing what it says: encoding, newlines, invisible characters, NFC."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Final, Literal, NamedTuple

import ftfy
import polars as pl
from pydantic import AfterValidator, Field

from cotdata.stages.base import Scope, StageConfig, StageResult, distinct, split_on_reason

NormalizableColumn = Literal["Question", "Complex_CoT", "Response", "system", "answer"]

# Bytes of UTF-8 read as Latin-1 or Windows-1252: a lead byte's character, then a continuation
# byte's; and what Windows-1252 read as Latin-1 leaves, but for NEL, which is a line end. ftfy
# judges each text that has one of them.
MOJIBAKE_HINT: Final = (
    "[\u00c2-\u00f4][\u0080-\u00bf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160"
    "\u2039\u0152\u017d\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153"
    "\u017e\u0178]|[\x80-\x84\x86-\x9f]"
)
# What ftfy would take for mojibake in good text: the angstrom sign of `60 Å²` and `3 Å from`, and a
# line end (NEL) that no character stands before with which it could be one.
NO_MOJIBAKE: Final = re.compile(
    r"((?<![^\W\d_])Å(?=[²³±·](?![^\W\d_]))|(?:(?<=\d)|(?<=\d ))Å(?= )|(?<![\x80-\xff])\x85)"
)
# Line ends of Windows and old Mac, NEL, and Unicode's line and paragraph separators.
NEWLINES: Final = "\r\n|\r|\u0085|\u2028|\u2029"
# C0 and C1 controls but for tab, newline and carriage return, and DEL. ESC goes with them, and with
# it the start of every terminal escape sequence.
CONTROLS: Final = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
# Soft hyphen, zero-width space, word joiner, invisible operators, byte order mark. The zero-width
# joiner and non-joiner stay: Persian, Indic scripts and emoji are wrong without them.
ZERO_WIDTH: Final = "[\u00ad\u200b\u2060-\u2064\ufeff]"
# Characters that are not certain to stand in NFC already (Unicode Standard Annex 15,
# NFC_Quick_Check No or Maybe): marks, Hangul vowels and finals, and characters with a canonical
# singleton or an excluded decomposition. `tests/stages` recomputes the list from `unicodedata`.
NFC_HINT: Final = (
    r"[\p{M}\u{1161}-\u{1175}\u{11A8}-\u{11C2}"
    r"\u{374}\u{37E}\u{387}\u{958}-\u{95F}\u{9DC}-\u{9DF}\u{A33}-\u{A5E}\u{B5C}-\u{B5D}\u{F43}-\u{F69}"
    r"\u{1F71}-\u{1FFD}\u{2000}-\u{2001}\u{2126}-\u{212B}\u{2329}-\u{232A}\u{2ADC}"
    r"\u{F900}-\u{FAD9}\u{FB1D}-\u{FB4E}\u{16D63}-\u{16D6A}\u{1D15E}-\u{1D1C0}\u{2F800}-\u{2FA1D}]"
)


class NormalizeText(StageConfig):
    """Repairs `columns` in this order: mojibake, newlines, control and zero-width characters, NFC.

    What one repair uncovers for an earlier one is repaired too, so that a second run finds nothing.
    Each kind of change is counted, in texts changed. The Question is stripped again as well, and
    rejected where nothing is left of it.
    """

    scope: ClassVar[Scope] = "row"
    version: ClassVar[int] = 1
    changes: ClassVar[bool] = True
    reasons: ClassVar[Mapping[str, str]] = {
        "empty_question": "The Question held nothing but invisible characters. Evidence: "
        "`characters`, how many it had.",
    }

    kind: Literal["normalize_text"] = "normalize_text"
    columns: Annotated[
        tuple[NormalizableColumn, ...], Field(min_length=1), AfterValidator(distinct)
    ] = Field(
        default=("Question", "Complex_CoT", "Response"), description="Columns that are repaired."
    )
    mojibake: bool = Field(
        default=True,
        description="Undo UTF-8 that was read as Latin-1 or Windows-1252, and Windows-1252 that "
        "was read as Latin-1 (ftfy).",
    )
    newlines: bool = Field(default=True, description="Write every line end as a newline.")
    control_characters: bool = Field(
        default=True,
        description="Remove control characters but for tab, newline and carriage return.",
    )
    zero_width: bool = Field(
        default=True, description="Remove invisible characters but for joiners."
    )
    unicode_nfc: bool = Field(default=True, description="Compose characters (Unicode NFC).")


class _Repair(NamedTuple):
    note: str
    #: Found in every text that the repair would change.
    hint: str
    apply: Callable[[pl.Series], pl.Series]


def normalize_text(rows: pl.DataFrame, config: NormalizeText) -> StageResult:
    """Repair the text of `config.columns` (String, nullable) and count the changes.

    Reason: `empty_question`. Notes: `<column>: <kind of change>` → texts changed.
    """
    notes: dict[str, int] = {}
    normalized = rows.with_columns(
        _repaired(rows[name], _repairs(name, config), notes) for name in config.columns
    )
    emptied = (normalized["Question"] == "").fill_null(value=False)
    result = split_on_reason(
        rows,
        pl.when(pl.lit(emptied)).then(pl.lit("empty_question")),
        pl.struct(characters=pl.col("Question").str.len_chars()),
    )
    return StageResult(normalized.filter(~emptied), result.rejected, notes)


def _repairs(column: str, config: NormalizeText) -> list[_Repair]:
    steps = [
        (config.mojibake, "mojibake", MOJIBAKE_HINT, _fix_encoding),
        (config.newlines, "newlines", NEWLINES, _replace(NEWLINES, "\n")),
        (config.control_characters, "control characters", CONTROLS, _replace(CONTROLS, "")),
        (config.zero_width, "zero-width characters", ZERO_WIDTH, _replace(ZERO_WIDTH, "")),
        (config.unicode_nfc, "Unicode NFC", NFC_HINT, _compose),
        (column == "Question", "blanks at the ends", r"^\s|\s$", _strip),
    ]
    return [
        _Repair(f"{column}: {kind}", hint, apply) for is_on, kind, hint, apply in steps if is_on
    ]


def _repaired(column: pl.Series, repairs: list[_Repair], notes: dict[str, int]) -> pl.Series:
    """Repair a column's texts until no repair changes them.

    One pass is not enough: a zero-width space may stand inside mojibake, and NFC may make some.
    """
    if not repairs:
        return column
    changed: defaultdict[str, set[int]] = defaultdict(set)
    # One scan for all hints together: most texts have none.
    places = column.str.contains("|".join(repair.hint for repair in repairs)).arg_true()
    while not places.is_empty():
        before = after = column.gather(places)
        for repair in repairs:
            repaired = _apply(repair, after)
            changed[repair.note].update(places.filter(repaired != after))
            after = repaired
        places, after = places.filter(after != before), after.filter(after != before)
        column = column.clone().scatter(places, after)
    notes.update({note: len(texts) for note, texts in changed.items() if texts})
    return column


def _apply(repair: _Repair, texts: pl.Series) -> pl.Series:
    places = texts.str.contains(repair.hint).arg_true()
    if places.is_empty():
        return texts
    return texts.clone().scatter(places, repair.apply(texts.gather(places)))


def _replace(pattern: str, value: str) -> Callable[[pl.Series], pl.Series]:
    return lambda texts: texts.str.replace_all(pattern, value)


def _fix_encoding(texts: pl.Series) -> pl.Series:
    return pl.Series(texts.name, [_without_mojibake(text) for text in texts], dtype=pl.String)


def _without_mojibake(text: str) -> str:
    # Every second part is one that `NO_MOJIBAKE` found.
    parts = enumerate(NO_MOJIBAKE.split(text))
    return "".join(part if place % 2 else ftfy.fix_encoding(part) for place, part in parts)


def _compose(texts: pl.Series) -> pl.Series:
    return texts.str.normalize("NFC")


def _strip(texts: pl.Series) -> pl.Series:
    return texts.str.strip_chars()
