"""A server that speaks OpenAI's API and says the same every time; what it does is written in the message."""

from __future__ import annotations

import json
import select
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODELS = ("fake", "fake-two")
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
TASKS = {
    "concise title": {"title": "A Fake Title"},
    "broad tags": {"tags": ["Fake Science", "Größe"]},
    "useful messages": {"follow_ups": ["What else?", "Why is that?"]},
}
"""What is in the prompt of one of Open WebUI's own tasks -> what the answer to it is."""

FAIL, WAIT, CALL = "FAIL", "WAIT ", "CALL "
"""Messages that begin so are answered with status 500, or not to the end before ``WAIT key`` is released; ``CALL tool
{...}`` calls the tool."""


@dataclass
class FakeOpenAI:
    """The server, which answers in threads of its own.

    Attributes:
        released: Keys of the messages which need not wait any more.
        answers: Words of a message -> what the answer to it is.
        heard: The messages of each request for an answer.
        pause: Seconds between the pieces of an answer.
    """

    released: set[str] = field(default_factory=set)
    answers: dict[str, str] = field(default_factory=dict)
    heard: list[list[dict[str, Any]]] = field(default_factory=list)
    pause: float = 0.0

    def __enter__(self) -> FakeOpenAI:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"owner": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    owner: FakeOpenAI

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        """List the models."""
        self._send(200, {"object": "list", "data": [{"id": name, "object": "model", "created": 0} for name in MODELS]})

    def do_POST(self) -> None:
        """Answer the last message."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = _text(body["messages"][-1])
        self.owner.heard.append(body["messages"])
        if text.startswith(FAIL):
            self._send(500, {"error": {"message": "The model broke.", "type": "server_error"}})
        elif not body.get("stream"):
            message = {"role": "assistant", "content": self._answer(body)}
            self._send(200, _envelope(body, "chat.completion", message=message) | {"usage": USAGE})
        else:
            self._stream(body, wait=text.removeprefix(WAIT) if text.startswith(WAIT) else "")

    def _answer(self, body: dict[str, Any]) -> str:
        said = _text(body["messages"][-1])
        known = (answer for words, answer in self.owner.answers.items() if words in said)
        return _answer(body) if said.startswith("### Task: ") else next(known, _answer(body))

    def _send(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, body: dict[str, Any], *, wait: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for delta in _deltas(body, self._answer(body)):
            self._event(_envelope(body, "chat.completion.chunk", delta=delta))
            time.sleep(self.owner.pause)
            while wait and wait not in self.owner.released:
                if select.select([self.connection], [], [], 0.02)[0]:
                    return  # the other side has hung up
        reason = "tool_calls" if _call(body) else "stop"
        self._event(_envelope(body, "chat.completion.chunk", delta={}, finish_reason=reason))
        self._event(_envelope(body, "chat.completion.chunk") | {"choices": [], "usage": USAGE})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, content: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(content).encode() + b"\n\n")


def _envelope(body: dict[str, Any], kind: str, **choice: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop" if "message" in choice else None, **choice}
    return {"id": "fake-1", "object": kind, "created": 0, "model": body["model"], "choices": [choice]}


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _call(body: dict[str, Any]) -> str:
    """Return the name and arguments of the tool to call; nothing if there is none."""
    last = body["messages"][-1]
    text = _text(last)
    return text.removeprefix(CALL) if last["role"] == "user" and text.startswith(CALL) else ""


def _answer(body: dict[str, Any]) -> str:
    last = body["messages"][-1]
    text = _text(last)
    for words, answer in TASKS.items():
        if text.startswith("### Task:") and words in text:
            return json.dumps(answer, ensure_ascii=False)
    said = "The tool says" if last["role"] == "tool" else f"{body['model']} heard {len(body['messages'])} messages"
    return f"{said}: {text}"


def _deltas(body: dict[str, Any], answer: str) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    if call := _call(body):
        name, _, arguments = call.partition(" ")
        function = {"name": name, "arguments": arguments}
        yield {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}
        return
    for word in answer.split(" "):
        yield {"content": f"{word} "}
