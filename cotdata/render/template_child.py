"""The process in which a chat template runs: it may use little memory, no file and not much time.

Templates come from hubs and are code. `python -m cotdata.render.template_child` reads one JSON
object a line from stdin and answers each with one: first `{source, special, date}`, then any number
of `{chats: [[messages, settings, is_prompt], …], seconds}`; an answer is `{texts: [text | null, …],
errors: [null | message, …]}`.
"""

import contextlib
import json
import pprint  # noqa: F401 - filters of jinja2 import it, and textwrap, when they are called
import signal
import sys
import textwrap  # noqa: F401
from types import FrameType
from typing import Any, Final, TextIO

import jinja2.debug  # noqa: F401 - jinja2 imports it when a template fails: too late here

from cotdata.render.chat_template import ChatTemplate

#: Address space of the process, and characters of one rendered conversation.
MEMORY_BYTES: Final = 2 << 30
TEXT_CHARS: Final = 64 << 20
COMPILE_SECONDS: Final = 20.0
_MESSAGE_CHARS: Final = 500
#: Compiled before anything is forbidden: what Python and jinja2 load on first need is loaded then.
_FIRST: Final = "{% for x in [1] %}{{ x | string ~ 'a\n' }}{% endfor %}"


class _TooLongError(Exception):
    """A rendering that took longer than it may."""


def main() -> None:
    """Serve requests until stdin ends."""
    requests, answers = sys.stdin, sys.stdout
    sys.stdout = sys.stderr  # what a template may print reaches no protocol
    first = json.loads(requests.readline())
    ChatTemplate(_FIRST, {}, "2026-01-01")
    _confine()
    signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, COMPILE_SECONDS)
    try:  # compiling computes constants: it is confined as rendering is
        template = ChatTemplate(first["source"], first["special"], first["date"])
    except _TooLongError:
        _answer(answers, {"error": f"takes longer than {COMPILE_SECONDS:g} seconds to compile"})
        return
    except Exception as error:
        _answer(answers, {"error": _said(error)})
        return
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    _answer(answers, {"error": None})
    for line in requests:
        request = json.loads(line)
        results = [_render(template, chat, request["seconds"]) for chat in request["chats"]]
        texts, errors = zip(*results, strict=True) if results else ((), ())
        _answer(answers, {"texts": texts, "errors": errors})


def _render(
    template: ChatTemplate, chat: list[Any], seconds: float
) -> tuple[str | None, str | None]:
    messages, settings, is_prompt = chat
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        text = template.render(messages, settings, is_prompt=is_prompt)
        text.encode()  # a lone surrogate is no text
    except _TooLongError:
        return None, f"takes longer than {seconds:g} seconds"
    except Exception as error:
        return None, _said(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if len(text) > TEXT_CHARS:
        return None, f"writes more than {TEXT_CHARS:,} characters"
    return text, None


def _said(error: Exception) -> str:
    name = type(error).__name__
    text = str(error) or "no message"
    return f"{name}: {text}"[:_MESSAGE_CHARS].encode("utf-8", "replace").decode()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise _TooLongError


def _confine() -> None:
    """Give up the right to more memory and to any file, where the system knows such limits."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {"RLIMIT_AS": MEMORY_BYTES, "RLIMIT_FSIZE": 0, "RLIMIT_NOFILE": 0, "RLIMIT_CORE": 0}
    for name, limit in limits.items():
        if hasattr(resource, name):
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(getattr(resource, name), (limit, limit))


def _answer(stream: TextIO, content: dict[str, Any]) -> None:
    stream.write(json.dumps(content) + "\n")
    stream.flush()


if __name__ == "__main__":
    main()
