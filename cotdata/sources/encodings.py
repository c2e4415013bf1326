"""Which text encodings there are, by the names that Python knows them by."""

import codecs
from difflib import get_close_matches
from typing import Final

_SUGGESTED: Final = ("utf-8", "utf-16", "latin-1", "cp1252", "gb18030", "big5", "shift_jis")


def codec_name(encoding: str) -> str | None:
    """Return a text encoding's own name, None where there is no such encoding."""
    try:
        codec = codecs.lookup(encoding)
        "".encode(encoding)
        codecs.getincrementaldecoder(encoding)
    except (LookupError, ValueError, TypeError):
        return None
    return codec.name


def suggested_encoding(encoding: str) -> str:
    """Return what may have been meant by the name of no encoding."""
    near = get_close_matches(encoding.lower(), _SUGGESTED, n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else f"for example {', '.join(_SUGGESTED)}"
