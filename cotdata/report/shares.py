"""Sets before and after side by side: sources, languages, and the sources of each split."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cotdata.manifest import Manifest
from cotdata.report.text import share

_SCRIPT: Final = "script:"


@dataclass(frozen=True)
class Share:
    """Rows of one group, as a number and as a part of the whole."""

    rows: int
    whole: int

    @property
    def text(self) -> str:
        """The share in per cent."""
        return share(self.rows, self.whole)

    @property
    def percent(self) -> str:
        """The share as a length in CSS."""
        return f"{100 * self.rows / self.whole if self.whole else 0:.2f}%"


@dataclass(frozen=True)
class Group:
    """One source or language, before and after."""

    name: str
    before: Share
    after: Share


@dataclass(frozen=True)
class SplitShares:
    """One split and where its rows come from, in the order of the recipe's sources."""

    name: str
    share: Share
    sources: tuple[tuple[str, Share], ...]


def source_groups(manifest: Manifest) -> list[Group]:
    """Return the sources' shares in the order of the recipe."""
    names = [source.name for source in manifest.sources]
    return _groups(manifest.before.sources, manifest.after.sources, names)


def language_groups(manifest: Manifest) -> list[Group]:
    """Return the languages' shares, the largest before first."""
    before, after = manifest.before.languages, manifest.after.languages
    names = sorted({*before, *after}, key=lambda name: (-before.get(name, 0), name))
    groups = _groups(before, after, names)
    return [Group(_language(group.name), group.before, group.after) for group in groups]


def split_shares(manifest: Manifest) -> list[SplitShares]:
    """Return each split's part of the rows, and the sources' parts of it."""
    total = sum(split.rows for split in manifest.splits.values())
    order = [source.name for source in manifest.sources]
    return [
        SplitShares(
            name,
            Share(split.rows, total),
            tuple(
                (source, Share(split.sources.get(source, 0), split.rows))
                for source in dict.fromkeys([*order, *split.sources])
            ),
        )
        for name, split in manifest.splits.items()
    ]


def _groups(before: Mapping[str, int], after: Mapping[str, int], names: list[str]) -> list[Group]:
    old, new = sum(before.values()), sum(after.values())
    return [
        Group(name, Share(before.get(name, 0), old), Share(after.get(name, 0), new))
        for name in dict.fromkeys([*names, *before, *after])
    ]


def _language(name: str) -> str:
    return f"{name.removeprefix(_SCRIPT)} script" if name.startswith(_SCRIPT) else name
