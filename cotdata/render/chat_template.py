"""A chat template as transformers runs it, without transformers: the same filters, tags, rules.

Set up as `_cached_compile_jinja_template` of `transformers.utils.chat_template_utils` (5.17 to
5.24) sets it up; `tests/render/test_chat_template.py` holds the two against each other. What
differs on purpose: today's date is the one given, so that the same recipe gives the same bytes
every day.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

#: Names under which a message's reasoning is passed. Since 5.21 transformers copies each into the
#: others; a server with an older one is sent both that templates read.
REASONING_FIELDS: Final = ("reasoning_content", "thinking", "reasoning")

Message = Mapping[str, Any]


class ChatTemplate:
    """A compiled chat template. Rendering runs the template's code: see `template_child.py`.

    Args:
        source: The template.
        special: The tokenizer's special tokens by name (`bos_token`, `eos_token`, …), as text.
        date: What `strftime_now` formats.

    Raises:
        jinja2.TemplateError: If the source is no template.
    """

    def __init__(self, source: str, special: Mapping[str, str], date: str) -> None:
        environment = chat_environment()
        today = datetime.fromisoformat(date)
        environment.globals["strftime_now"] = today.strftime
        self._template = environment.from_string(source)
        self._special = dict(special)

    def render(
        self, messages: Sequence[Message], settings: Mapping[str, Any], *, is_prompt: bool
    ) -> str:
        """Return the text of a conversation.

        Args:
            messages: With `role`, `content` and perhaps a field of `REASONING_FIELDS`.
            settings: What the template is called with besides.
            is_prompt: Whether the model is to write next (`add_generation_prompt`).
        """
        given = {"tools": None, "documents": None, **self._special, **settings}
        return self._template.render(given, messages=messages, add_generation_prompt=is_prompt)


def chat_environment() -> ImmutableSandboxedEnvironment:
    """Return the environment in which transformers compiles chat templates."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["dict"] = _Dict()
    environment.globals["namespace"] = _Namespace
    return environment


class _Generation(jinja2.ext.Extension):
    """`{% generation %}`: marks what the assistant wrote; it renders as what stands in it."""

    tags = {"generation"}  # noqa: RUF012 - as jinja2 declares it

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        call = self.call_method("_written")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _written(self, caller: jinja2.runtime.Macro) -> str:
        return caller()


class _Dict:
    """`dict` without its attributes, through which a template could leave the sandbox."""

    def __call__(self, *pairs: Any, **items: Any) -> dict[Any, Any]:  # noqa: ANN401
        return dict(*pairs, **items)

    def fromkeys(self, *arguments: Any) -> dict[Any, Any]:  # noqa: ANN401
        return dict.fromkeys(*arguments)


class _Namespace(Namespace):
    """A namespace that takes no name with a leading underscore."""

    def __init__(*arguments: Any, **items: Any) -> None:  # noqa: ANN401
        this, rest = arguments[0], arguments[1:]
        attributes = dict(*rest, **items)
        for name in attributes:
            _check_attribute(name)
        Namespace.__init__(this, attributes)

    def __setitem__(self, name: str, value: Any) -> None:  # noqa: ANN401
        _check_attribute(name)
        Namespace.__setitem__(self, name, value)


def _check_attribute(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        message = f"a chat template may not store the attribute {name!r}"
        raise jinja2.exceptions.SecurityError(message)


def _tojson(
    value: Any,  # noqa: ANN401
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _raise_exception(message: str) -> None:
    raise jinja2.exceptions.TemplateError(message)
