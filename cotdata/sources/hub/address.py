"""How a recipe names a hub's data set, and what such a name resolves to."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cotdata.errors import SourceError

#: A full commit: needs no request to be resolved, and never means anything else.
COMMIT: Final = re.compile(r"[0-9a-f]{40}")
# What both hubs allow in a name: letters, digits, `-`, `_`, `.`; no other punctuation at an end.
_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_ID: Final = re.compile(rf"{_PART}/{_PART}")
_MAX_PART_CHARS: Final = 96


@dataclass(frozen=True)
class HubAddress:
    """A hub's data set as the recipe has it: `owner/name`, and the revision if one is given."""

    dataset_id: str
    revision: str | None


@dataclass(frozen=True)
class ResolvedDataset:
    """What exactly is read: enough to name it in `origin`, and to identify its content."""

    dataset_id: str
    #: Changes with the content: a full commit, or what the hub has in its place.
    revision: str
    config: str
    split: str

    @property
    def label(self) -> str:
        """How `origin` names it: the hub's id with its revision."""
        return f"{self.dataset_id}@{self.revision}"

    @property
    def content(self) -> str:
        """What identifies the records: the revision, config and split of the data set."""
        return "\n".join((self.dataset_id, self.revision, self.config, self.split))


def parse_hub_address(address: str, revision: str | None = None) -> HubAddress:
    """Read `hf://owner/name`, `modelscope://owner/name` or either with `@revision`.

    Args:
        address: As the recipe has it.
        revision: The recipe's own `revision`; must not contradict the address.

    Raises:
        SourceError: If the address is malformed, or names another revision than `revision`.
    """
    scheme, _, rest = address.partition("://")
    dataset_id, at, inline = rest.partition("@")
    form = f"write {scheme}://OWNER/NAME, or {scheme}://OWNER/NAME@REVISION"
    if at and not inline:
        raise SourceError(f"`{address}` ends in `@` without a revision", fix=form)
    if not _is_dataset_id(dataset_id):
        raise SourceError(f"`{address}` does not name a data set{_hint(dataset_id)}", fix=form)
    if inline and revision is not None and inline != revision:
        raise SourceError(
            f"`{address}` and `revision: {revision}` name two revisions", fix="keep one of them"
        )
    return HubAddress(dataset_id, inline or revision)


def check_dataset_id(dataset_id: str) -> None:
    """Check that this is `owner/name`.

    Raises:
        SourceError: If it is not.
    """
    if not _is_dataset_id(dataset_id):
        what = f"`{dataset_id}` does not name a data set{_hint(dataset_id)}"
        raise SourceError(what, fix="write OWNER/NAME")


def check_choice(kind: str, chosen: str | None, known: Sequence[str], where: str) -> None:
    """Check that a config or a split is one of those there are.

    Args:
        kind: What is chosen, for the error.
        chosen: The recipe's; None is a choice only where there is no other.
        known: All there are.
        where: The data set, for the error.

    Raises:
        SourceError: If it is none of them, or not chosen among several.
    """
    if chosen in known or (chosen is None and len(known) < 2):
        return
    listing = f"choose one of {', '.join(sorted(known))}"
    if chosen is None:
        raise SourceError(f"`{where}` has several {kind}s", fix=f"set `{kind}`: {listing}")
    nearest = difflib.get_close_matches(chosen, known, n=1)
    fix = f"did you mean `{nearest[0]}`? {listing}" if nearest else listing
    raise SourceError(f"`{where}` has no {kind} `{chosen}`", fix=fix)


def _is_dataset_id(dataset_id: str) -> bool:
    return (
        _ID.fullmatch(dataset_id) is not None
        and all(len(part) <= _MAX_PART_CHARS for part in dataset_id.split("/"))
        and not any(wrong in dataset_id for wrong in ("--", ".."))
        and not dataset_id.endswith(".git")
    )


def _hint(dataset_id: str) -> str:
    parts = dataset_id.split("/")
    if parts[0] == "datasets" and len(parts) == 3:
        return f": leave out `datasets/` (`{'/'.join(parts[1:])}`)"
    if len(parts) == 1:
        return ": its owner is missing"
    if len(parts) > 2:
        return ": it has more than an owner and a name"
    return ""
