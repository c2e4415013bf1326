"""Checks that a tokenizer gives back the text that it was given."""

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from cotdata.errors import RenderError

if TYPE_CHECKING:
    import tokenizers

Form: TypeAlias = Literal["NFC", "NFD"]

#: Forms in which a text is the same text; NFKC is none, it makes other characters of some.
_FORMS: Final[tuple[Form, ...]] = ("NFC", "NFD")

#: Texts in which tokenizers were seen to lose something, or could.
PROBES: Final = (
    "A 48-year-old man walks in.",
    " one  two   three    four\ttab\t\ttabs ",
    "line\nline\n\nline\n\n\nline\r\nline\n  indented\n\tindented \n",
    "急性肝炎患者，男，48岁。“口服”：每日３次…",
    "x² + \\frac{1}{2} ≤ ∑_{i=1}^{n} α_i, 10000 3.14 1,234,567",
    "😀👩‍👩‍👧‍👦🇩🇪👍🏽",
    "שלום עולם مرحبا بالعالم \u202eabc\u202c \u200bzero\u200dwidth",
    "caf\u00e9 na\u00efve \u0e01\u0e33\u0e25\u0e31\u0e07 \u0928\u092e\u0938\u094d\u0924\u0947",
    "Itʼs John's, they're; don't ... !!! ??? --- ___ ### *** ``` </x>",
    "<think>\nLet me see.\n\nNo, wait.\n</think>\n\nIt is B.",
    "def f(x):\n    return {'a': [x, -1], \"b\": x ** 2}  # \\n\n",
    "\u0000\u0001\u001b[0m\u007f\u0085\u00a0\u2028\u3000\ufeff\ufffd\U0010ffff",
)
#: A prompt's end and a completion's beginning.
_JOINTS: Final = (
    ("Question?\n", "Let me see."),
    ("assistant\n", "First, 2 + 2.\n\n4"),
    ("答：", "先看病史。"),
    ("A:", " yes"),
)
#: Characters of which Unicode has two forms.
_TWO_FORMS: Final = ("e\u0301 o\u0302\u0323 \u1e9b\u0323", "\uac00 \u1100\u1161 \u212b \u2126")


def normal_form(
    library: "tokenizers.Tokenizer",
    added: Iterable["tokenizers.AddedToken"],
    *,
    prefixes: bool = False,
) -> Form | None:
    """Check a round trip, and return the form that the tokenizer puts text in, if any.

    Args:
        library: A tokenizer of the package `tokenizers`.
        added: Its added tokens, which must come back too. Blanks beside one that takes them in
            (`lstrip`, `rstrip`) need not: a server loses them as well.
        prefixes: Whether it puts a blank before a text; then the first blank of one may be lost.

    Raises:
        RenderError: If what comes back is another text.
    """
    tokens = list(added)
    taking = [token.content for token in tokens if token.lstrip or token.rstrip]
    probes = [probe for probe in PROBES if not any(text in probe for text in taking)]
    texts = [*(f"x{probe}" if prefixes else probe for probe in probes), *_around(tokens)]
    form = next((name for name in (None, *_FORMS) if _is_kept(library, _TWO_FORMS, name)), None)
    for text in texts:
        back = _back(library, text)
        if back != _in_form(text, form):
            raise RenderError(
                f"the tokenizer loses text: of `{_shown(text)}` comes back `{_shown(back)}`",
                fix="use the tokenizer.json that the model was published with",
            )
    if form is None and not _is_kept(library, _TWO_FORMS, None):
        back = _back(library, _TWO_FORMS[0])
        raise RenderError(
            f"the tokenizer changes text: of `{_shown(_TWO_FORMS[0])}` comes back `{_shown(back)}`",
            fix="use the tokenizer.json that the model was published with",
        )
    return form


def check_joint(library: "tokenizers.Tokenizer", inside: "tokenizers.Tokenizer") -> None:
    """Check that a prompt's ids and a completion's, one after the other, are both texts.

    Args:
        library: What encodes prompts, and decodes.
        inside: What encodes texts that go on from others.

    Raises:
        RenderError: If what comes back is another text.
    """
    for before, after in _JOINTS:
        ids = library.encode(before, add_special_tokens=False).ids
        ids += inside.encode(after, add_special_tokens=False).ids
        back = str(library.decode(ids, skip_special_tokens=False))
        if back != before + after:
            raise RenderError(
                f"the tokenizer joins `{_shown(before)}` and `{_shown(after)}` as `{_shown(back)}`",
                fix="use the tokenizer.json that the model was published with",
            )


def _around(added: Iterable["tokenizers.AddedToken"]) -> Iterable[str]:
    """Return each added token with text and blanks beside it."""
    for token in added:
        before = "x" if token.lstrip else "x "
        after = "y" if token.rstrip else "\ny"
        yield f"{before}{token.content}{after}"


def _is_kept(library: "tokenizers.Tokenizer", texts: Iterable[str], form: Form | None) -> bool:
    return all(_back(library, text) == _in_form(text, form) for text in texts)


def _in_form(text: str, form: Form | None) -> str:
    return unicodedata.normalize(form, text) if form else text


def _back(library: "tokenizers.Tokenizer", text: str) -> str:
    ids = library.encode(text, add_special_tokens=False).ids
    return str(library.decode(ids, skip_special_tokens=False))


def _shown(text: str) -> str:
    return text.encode("unicode_escape").decode() if not text.isprintable() else text
