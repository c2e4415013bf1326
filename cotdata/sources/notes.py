"""What a source counts besides its rejects: the manifest's names for it, and what they mean."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Note(NamedTuple):
    """A kind of note: in a few words, which a count follows, and in full."""

    words: str
    meaning: str


SOURCE_NOTES: Final[Mapping[str, Note]] = {
    "question_stripped": Note(
        "Question: blanks at the ends", "Questions that had blanks at their ends."
    ),
    "null_in_template": Note(
        "null in a template",
        "Records in which a column of a template was null and another was not; the null became "
        "empty text.",
    ),
    "no_boxed_answer": Note(
        "no boxed answer",
        "`numina_math_cot`: solutions without a box, or with empty ones only.",
    ),
    "several_boxed": Note(
        "several boxes",
        "`numina_math_cot`: solutions with more than one box; the last one counts.",
    ),
    "box_passed_over": Note(
        "later box empty or open",
        "`numina_math_cot`: solutions in which a later box is empty or never closes.",
    ),
    "messages_equal_columns": Note(
        "messages said the same",
        "`numina_math_cot`: records whose `messages` say exactly what `problem` and `solution` "
        "say; they are left out of `meta`.",
    ),
    "blank_lines": Note(
        "blank lines", "Empty lines of JSON Lines, CSV and TSV files, which are passed over."
    ),
    "<encoding>_decoded": Note(
        "files read as <encoding>",
        "1 for each file that is not UTF-8: `utf16_decoded` by its byte order mark, "
        "`latin_1_decoded` and so on by the source's `encoding`.",
    ),
    "read_as_json_lines": Note(
        "files read as JSON Lines", "1 for each `.json` file that holds JSON Lines."
    ),
    "read_as_one_record": Note(
        "files read as one record", "1 for each `.json` file that is a single record."
    ),
    "trailing_comma": Note(
        "comma after the last record", "JSON documents with a comma after their last record."
    ),
    "unclosed_document": Note(
        "document not closed", "JSON documents that end before their last bracket."
    ),
    "not_finite_to_null": Note(
        "NaN or infinity to null",
        "NaN and infinities of Parquet and Arrow files, which JSON cannot write.",
    ),
    "mixed_types": Note(
        "read with mixed types",
        "Records of a hub's data set in which `datasets` made one text of values of several types.",
    ),
}
_DECODED: Final = "_decoded"


def note_words(name: str) -> str:
    """Return a note's name in words; one that is not a source's is in words already."""
    if name in SOURCE_NOTES:
        return SOURCE_NOTES[name].words
    if name.endswith(_DECODED):
        encoding = name.removesuffix(_DECODED).replace("_", "-").replace("utf16", "utf-16")
        return f"files read as {encoding.replace('utf32', 'utf-32')}"
    return name
