"""Rows that are hard on a stage: nulls, blanks, twins, every script, characters nobody sees."""

from typing import Any, Final

import polars as pl
from hypothesis import settings
from hypothesis import strategies as st

from cotdata.row import ROW_SCHEMA
from cotdata.stages.base import NUMBER

#: What the frames of these tests have: a build's columns, and a number that a stage might add.
SCHEMA: Final = pl.Schema({NUMBER: pl.UInt64(), **ROW_SCHEMA, "score": pl.Float64()})

LAW: Final = settings(deadline=None, max_examples=15, derandomize=True)

PIECES: Final = (
    "", " ", "\t\n", "\u3000", "\x1c", "a", "A", "ａ", "b", "a  b", "é", "e\u0301", "A\u0303", "©",
    "发热", "怎么办？", "熱が出た", "열이 나요", "\u1112\u1161\u11ab", "می\u200cخواهم",
    "👨\u200d👩", "\u200b", "\ufeff", "\u00ad", "\x00", "\x1b[0m", "\x85", "\x92", "\r\n", "\r",
    "\u2028", "patientâ€™s", "Ã", "Ã©", "Â°", "café”", "60 Å²", "\u0374", "\u0958", "ﬁ", "ß", "İ",
    "Σ", "½", '"\\', "{}", "null", "🩺", "\ufffd",
)  # fmt: skip

PIECE: Final = st.one_of(st.sampled_from(PIECES), st.sampled_from(PIECES), st.text(max_size=3))
#: Short, so that twins are frequent.
TEXT: Final = st.lists(PIECE, max_size=3).map("".join)
NULLABLE: Final = st.one_of(st.none(), TEXT)
HISTORY: Final = st.one_of(
    st.none(), st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": TEXT}))
)
RECORD: Final = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["a", "b"]),
        "Question": NULLABLE,
        "Complex_CoT": NULLABLE,
        "Response": NULLABLE,
        "system": NULLABLE,
        "history": HISTORY,
        "answer": NULLABLE,
        "language": st.sampled_from([None, "en", "zh"]),
        "meta": st.sampled_from([None, "{}"]),
        "score": st.one_of(st.none(), st.floats(), st.sampled_from([0.0, 1.0])),
    }
)


def frame(records: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows as a build has them: numbered, and named by their number."""
    named = {
        number: {
            NUMBER: number,
            "row_id": f"a:{number}",
            "origin": f"a.jsonl:{number + 1}",
            "source": "a",
        }
        for number in range(len(records))
    }
    return pl.DataFrame([named[at] | record for at, record in enumerate(records)], schema=SCHEMA)


def questions(*texts: str | None) -> pl.DataFrame:
    """Return rows that have nothing but a Question."""
    return frame([{"Question": text} for text in texts])


#: Some records stand in a frame several times.
FRAME: Final = st.lists(RECORD, max_size=6).flatmap(
    lambda records: (
        st.lists(st.sampled_from(records), max_size=12).map(frame)
        if records
        else st.just(frame([]))
    )
)
#: Where to cut a frame: some row numbers, beyond its end too.
CUTS: Final = st.lists(st.integers(0, 12), max_size=4)
