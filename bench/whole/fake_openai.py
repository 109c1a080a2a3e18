"""A provider of models whose one model gives every question the same answer at once, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

from aiohttp import web

from bench.chat_data import MODEL, USAGE, text

__all__ = ["ANSWER", "FakeOpenAI"]

CHUNKS = 30
_WORDS = text(0).split(" ")
_STEP = len(_WORDS) // CHUNKS
ANSWER = " ".join(_WORDS)
"""What the model says."""


class FakeOpenAI:
    """The process, as a context manager.

    Attributes:
        url: Base address of the API.
    """

    def __enter__(self) -> FakeOpenAI:
        command = [sys.executable, "-m", "bench.whole.fake_openai"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # it ends when its standard input does


async def _models(_request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "bench"}]})


async def _complete(request: web.Request) -> web.StreamResponse:
    await request.read()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for number in range(0, len(_WORDS), _STEP):
        space = " " if number else ""
        await _send(response, {"delta": {"content": space + " ".join(_WORDS[number : number + _STEP])}})
    await _send(response, {"delta": {}, "finish_reason": "stop"}, usage=USAGE)
    await response.write(b"data: [DONE]\n\n")
    return response


async def _send(response: web.StreamResponse, choice: dict[str, Any], **members: Any) -> None:
    chunk = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "model": MODEL, **members}
    chunk["choices"] = [{"index": 0, "finish_reason": None, **choice}]
    await response.write(f"data: {json.dumps(chunk)}\n\n".encode())


def _application() -> web.Application:
    app = web.Application()
    app.router.add_get("/v1/models", _models)
    app.router.add_post("/v1/chat/completions", _complete)
    return app


def _end_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # who connects from now on only has to wait
        print(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", flush=True)
        web.run_app(_application(), sock=listening, print=None)
