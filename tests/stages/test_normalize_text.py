import json
import re
import sys
import unicodedata
from typing import Any

import ftfy
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cotdata.row import WHITE_SPACE
from cotdata.stages.normalize_text import (
    CONTROLS,
    MOJIBAKE_HINT,
    NFC_HINT,
    NO_MOJIBAKE,
    ZERO_WIDTH,
    NormalizeText,
)
from tests.stages.frames import PIECES, frame, questions
from tests.stages.runner import run

CODES = [code for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
DECOMPOSED = [chr(code) for code in CODES if unicodedata.decomposition(chr(code))]
MARKS = [chr(code) for code in CODES if unicodedata.combining(chr(code))]
OFF = NormalizeText(
    mojibake=False, newlines=False, control_characters=False, zero_width=False, unicode_nfc=False
)


def repaired(text: str, config: NormalizeText | None = None) -> str:
    """Return what becomes of one text that is not the Question."""
    rows = frame([{"Question": "q", "Response": text}])
    return str(run(rows, config or NormalizeText()).kept["Response"][0])


def only(*switches: str) -> NormalizeText:
    return OFF.model_copy(update=dict.fromkeys(switches, True))


def in_plain_python(text: str) -> str:
    """Do the same with the standard library, character by character where it can be."""
    before = None
    while text != before:
        before = text
        if re.search(MOJIBAKE_HINT, text):
            parts = NO_MOJIBAKE.split(text)
            text = "".join(
                part if at % 2 else ftfy.fix_encoding(part) for at, part in enumerate(parts)
            )
        text = text.replace("\r\n", "\n")
        text = "".join("\n" if sign in "\r\x85\u2028\u2029" else sign for sign in text)
        text = "".join(s for s in text if unicodedata.category(s) != "Cc" or s in "\t\n")
        text = "".join(s for s in text if s not in "\xad\u200b\u2060\u2061\u2062\u2063\u2064\ufeff")
        text = unicodedata.normalize("NFC", text)
    return text


def read_wrongly(text: str) -> str:
    return text.encode().decode("latin-1")


TEXT = st.lists(
    st.one_of(
        st.sampled_from(PIECES),
        st.sampled_from(DECOMPOSED),
        st.sampled_from(MARKS),
        st.text(max_size=4),
        st.text(st.characters(max_codepoint=0x17F), max_size=4),
        st.text(max_size=3).map(read_wrongly),
        st.text(max_size=2).map(read_wrongly).map(read_wrongly),
    ),
    max_size=5,
).map("".join)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.lists(TEXT, min_size=1, max_size=8))
def test_it_does_what_plain_python_does(texts: list[str]) -> None:
    # A character that this Python does not know yet may compose in a newer Unicode.
    assume(
        all(unicodedata.category(sign) != "Cn" for text in texts for sign in in_plain_python(text))
    )
    rows = frame([{"Question": "q", "Response": text} for text in texts])
    kept = run(rows, NormalizeText()).kept
    assert kept["Response"].to_list() == [in_plain_python(text) for text in texts]


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=8))
def test_a_second_run_finds_nothing(texts: list[tuple[str, str]]) -> None:
    rows = frame([{"Question": question, "Response": text} for question, text in texts])
    once = run(rows, NormalizeText()).kept
    again = run(once, NormalizeText())
    assert again.kept.equals(once)
    assert again.rejected.is_empty()
    assert again.notes == {}


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.lists(TEXT, max_size=8))
def test_notes_count_the_texts_that_changed(texts: list[str]) -> None:
    rows = frame([{"Question": "q", "Response": text} for text in texts])
    result = run(rows, only("zero_width"))
    changed = sum(old != new for old, new in zip(texts, result.kept["Response"], strict=True))
    assert result.notes == ({"Response: zero-width characters": changed} if changed else {})


def test_nfc_is_never_needed_where_its_hint_is_silent() -> None:
    second = {
        int(parts[1], 16)
        for code in CODES
        if len(parts := unicodedata.decomposition(chr(code)).split()) == 2
        and not parts[0].startswith("<")
    }
    hangul = {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}
    needed = [
        chr(code)
        for code in CODES
        if code in second | hangul
        or unicodedata.combining(chr(code))
        or unicodedata.normalize("NFC", chr(code)) != chr(code)
    ]
    silent = pl.Series(needed).filter(~pl.Series(needed).str.contains(NFC_HINT))
    assert silent.to_list() == []


def test_the_hint_is_silent_on_common_text() -> None:
    common = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x300), *range(0x4E00, 0xA000)]))
    common += "".join(
        map(chr, [*range(0x3041, 0x3097), *range(0xAC00, 0xD7A4), *range(0x410, 0x450)])
    )
    assert not pl.Series([common]).str.contains(NFC_HINT)[0]


def test_nfc_is_as_new_as_polars() -> None:
    # Kirat Rai came with Unicode 16, which is newer than the oldest Python's tables.
    assert repaired("\U00016d67\U00016d67") == "\U00016d68"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("patientâ€™s", "patient’s"),
        ("naÃ¯ve CÃ´te d'Ivoire", "naïve Côte d'Ivoire"),
        ("5â€“10 mg", "5–10 mg"),
        ("30 Âµg, 37Â°C", "30 µg, 37°C"),
        ("æ‚£è€…å\x8f‘çƒ\xad", "患者发热"),
        (read_wrongly("患者发热怎么办"), "患者发热怎么办"),
        (read_wrongly(read_wrongly("déjà")), "déjà"),
        ("don\x92t", "don’t"),
        ("3 Å from the patientâ€™s", "3 Å from the patient’s"),
    ],
)
def test_mojibake_is_undone(text: str, expected: str) -> None:
    assert repaired(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "L’été à Paris, « où ça ? » — ÇA VA, ÉCOLE “ÉLÉMENTAIRE”…",
        "Crème brûlée, naïveté, cœur, Noël, ŒUVRE, É.",
        "Größe: 5 µm ± 0,2 °C, Straße, ÜBER",
        "¿Qué pasó? ¡Mañana! NIÑO, SÃO PAULO",
        "患者发热三天，伴咳嗽、咳痰。体温39℃，“怎么办？”",
        "熱が出た。『どうする』",
        "열이 나요",
        "کتاب‌ها می‌خواهم",
        "नमस्ते, क्‍ष",
        "👨‍👩‍👧 ❤️ 🩺",
        "PSA 60 Å², 3 Å³, 5 Å±0.2, 3 Å from; electrons per Å² at",
        "α-helix, β², ∂f/∂x ≤ ½, R² = 0.9, x̄",
        "\tindented\n\n  code",
    ],
)
def test_good_text_stays_as_it_is(text: str) -> None:
    assert repaired(text) == text


@pytest.mark.parametrize("end", ["\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_every_line_end_becomes_a_newline(end: str) -> None:
    assert repaired(f"a{end}b{end}{end}c") == "a\nb\n\nc"
    assert repaired(f"a{end}b", only("newlines")) == "a\nb"


def test_a_line_end_in_a_text_with_other_signs_is_no_mojibake() -> None:
    assert repaired("café”\x85next") == "café”\nnext"


def test_control_characters_go_but_for_tabs_and_line_ends() -> None:
    controls = "".join(chr(code) for code in CODES if unicodedata.category(chr(code)) == "Cc")
    assert repaired(f"a{controls}b", only("control_characters")) == "a\t\n\rb"
    assert repaired("\x1b[31mred\x1b[0m", only("control_characters")) == "[31mred[0m"
    assert len(re.findall(CONTROLS, controls)) == len(controls) - 3


@pytest.mark.parametrize("sign", ["\u00ad", "\u200b", *map(chr, range(0x2060, 0x2065)), "\ufeff"])
def test_invisible_characters_go(sign: str) -> None:
    assert repaired(f"{sign}a{sign}b{sign}", only("zero_width")) == "ab"
    assert re.fullmatch(ZERO_WIDTH, sign)


@pytest.mark.parametrize("sign", ["\u200c", "\u200d", "\ufe0f", "\u200e", "\u200f", "\u3000"])
def test_joiners_and_marks_that_scripts_need_stay(sign: str) -> None:
    assert repaired(f"a{sign}b") == f"a{sign}b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("e\u0301", "é"),
        ("\u1112\u1161\u11ab", "한"),
        ("5 \u212b, \u2126", "5 Å, Ω"),
        ("\u0374", "\u02b9"),
        ("a\u0323\u0307", "\u1ea1\u0307"),
        ("a\u0307\u0323", "\u1ea1\u0307"),
        ("ﬁ ½ Ａ", "ﬁ ½ Ａ"),
    ],
)
def test_characters_are_composed_but_not_folded(text: str, expected: str) -> None:
    assert repaired(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ã\u200b©", "é"),  # zero-width space inside mojibake
        ("A\u0303©", "é"),  # NFC makes mojibake
        ("e\u200b\u0301", "é"),  # removal brings a mark to its letter
        ("a\x00\u0308", "ä"),
        ("\r\x00\n", "\n\n"),
    ],
)
def test_what_one_repair_uncovers_is_repaired_too(text: str, expected: str) -> None:
    assert repaired(text) == expected


@pytest.mark.parametrize(
    ("switch", "text"),
    [
        ("mojibake", "patientâ€™s"),
        ("newlines", "a\r\nb"),
        ("control_characters", "a\x00b"),
        ("zero_width", "a\u200bb"),
        ("unicode_nfc", "e\u0301"),
    ],
)
def test_each_repair_has_its_switch(switch: str, text: str) -> None:
    everything_else = NormalizeText().model_copy(update={switch: False})
    assert repaired(text, everything_else) == text
    assert repaired(text, OFF) == text
    assert repaired(text, only(switch)) != text


def test_only_the_columns_asked_for_are_repaired() -> None:
    rows = frame([{name: "a\x00" for name in ("Question", "Complex_CoT", "answer", "system")}])
    kept = run(rows, NormalizeText(columns=("answer",))).kept
    assert kept.select("Question", "Complex_CoT", "answer", "system").row(0) == (
        "a\x00",
        "a\x00",
        "a",
        "a\x00",
    )


def test_every_change_is_counted_once_for_each_text() -> None:
    rows = frame(
        [
            {"Question": " a\u200b", "Response": "Ã\u200b©, Ã\u200b©\r\n\x00"},
            {"Question": "b\u200b\u200b", "Response": "e\u0301e\u0301"},
            {"Question": "c", "Response": None, "system": "\x00"},
        ]
    )
    assert run(rows, NormalizeText()).notes == {
        "Question: zero-width characters": 2,
        "Question: blanks at the ends": 1,
        "Response: mojibake": 1,
        "Response: newlines": 1,
        "Response: control characters": 1,
        "Response: zero-width characters": 1,
        "Response: Unicode NFC": 1,
    }


@pytest.mark.parametrize("text", ["\ufeff why?", "why?\u200b \u200b", "\x00\u3000why?\r\n"])
def test_the_question_is_stripped_once_its_ends_are_clean(text: str) -> None:
    assert run(questions(text), NormalizeText()).kept["Question"].to_list() == ["why?"]


def test_other_columns_keep_the_blanks_at_their_ends() -> None:
    assert repaired(" a\n") == " a\n"


@pytest.mark.parametrize("text", ["\u200b", "\ufeff\u2060 ", "\x00", "\u00ad\n", "â€‹"])
def test_a_question_of_invisible_characters_is_rejected_as_it_was(text: str) -> None:
    result = run(questions(text, "why?"), NormalizeText())
    assert result.kept["Question"].to_list() == ["why?"]
    assert result.rejected["Question"].to_list() == [text]
    assert result.rejected["reason"].to_list() == ["empty_question"]
    assert json.loads(result.rejected["evidence"][0]) == {"characters": len(text)}


def test_no_text_stays_no_text() -> None:
    rows = frame([{"Question": None}, {"Question": "a\x00"}])
    kept = run(rows, NormalizeText()).kept
    assert kept["Question"].to_list() == [None, "a"]
    assert kept["Response"].to_list() == [None, None]


def test_white_space_at_the_ends_is_what_the_row_contract_means() -> None:
    rows = questions(*(f"{sign}why?{sign}" for sign in WHITE_SPACE))
    config: dict[str, Any] = OFF.model_dump() | {"columns": ["Question"]}
    kept = run(rows, NormalizeText.model_validate(config)).kept
    assert set(kept["Question"]) == {"why?"}
