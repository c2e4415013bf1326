"""What a plain word of a recipe means: the core schema of YAML 1.2 (10.3.2), numbers bounded.

Unlike in YAML 1.1, `no` and `on` are text, and so are `0:500`, `60_000` and `2026-01-01`.
"""

import math
import re
from typing import Final

_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_BASES: Final = (
    (re.compile(r"[-+]?[0-9]+"), 10),
    (re.compile(r"0o[0-7]+"), 8),
    (re.compile(r"0x[0-9a-fA-F]+"), 16),
)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
#: What JSON readers agree on; also keeps `int` from its limit on digits.
_MAX_DIGITS: Final = 18


class NumberTooLargeError(Exception):
    """A number that a manifest's JSON could not hold."""


def scalar_value(written: str) -> str | float | bool | None:
    """Return what a plain scalar stands for.

    Raises:
        NumberTooLargeError: If it is a number that is infinite, undefined or beyond 18 digits.
    """
    if written in _CONSTANTS:
        return _CONSTANTS[written]
    for pattern, base in _BASES:
        if pattern.fullmatch(written):
            if len(written.lstrip("-+0ox")) > _MAX_DIGITS:
                raise NumberTooLargeError
            return int(written, base)
    if _FLOAT.fullmatch(written) and math.isfinite(number := float(written)):
        return number
    if _FLOAT.fullmatch(written) or _NOT_FINITE.fullmatch(written):
        raise NumberTooLargeError
    return written
