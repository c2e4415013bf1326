"""Writes any text as one YAML scalar on one line, plain only where nobody could misread it."""

import re
from typing import Final

import yaml

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")


def yaml_scalar(text: str) -> str:
    r"""Return `text` as a YAML scalar that reads back as the same text, in block and flow style.

    Line ends, control characters, bidirectional marks and lone surrogates are written as escapes,
    so the scalar is one line, fit for a comment, and can be encoded as UTF-8.
    """
    if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    # PyYAML folds long scalars at blanks unless the line may be longer than the text.
    written: str = yaml.safe_dump(
        text, default_style='"', allow_unicode=True, width=10 * len(text) + 80
    )
    return "".join(char if char.isprintable() else _escaped(char) for char in written.rstrip("\n"))


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
