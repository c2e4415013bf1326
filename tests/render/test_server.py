"""A running server is asked for its own prompt, by the protocol that it speaks."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cotdata.errors import RenderError
from cotdata.render.server import Answer, Question, find_server

PROMPT = "<s>[INST]Why?[/INST]"
IDS = [1, 3, 44, 4]
ASKED = Question(
    "m:0", [{"role": "user", "content": "Why?"}], {"enable_thinking": True}, PROMPT, IDS, "<s>"
)

Replies = dict[str, Callable[[Any], Any]]
Start = Callable[[Replies], str]


@pytest.fixture
def start() -> Iterator[Start]:
    servers: list[ThreadingHTTPServer] = []

    def serve(replies: Replies) -> str:
        class Handler(BaseHTTPRequestHandler):
            def answer(self, body: Any) -> None:
                if self.path not in replies:
                    self.send_error(404)
                    return
                content = json.dumps(replies[self.path](body)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                self.answer(None)

            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                self.answer(json.loads(self.rfile.read(size)))

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


MODELS: Replies = {"/v1/models": lambda _: {"data": [{"id": "m"}]}}


def llama_cpp(text: str = PROMPT.removeprefix("<s>"), ids: list[int] = IDS) -> Replies:
    return {
        **MODELS,
        "/apply-template": lambda _: {"prompt": text},
        "/tokenize": lambda body: {"tokens": ids if body["add_special"] else ids[1:]},
    }


def compared(url: str) -> Answer:
    return find_server(url).compare(ASKED)


def test_llama_cpp_gives_text_and_ids(start: Start) -> None:
    assert compared(start(llama_cpp())) == Answer("m:0", "text and ids", None)


def test_a_text_that_differs_is_shown_from_where_it_does(start: Start) -> None:
    answer = compared(start(llama_cpp(text="[INST]Why?[/INST]<think>")))
    assert answer.compared == "text"
    assert "<think>" in (answer.difference or "")


def test_ids_that_differ_are_shown_from_where_they_do(start: Start) -> None:
    answer = compared(start(llama_cpp(ids=[1, 1, 3, 44, 4])))
    assert answer.difference is not None
    assert answer.difference.startswith("from token 1:")


def test_vllm_gives_ids_with_the_settings_of_the_run(start: Start) -> None:
    def tokenize(body: Any) -> Any:
        if body.get("chat_template_kwargs") == {"enable_thinking": True}:
            return {"tokens": IDS, "count": len(IDS)}
        return {"tokens": [], "count": 0}

    assert compared(start({**MODELS, "/tokenize": tokenize})) == Answer("m:0", "ids", None)


def test_any_other_server_gives_the_number_of_prompt_tokens_only(start: Start) -> None:
    usage: Replies = {"/v1/chat/completions": lambda _: {"usage": {"prompt_tokens": 5}}}
    answer = compared(start({**MODELS, **usage}))
    assert answer.compared == "number of prompt tokens"
    assert answer.difference == "the run's prompt has 4 tokens, the server's 5"


def test_the_address_may_end_in_v1(start: Start) -> None:
    assert find_server(start(llama_cpp()) + "/v1/").kind == "llama.cpp"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "localhost:8000", "file:///etc/passwd", ""])
def test_where_no_server_answers_the_error_says_what_to_give(url: str) -> None:
    with pytest.raises(RenderError) as raised:
        find_server(url)
    assert "http://localhost:8000" in (raised.value.fix or "")


def test_an_error_does_not_show_the_password_of_an_address() -> None:
    with pytest.raises(RenderError) as raised:
        find_server("http://user:hunter2@127.0.0.1:9?key=hunter2")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:abc", "http://[::1", "http://user:secret@localhost:abc/v1"]
)
def test_an_address_that_is_none_is_said_so_without_what_is_secret(url: str) -> None:
    with pytest.raises(RenderError, match="no address of a server") as raised:
        find_server(url)
    assert "secret" not in str(raised.value)


def _raw(content: bytes) -> tuple[str, threading.Thread]:
    """Answer one connection after another with these bytes, until none comes for a while."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(2)

    def serve() -> None:
        with listener, contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(content)

    thread = threading.Thread(target=serve)
    thread.start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}", thread


@pytest.mark.parametrize(
    "content",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
    ],
)
def test_what_speaks_no_http_or_no_json_is_no_server(content: bytes) -> None:
    url, thread = _raw(content)
    with pytest.raises(RenderError, match="no server"):
        find_server(url)
    thread.join()


@pytest.mark.parametrize(
    "content", [{"data": {"a": 1}}, {"data": 5}, {"data": [], "tokens": None}, {"usage": [1]}]
)
def test_json_of_another_kind_is_a_difference(content: dict[str, object]) -> None:
    body = json.dumps({"prompt": "p", "tokens": 5, **content}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    url, thread = _raw(head + body)
    asked = Question("r", [{"role": "user", "content": "x"}], {}, "p", [1, 2])
    assert find_server(url).compare(asked).difference is not None
    thread.join()
