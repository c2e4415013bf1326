"""What can be read in a chat template without running it: its switches, the texts it looks for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import jinja2
from jinja2 import nodes

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
#: Methods that say of what kind a text's characters are.
_KINDS: Final = frozenset(
    {
        "isdigit", "isdecimal", "isnumeric", "isalpha", "isalnum", "isascii", "isupper", "islower",
        "istitle", "isspace", "isidentifier", "isprintable", "__len__", "encode",
    }
)  # fmt: skip
_CASES: Final = frozenset({"lower", "upper", "casefold", "swapcase", "title", "capitalize"})
_LENGTHS: Final = frozenset({"length", "count", "wordcount"})
_TRIMS: Final = frozenset({"strip", "lstrip", "rstrip"})
#: Keys and names under which templates have a message's text.
_TEXT_KEYS: Final = frozenset({"content", "message_content", "text"}) | _REASONING_KEYS
#: What has a name and something that it is applied to.
_CALLED: Final = (nodes.Call, nodes.Filter)


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
    #: Whether it changes the case of texts, so that what it looks for may stand there in any.
    folds_case: bool
    #: Whether it decides by something of a text that no search shows: its length, its digits, a
    #: character at some place. Then it renders every row itself, and every row is compared.
    measures: bool


def read_template(source: str) -> TemplateText:
    """Parse a chat template.

    Raises:
        RenderError: If it is no Jinja template.
    """
    try:
        tree = chat_environment().parse(source)
    except (jinja2.TemplateError, RecursionError) as error:
        raise RenderError(
            f"the chat template cannot be parsed: {error}",
            fix="give a model with another template, or name a think frame with `render.frame`",
        ) from error
    switches = {name for name in _variables(tree) if _SWITCH.search(name)}
    literals = "\x00".join(_literals(tree))
    return TemplateText(
        switches=tuple(sorted(switches)),
        searched=tuple(sorted({text for text in _searched(tree) if text.strip()})),
        compared=tuple(sorted(_compared(tree))),
        literals=literals,
        reads_reasoning=bool(switches or _REASONING_KEYS & set(_keys(tree))),
        folds_case=any(_name_of(node) in _CASES for node in tree.find_all(_CALLED)),
        measures=any(_measures(tree)),
    )


def _variables(tree: nodes.Template) -> set[str]:
    """Return the names that a caller may give a value.

    `jinja2.meta` would tell, but it compiles the template, and so computes its constants: a hostile
    one takes all memory by that, or never ends.
    """
    names = list(tree.find_all(nodes.Name))
    own = {name.name for name in names if name.ctx != "load"}
    own |= {macro.name for macro in tree.find_all(nodes.Macro)}
    # `{% set x = x if x is defined else … %}` makes a switch of a name that is assigned, too.
    asked = {
        test.node.name
        for test in tree.find_all((nodes.Test, nodes.Filter))
        if test.name in {"defined", "undefined", "default", "d"}
        and isinstance(test.node, nodes.Name)
    }
    return {name.name for name in names if name.ctx == "load"} - (own - asked)


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
    given = list(_given(tree))
    known: set[str] = set()
    for node in sought:  # which grows: what a name stands for may itself be a name
        name = node.name if isinstance(node, nodes.Name) else getattr(node, "attr", None)
        if name is not None and name not in known:
            known.add(name)
            sought += [value for other, value in given if other == name]
        yield from _texts(node)


def _given(tree: nodes.Template) -> Iterator[tuple[str, nodes.Node]]:
    """Yield what names stand for: by `set`, in a loop, in a namespace, as a macro's argument."""
    targets: list[tuple[nodes.Node, nodes.Node]] = [
        (each.target, each.node) for each in tree.find_all(nodes.Assign)
    ]
    targets += [(each.target, each.iter) for each in tree.find_all(nodes.For)]
    for target, value in targets:
        if isinstance(target, nodes.Name):
            yield target.name, value
        elif isinstance(target, nodes.NSRef):
            yield target.attr, value
    for keyword in tree.find_all(nodes.Keyword):
        yield keyword.key, keyword.value
    macros = {macro.name: macro for macro in tree.find_all(nodes.Macro)}
    for macro in macros.values():
        defaults = macro.args[len(macro.args) - len(macro.defaults) :]
        yield from zip([name.name for name in defaults], macro.defaults, strict=True)
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in macros:
            names = [name.name for name in macros[call.node.name].args]
            yield from zip(names, call.args, strict=False)


def _measures(tree: nodes.Template) -> Iterator[bool]:
    """Say of each expression whether it decides by a text's length, kind or place."""
    for call in tree.find_all(nodes.Call):
        yield _name_of(call) in _KINDS
    for taken in tree.find_all(nodes.Filter):
        yield taken.name in {"first", "last", "random"} and _is_text(taken.node)
    for item in tree.find_all(nodes.Getitem):
        is_place = isinstance(item.arg, nodes.Slice) or isinstance(
            getattr(item.arg, "value", None), int
        )
        yield is_place and _is_text(item.node)
    for decision in tree.find_all((nodes.Compare, nodes.Test, nodes.Mod)):
        is_emptiness = isinstance(decision, nodes.Compare) and all(
            isinstance(operand.expr, nodes.Const) and operand.expr.value == 0
            for operand in decision.ops
        )
        lengths = [f for f in decision.find_all(nodes.Filter) if f.name in _LENGTHS]
        yield not is_emptiness and any(_is_text(found.node) for found in lengths)


def _name_of(called: nodes.Node) -> str | None:
    """Return the name of a filter, or of the method that is called."""
    if isinstance(called, nodes.Call):
        return called.node.attr if isinstance(called.node, nodes.Getattr) else None
    return called.name if isinstance(called, nodes.Filter) else None


def _is_text(node: nodes.Node | None) -> bool:
    """Say whether an expression is a message's text, trimmed or not."""
    while isinstance(node, nodes.Filter):
        node = node.node
    if isinstance(node, nodes.Call):
        return isinstance(node.node, nodes.Getattr) and node.node.attr in _TRIMS
    if isinstance(node, nodes.Getitem):
        return isinstance(node.arg, nodes.Const) and node.arg.value in _TEXT_KEYS
    name = node.attr if isinstance(node, nodes.Getattr) else getattr(node, "name", None)
    return name in _TEXT_KEYS


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
