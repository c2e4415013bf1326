"""As much of Go's text/template, and of Ollama's Modelfile reader, as generated files need.

`tests/render/test_serving.py` holds it against Go itself where Go is installed.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_ACTION = re.compile(r"(\s*\{\{- |\{\{ )(.*?)( \}\})", re.DOTALL)
_WORD = re.compile(r'"(?:\\.|[^"\\])*"|[()]|:=|,|[^\s(),"]+')


@dataclass
class Branch:
    word: str
    test: list[str]
    body: list[Any] = field(default_factory=list)
    other: list[Any] = field(default_factory=list)


def go_render(source: str, data: Mapping[str, Any]) -> str:
    """Render a template."""
    nodes, rest = _parse(list(_lexed(source)))
    assert not rest, f"more is ended than begun: {rest}"
    return "".join(_run(nodes, dict(data), {"$": dict(data)}))


def ollama_render(
    source: str, messages: Sequence[Mapping[str, str]], think: bool | None = None
) -> str:
    """Render a conversation as Ollama does."""
    system = "\n\n".join(each["content"] for each in messages if each["role"] == "system")
    turns = [
        {
            "Role": each["role"],
            "Content": each["content"],
            "Thinking": each.get("reasoning_content", ""),
        }
        for each in messages
    ]
    data = {"System": system, "Messages": turns, "Think": bool(think)}
    return go_render(source, {**data, "IsThinkSet": think is not None})


def read_modelfile(text: str) -> list[tuple[str, str]]:
    """Return a Modelfile's commands; characters that do not print are dropped, as by Ollama."""
    kept = "".join(each for each in text if each in "\n\r\t" or each.isprintable())
    commands = []
    rest = re.sub(r"\A(?:#[^\n]*\n)*", "", kept)
    while rest:
        found = re.match(
            r'(FROM|TEMPLATE|PARAMETER \w+) (?:"""(.*?)"""|"([^"]*)"|([^\n]*))\n', rest, re.DOTALL
        )
        assert found, f"no command: {rest[:60]!r}"
        commands.append(
            (found[1], next(value for value in found.groups()[1:] if value is not None))
        )
        rest = rest[found.end() :]
    return commands


def _lexed(source: str) -> Iterator[str | list[str]]:
    done = 0
    for action in _ACTION.finditer(source):
        if action.start() > done:
            yield source[done : action.start()]
        yield _WORD.findall(action[2])
        done = action.end()
    if done < len(source):
        yield source[done:]


def _parse(tokens: list[str | list[str]]) -> tuple[list[Any], list[str | list[str]]]:
    nodes: list[Any] = []
    while tokens:
        token = tokens.pop(0)
        if isinstance(token, str):
            nodes.append(token)
        elif token[0] in {"if", "range"}:
            nodes.append(_branch(token, tokens))
        elif token[0] in {"else", "end"}:
            return nodes, [token, *tokens]
        else:
            nodes.append(token)
    return nodes, []


def _branch(token: list[str], tokens: list[str | list[str]]) -> Branch:
    branch = Branch(token[0], token[1:])
    branch.body, rest = _parse(list(tokens))
    closing = rest.pop(0)
    assert isinstance(closing, list)
    if closing[0] == "else" and len(closing) > 1:  # `else if` is a branch that shares the end
        branch.other = [_branch(closing[1:], rest)]
    elif closing[0] == "else":
        branch.other, rest = _parse(rest)
        assert rest.pop(0) == ["end"]
    tokens[:] = rest
    return branch


def _run(nodes: list[Any], dot: Any, names: dict[str, Any]) -> Iterator[str]:
    for node in nodes:
        match node:
            case str():
                yield node
            case Branch(word="if"):
                chosen = node.body if _value(node.test, dot, names) else node.other
                yield from _run(chosen, dot, names)
            case Branch():
                for place, item in enumerate(
                    _value(node.test[node.test.index(":=") + 1 :], dot, names)
                ):
                    inner = {**names, node.test[0]: place}
                    yield from _run(node.body, item, inner)
            case [name, ":=", *words]:
                names[name] = _value(words, dot, names)
            case _:
                yield str(_value(node, dot, names))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "eq": lambda first, second: first == second,
    "ne": lambda first, second: first != second,
    "not": lambda value: not value,
    "and": lambda *values: all(values),
    "len": len,
    "slice": lambda value, start: value[start:],
    "currentDate": lambda: "2026-03-09",
}


def _value(words: list[str], dot: Any, names: Mapping[str, Any]) -> Any:
    arguments: list[Any] = []
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "(":
            depth, inner = 1, []
            while depth:
                each = words.pop(0)
                depth += (each == "(") - (each == ")")
                inner.append(each)
            arguments.append(_value(inner[:-1], dot, names))
        else:
            arguments.append(_operand(word, dot, names))
    if callable(arguments[0]):
        return arguments[0](*arguments[1:])
    assert len(arguments) == 1, words
    return arguments[0]


def _operand(word: str, dot: Any, names: Mapping[str, Any]) -> Any:
    if word in _FUNCTIONS:
        return _FUNCTIONS[word]
    if word[0] in '"0123456789':
        return ast.literal_eval(word)
    if word.startswith("."):
        return dot[word[1:]]
    name, _, attribute = word.partition(".")
    return names[name][attribute] if attribute else names[name]
