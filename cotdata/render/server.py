"""Asks a running server for the prompt that it makes of a conversation, and compares.

llama.cpp: `POST /apply-template` gives the text and `POST /tokenize` the ids (ggml-org/llama.cpp,
tools/server/README.md). vLLM: `POST /tokenize` with messages gives the ids (vllm-project/vllm,
entrypoints/openai/protocol.py, TokenizeChatRequest). Of any other server that speaks OpenAI's
protocol only the number of prompt tokens is known, from an answer of one token: a weaker proof.
"""

import http.client
import json
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from cotdata.errors import Location, RenderError

SECONDS: Final = 30.0
#: An answer of a server that is longer is none.
_MAX_BYTES: Final = 64 << 20

Kind = Literal["llama.cpp", "vLLM", "OpenAI"]


class Question(NamedTuple):
    """A row's conversation and what its prompt was rendered to."""

    row_id: str
    messages: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any]
    prompt: str
    #: The prompt's token ids; empty where the run has none.
    ids: Sequence[int]
    #: The text of the beginning-of-sequence token, if the model has one.
    bos: str = ""


class Answer(NamedTuple):
    """What came of one row: what was compared, and what differs (None: nothing)."""

    row_id: str
    compared: str
    difference: str | None


@dataclass(frozen=True)
class Server:
    """A server that was found to be running."""

    url: str
    kind: Kind
    model: str | None

    def compare(self, asked: Question) -> Answer:
        """Ask for one row's prompt and compare it with the run's.

        Raises:
            RenderError: If the server does not answer.
        """
        match self.kind:
            case "llama.cpp":
                return self._as_llama_cpp(asked)
            case "vLLM":
                return self._as_vllm(asked)
            case _:
                return self._by_usage(asked)

    def _as_llama_cpp(self, asked: Question) -> Answer:
        body: dict[str, Any] = {
            "messages": asked.messages,
            "chat_template_kwargs": asked.settings,
        }
        text = str(self._post("/apply-template", body).get("prompt", ""))
        # It takes the beginning-of-sequence token off the text and adds it to the ids.
        if text not in {asked.prompt, asked.prompt.removeprefix(asked.bos)}:
            return Answer(asked.row_id, "text", _difference(asked.prompt, text))
        if not asked.ids:
            return Answer(asked.row_id, "text", None)
        body = {"content": text, "add_special": True, "parse_special": True}
        ids = self._post("/tokenize", body).get("tokens", [])
        return Answer(asked.row_id, "text and ids", _id_difference(asked.ids, ids))

    def _as_vllm(self, asked: Question) -> Answer:
        body = {
            "messages": asked.messages,
            "add_generation_prompt": True,
            "chat_template_kwargs": asked.settings,
            **self._named(),
        }
        ids = self._post("/tokenize", body).get("tokens", [])
        if not asked.ids:
            return Answer(asked.row_id, "nothing: the run has no ids", None)
        return Answer(asked.row_id, "ids", _id_difference(asked.ids, ids))

    def _by_usage(self, asked: Question) -> Answer:
        body = {
            "messages": asked.messages,
            "max_tokens": 1,
            "chat_template_kwargs": asked.settings,
            **self._named(),
        }
        usage = self._post("/v1/chat/completions", body).get("usage")
        found = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        if found is None or not asked.ids:
            return Answer(asked.row_id, "nothing: no count of prompt tokens", None)
        is_same = found == len(asked.ids)
        differs = f"the run's prompt has {len(asked.ids)} tokens, the server's {found}"
        return Answer(asked.row_id, "number of prompt tokens", None if is_same else differs)

    def _named(self) -> dict[str, str]:
        return {"model": self.model} if self.model else {}

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        found = ask(self.url + path, body)
        if found is None:
            raise RenderError(f"no answer that is JSON from {path}", Location(shown(self.url)))
        return found


def find_server(url: str, model: str | None = None) -> Server:
    """Return what runs at an address.

    Args:
        url: With or without `/v1`.
        model: The model's name there; the first that the server lists if left out.

    Raises:
        RenderError: If nothing answers there.
    """
    if not _is_address(url):
        raise RenderError(
            f"`{shown(url)}` is no address of a server",
            fix="give one such as http://localhost:8000",
        )
    base = url.rstrip("/").removesuffix("/v1")
    listed = ask(base + "/v1/models")
    if listed is None and ask(base + "/health") is None and ask(base + "/props") is None:
        raise RenderError(
            "no server that speaks OpenAI's protocol answers there",
            Location(shown(url)),
            fix="start it, and give its address without a path, such as http://localhost:8000",
        )
    name = model or _first_model(listed)
    if ask(base + "/apply-template", {"messages": [{"role": "user", "content": "x"}]}) is not None:
        return Server(base, "llama.cpp", name)
    probe = {"messages": [{"role": "user", "content": "x"}], **({"model": name} if name else {})}
    answer = ask(base + "/tokenize", probe)
    kind: Kind = "vLLM" if answer is not None and "tokens" in answer else "OpenAI"
    return Server(base, kind, name)


def ask(url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Return a server's JSON object; None where there is none. With a body, it is a POST."""
    data = None if body is None else json.dumps(body).encode()
    # http and https alone: `find_server` sees to that.
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            found = json.loads(response.read(_MAX_BYTES))
    except (OSError, ValueError, http.client.HTTPException, RecursionError):
        return None  # refused, no HTTP, another status, no JSON
    return found if isinstance(found, dict) else {"value": found}


def shown(url: str) -> str:
    """Return an address without what may be secret in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "…" + url.rpartition("@")[2]
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half of an IPv6 address
        return False


def _first_model(listed: Mapping[str, Any] | None) -> str | None:
    models = (listed or {}).get("data")
    first = models[0] if isinstance(models, list) and models else None
    name = first.get("id") if isinstance(first, dict) else None
    return name if isinstance(name, str) else None


def _difference(expected: str, found: str) -> str:
    size = min(len(expected), len(found))
    at = next((place for place in range(size) if expected[place] != found[place]), size)
    start = max(0, at - 20)
    return (
        f"from character {at}: the run has {expected[start : at + 60]!r}, the server "
        f"{found[start : at + 60]!r}"
    )


def _id_difference(expected: Sequence[int], found: object) -> str | None:
    if not isinstance(found, list):
        return f"the server gave no list of tokens, but {found!r:.60}"
    if list(expected) == list(found):
        return None
    size = min(len(expected), len(found))
    at = next((place for place in range(size) if expected[place] != found[place]), size)
    return (
        f"from token {at}: the run has {list(expected[at : at + 8])} of {len(expected)}, the "
        f"server {list(found[at : at + 8])} of {len(found)}"
    )
