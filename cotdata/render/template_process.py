"""Renders conversations by a model's own template, in a process that it can do no harm from."""

import contextlib
import select
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from cotdata.errors import RenderError
from cotdata.render.chat_template import Message

#: One conversation; a template that needs longer is refused.
SECONDS: Final = 5.0
#: Conversations that take too long before the template as a whole is refused.
TOO_LONG: Final = 8
#: A child that is silent for this much longer than it may compute is stuck where no signal helps.
_GRACE_SECONDS: Final = 5.0
_BATCH: Final = 256
#: How the errors of conversations that take too long begin.
OVERDUE: Final = "takes longer than"


class Chat(NamedTuple):
    """One conversation to be rendered."""

    messages: Sequence[Message]
    settings: Mapping[str, Any] = {}
    #: Whether the model is to write next.
    is_prompt: bool = True


class Outcome(NamedTuple):
    """What a template made of a conversation: its text, or why there is none."""

    text: str | None
    error: str | None = None


class TemplateProcess:
    """A chat template that runs in a child process, started when it is first needed.

    Threads may share one: they are served in turn.
    """

    def __init__(
        self, source: str, special: Mapping[str, str], date: str, *, seconds: float = SECONDS
    ) -> None:
        self._first = {"source": source, "special": dict(special), "date": date}
        self._seconds = seconds
        self._lock = threading.Lock()
        self._too_long = 0
        self._child: subprocess.Popen[bytes] | None = None

    def render(self, chats: Sequence[Chat]) -> list[Outcome]:
        """Render conversations; one that the template refuses has an error.

        Raises:
            RenderError: If the source is no template, its process cannot be had, or it takes too
                long again and again.
        """
        outcomes: list[Outcome] = []
        with self._lock:
            for start in range(0, len(chats), _BATCH):
                outcomes += self._batch(chats[start : start + _BATCH])
        return outcomes

    def _count(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Refuse a template that takes too long for many conversations: it would take days."""
        self._too_long += sum((outcome.error or "").startswith(OVERDUE) for outcome in outcomes)
        if self._too_long >= TOO_LONG:
            self.close()
            raise RenderError(
                f"the chat template {OVERDUE} {self._seconds:g} seconds for {self._too_long} "
                "conversations",
                fix="give a model with another template, or name a think frame with `render.frame`",
            )
        return outcomes

    def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()

    def __del__(self) -> None:
        """End the process with its last user."""
        with contextlib.suppress(Exception):
            self.close()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the process behind: another one of its kind is started where it is needed."""
        return {"first": self._first, "seconds": self._seconds}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Start anew elsewhere."""
        self._first, self._seconds = state["first"], state["seconds"]
        self._lock, self._child, self._too_long = threading.Lock(), None, 0

    def _batch(self, chats: Sequence[Chat]) -> list[Outcome]:
        answer = self._ask(chats)
        if answer is not None:
            pairs = zip(answer["texts"], answer["errors"], strict=True)
            return list(self._count([Outcome(text, error) for text, error in pairs]))
        if len(chats) == 1:
            why = f"{OVERDUE} it may, or ends the process that renders it"
            return list(self._count([Outcome(None, why)]))
        # One of them is at fault: the others are rendered one by one.
        return [outcome for chat in chats for outcome in self._batch([chat])]

    def _ask(self, chats: Sequence[Chat]) -> dict[str, Any] | None:
        child = self._started()
        content = {"chats": [[c.messages, c.settings, c.is_prompt] for c in chats]}
        request = orjson.dumps({**content, "seconds": self._seconds}) + b"\n"
        patience = self._seconds * len(chats) + _GRACE_SECONDS
        answer = self._exchange(child, request, patience)
        if answer is None:
            self.close()
        return answer

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._child is not None:
            return self._child
        command = [sys.executable, "-P", "-m", "cotdata.render.template_child"]
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the build, which ends it in order
        )
        patience = 60 + self._seconds
        answer = self._exchange(self._child, orjson.dumps(self._first) + b"\n", patience)
        if answer is None or answer["error"]:
            self.close()
            why = answer["error"] if answer else "its process ended"
            raise RenderError(
                f"the chat template cannot be used: {why}",
                fix="give a model with another template, or name a think frame with `render.frame`",
            )
        return self._child

    def _exchange(
        self, child: "subprocess.Popen[bytes]", request: bytes, patience: float
    ) -> dict[str, Any] | None:
        """Send a request and return the answer; None where the child ended or is stuck."""
        if child.stdin is None or child.stdout is None:
            return None
        writer = threading.Thread(target=_send, args=(child.stdin, request), daemon=True)
        writer.start()
        ready, _, _ = select.select([child.stdout], [], [], patience)
        line = child.stdout.readline() if ready else b""
        if not line.endswith(b"\n"):
            return None
        writer.join()
        answer: dict[str, Any] = orjson.loads(line)
        return answer


def _send(stream: Any, request: bytes) -> None:  # noqa: ANN401 - a pipe
    with contextlib.suppress(OSError, ValueError):
        stream.write(request)
        stream.flush()
