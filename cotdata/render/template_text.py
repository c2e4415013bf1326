"""What can be read in a chat template without running it: its switches, the texts it looks for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import jinja2
from jinja2 import meta, nodes

from cotdata.errors import RenderError
from cotdata.render.chat_template import chat_environment

#: Names of variables that turn thinking on or off, or say what happens to it.
_SWITCH: Final = re.compile(r"think|reason|thought|deliberat", re.IGNORECASE)
#: Keys under which templates look for reasoning, and types of a content's parts.
_REASONING_KEYS: Final = frozenset(
    {"reasoning_content", "thinking", "reasoning", "thought", "thoughts"}
)
#: Methods and filters whose argument decides by what a text holds.
_SEARCHES: Final = frozenset(
    {
        "startswith", "endswith", "split", "rsplit", "partition", "rpartition", "replace", "find",
        "rfind", "index", "rindex", "count", "removeprefix", "removesuffix",
    }
)  # fmt: skip


@dataclass(frozen=True)
class TemplateText:
    """What a chat template says in its source."""

    #: Variables that a caller may set and that seem to be about thinking.
    switches: tuple[str, ...]
    #: Texts that the template searches what it is given for: a row that holds one may be rendered
    #: otherwise than other rows, and so is rendered by the template itself.
    searched: tuple[str, ...]
    #: Texts that the template compares with: a row that is one of them, likewise.
    compared: tuple[str, ...]
    #: All that it writes as it is, and all its constants.
    literals: str
    #: Whether it looks for reasoning in a message, by whatever key, or has a switch for it.
    reads_reasoning: bool


def read_template(source: str) -> TemplateText:
    """Parse a chat template.

    Raises:
        RenderError: If it is no Jinja template.
    """
    try:
        tree = chat_environment().parse(source)
        variables = meta.find_undeclared_variables(tree)
    except (jinja2.TemplateError, RecursionError) as error:
        raise RenderError(
            f"the chat template cannot be parsed: {error}",
            fix="give a model with another template, or name a think frame with `render.frame`",
        ) from error
    assigned = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
    switches = {name for name in variables if _SWITCH.search(name)}
    # `{% set x = x if x is defined else … %}` makes a switch of a name that is assigned, too.
    asked = {
        test.node.name
        for test in tree.find_all(nodes.Test)
        if test.name in {"defined", "undefined"} and isinstance(test.node, nodes.Name)
    }
    literals = "\x00".join(_literals(tree))
    return TemplateText(
        switches=tuple(sorted(name for name in switches if name not in assigned or name in asked)),
        searched=tuple(sorted({text for text in _searched(tree) if text.strip()})),
        compared=tuple(sorted(_compared(tree))),
        literals=literals,
        reads_reasoning=bool(switches or _REASONING_KEYS & set(_keys(tree))),
    )


def _keys(tree: nodes.Template) -> Iterator[str]:
    """Yield what a template may look up: attributes, subscripts and constants of comparisons."""
    for attribute in tree.find_all(nodes.Getattr):
        yield attribute.attr
    for constant in tree.find_all(nodes.Const):
        if isinstance(constant.value, str):
            yield constant.value


def _literals(tree: nodes.Template) -> Iterator[str]:
    for data in tree.find_all(nodes.TemplateData):
        yield data.data
    for constant in tree.find_all(nodes.Const):
        if isinstance(constant.value, str):
            yield constant.value


def _searched(tree: nodes.Template) -> Iterator[str]:
    """Yield the constants that `x in text`, `text.split(x)`, `text | replace(x, …)` look for."""
    sought = list(_sought(tree))
    names = {node.name for node in sought if isinstance(node, nodes.Name)}
    # A tag that is given a name first, and searched for by that name.
    for assignment in tree.find_all(nodes.Assign):
        if isinstance(assignment.target, nodes.Name) and assignment.target.name in names:
            sought.append(assignment.node)
    for node in sought:
        yield from _texts(node)


def _sought(tree: nodes.Template) -> Iterator[nodes.Node]:
    # `'content' in message` asks for a key: what a loop goes through is a message or a block.
    loops = {
        name.name
        for loop in tree.find_all(nodes.For)
        for name in (loop.target, *loop.target.find_all(nodes.Name))
        if isinstance(name, nodes.Name)
    }
    for comparison in tree.find_all(nodes.Compare):
        for operand in comparison.ops:
            is_key = isinstance(operand.expr, nodes.Name) and operand.expr.name in loops
            if operand.op in {"in", "notin"} and not is_key:
                yield comparison.expr
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Getattr) and call.node.attr in _SEARCHES:
            yield from call.args
    for filtered in tree.find_all(nodes.Filter):
        if filtered.name == "replace":
            yield from filtered.args


def _compared(tree: nodes.Template) -> set[str]:
    """Return the constants that something is compared with: a whole text may be one of them."""
    return {
        text
        for comparison in tree.find_all(nodes.Compare)
        for operand in comparison.ops
        for text in _texts(operand.expr)
    }


def _texts(node: nodes.Node) -> Iterator[str]:
    """Yield the constants of an expression of constants: one, a list, a sum, a choice."""
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, nodes.List | nodes.Tuple | nodes.Add | nodes.Concat | nodes.CondExpr):
        for part in node.iter_child_nodes():
            yield from _texts(part)
