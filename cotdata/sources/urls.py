"""What of a URL may be shown and recorded: no password, no signature, no folder of this machine."""

import re
from pathlib import PurePosixPath
from typing import Final

# One address ends where the next one of a chain begins: `zip://x.json::https://host/x.zip`.
_URL: Final = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]*)://((?:(?!::(?:[A-Za-z][A-Za-z0-9+.-]*:|/))[^\s'\"<>`])*)"
)
_LOCAL: Final = frozenset({"file", "local"})
#: What stands before their `@` is a container, which is no secret.
_CONTAINERS: Final = frozenset({"abfs", "abfss", "wasb", "wasbs"})
_SECRET: Final = re.compile(r"(?i)sig|token|key|secret|pass|credential|auth")


def without_secrets(text: str) -> str:
    """Return a text whose URLs have no `user:password@` and no query that may sign a request.

    Of HTTP every query goes, since any name may hold a token; of other schemes, where `?` is a
    wildcard as well, only one whose keys sound like a secret's.
    """
    return _URL.sub(_cleaned, text)


def _cleaned(match: re.Match[str]) -> str:
    scheme, rest = match[1], match[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    below = rest[len(authority) :]
    if scheme.lower() not in _CONTAINERS:
        authority = authority.rpartition("@")[2]
    path, mark, query = below.partition("?")
    if mark and (scheme.lower() in {"http", "https"} or _names_a_secret(query)):
        below = path
    return f"{scheme}://{authority}{below}"


def _names_a_secret(query: str) -> bool:
    pairs = (pair.partition("=") for pair in re.split("[&;]", query))
    return any(equals and _SECRET.search(key) for key, equals, _ in pairs)


def without_local_folders(url: str) -> str:
    """Return a URL, or a chain of them, where of a path on this machine only the name is left."""
    links = [_name_if_local(link) for link in url.split("::")]
    is_remote = any("://" in link for link in links)
    # `simplecache::file:///folder/x.jsonl`: how a local file is opened says nothing about it.
    return "::".join(links) if is_remote else links[-1]


def _name_if_local(link: str) -> str:
    scheme, mark, path = link.partition("://")
    if mark and scheme.lower() in _LOCAL:
        return PurePosixPath(path).name
    return PurePosixPath(link).name if link.startswith(("/", "~")) else link
