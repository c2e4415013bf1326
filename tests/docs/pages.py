"""Finds the code blocks of a Markdown page, and what the page says about running them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

#: Why a block may be left out; anything else is no reason.
NOT_RUN_BECAUSE = (
    *("needs the Hub", "needs the package index", "installs"),
    *("needs your file", "needs your files", "takes minutes, and generates 1.2 GB"),
    *("needs a model's folder", "needs a running server", "a part of a recipe"),
    "installs seven environments and takes an hour",
)

_FENCE = re.compile(
    r"""(?:^[ ]*<!--\ (?P<comment>[^\n]*?)\ -->\n)?
    ^(?P<indent>[ ]*)```(?P<language>\w+)(?:\ title="(?P<title>[^"\n]+)")?\n
    (?P<code>.*?)
    ^(?P=indent)```$""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
_SNIPPET = re.compile(r'^--8<-- "([^"\n]+)"$', re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One code block; `line` is that of its fence, from 1."""

    line: int
    language: str
    title: str | None
    code: str
    #: What the comment directly above it says.
    comment: str | None

    @property
    def not_run_because(self) -> str | None:
        said = (self.comment or "").partition("not run: ")
        return said[2] if said[1] else None

    @property
    def make_targets(self) -> list[str]:
        """The targets, where a block is nothing but calls of make: CI itself runs those."""
        lines = [line.split("#")[0].split() for line in self.code.splitlines() if line.strip()]
        is_make = self.language == "bash" and all(line[:1] == ["make"] for line in lines)
        return [target for line in lines for target in line[1:]] if is_make else []

    @property
    def exit_code(self) -> int:
        said = re.fullmatch(r"exits (\d+)", self.comment or "")
        return int(said[1]) if said else 0


def prose_pages() -> list[Path]:
    """Return the pages that are written by hand."""
    found = [page for page in DOCS.rglob("*.md") if "reference" not in page.parts]
    return [*sorted(found), ROOT / "README.md"]


def blocks(page: Path) -> list[Block]:
    """Return a page's code blocks in their order, snippets filled in."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            line=text.count("\n", 0, match.start("language")) + 1,
            language=match["language"],
            title=match["title"],
            code=_SNIPPET.sub(
                _snippet, re.sub(rf"^{match['indent']}", "", match["code"], flags=re.M)
            ),
            comment=match["comment"],
        )
        for match in _FENCE.finditer(text)
    ]


def _unindented(code: str, indent: str) -> str:
    return "".join(line.removeprefix(indent) for line in code.splitlines(keepends=True))


def _snippet(match: re.Match[str]) -> str:
    return (DOCS / match[1]).read_text(encoding="utf-8").rstrip("\n")
