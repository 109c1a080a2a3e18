"""An external app as Open WebUI's channels can have it: it keeps what it is told, and does what a test wants."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
import uuid
from collections import defaultdict
from typing import Any

import jwt
import socketio
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.processes import APP_ORIGIN

NAMESPACE = "/apps"
API_KEY = "an-app-key-only-for-tests"
PATH = "/fake"
SCOPES = ["channels:mentions:read", "channels:messages:read", "channels:messages:write", "channels:read"]
FAIL = "FAIL"
"""A mention with this word is refused."""

Envelope = dict[str, Any]


class FakeApp:
    """The server of the app, in a thread of its own. Instances install it under ids of their own.

    Attributes:
        url: What administrators enter.
        manifest: What the app says of itself.
        told: App id -> the events which came for it, oldest first.
    """

    url = f"{APP_ORIGIN}{PATH}"

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        public = self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.manifest = {
            "id": "fake",
            "name": "Fake App",
            "description": "",
            "profile_image_url": None,
            "public_key": public,
            "requested_scopes": SCOPES,
        }
        self.told: dict[str, list[Envelope]] = defaultdict(list)
        self._sids: dict[str, str] = {}
        self._installations: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> FakeApp:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def ask(self, app_id: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """Send a request to the instance that installed the app under this id; return ``status`` and what it says."""
        packet = {"operation": operation, "arguments": arguments}
        call = self._sio.call("app:request", packet, to=self._sids[app_id], namespace=NAMESPACE, timeout=30)
        answer: dict[str, Any] = asyncio.run_coroutine_threadsafe(call, self._loop).result(60)
        return answer

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._sio = socketio.AsyncServer(async_mode="aiohttp", namespaces=[NAMESPACE])
        for name, handler in (
            ("app:connect", self._connect),
            ("app:ready", self._say_ready),
            ("app:event", self._hear),
        ):
            self._sio.on(name, handler, namespace=NAMESPACE)
        application = web.Application()
        application.router.add_get(PATH, self._describe)
        self._sio.attach(application, socketio_path=f"{PATH}/socket.io")
        runner = web.AppRunner(application, shutdown_timeout=1.0)
        await runner.setup()
        address = APP_ORIGIN.removeprefix("http://").split(":")
        await web.TCPSite(runner, address[0], int(address[1])).start()
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _describe(self, request: web.Request) -> web.Response:
        is_known = request.headers.get("Authorization") == f"Bearer {API_KEY}"
        return web.json_response(self.manifest if is_known else {}, status=200 if is_known else 401)

    async def _connect(self, sid: str, data: dict[str, Any]) -> dict[str, Any]:
        """Prove who the app is."""
        app_id = data["app_id"]
        self._sids[app_id] = sid
        token = data["connection_token"] or f"token-of-{app_id}"
        installation = self._installations.setdefault(app_id, str(uuid.uuid4()))
        claims = {
            "aud": "oix:connect",
            "sub": installation,
            "app_id": app_id,
            "manifest_id": self.manifest["id"],
            "challenge": data["challenge"],
            "token_hash": hashlib.sha256(token.encode()).hexdigest(),
            "iat": int(time.time()),
            "exp": int(time.time()) + 60,
        }
        proof = jwt.encode(claims, self._key, algorithm="EdDSA", headers={"typ": "oix-connect+jwt"})
        return {"status": 200, "data": {"connection_token": token, "installation_id": installation, "proof": proof}}

    async def _say_ready(self, _sid: str, _data: Any) -> dict[str, Any]:
        return {"status": 200, "data": {"received": True}}

    async def _hear(self, _sid: str, event: Envelope) -> dict[str, Any]:
        """Keep the event; a button's context has the answer to whoever presses it."""
        self.told[event["app_id"]].append(event)
        if event["type"] == "channel.action":
            return {"status": 200, "data": event["data"]["context"]}
        if event["type"] == "channel.mention" and FAIL in event["data"]["text"]:
            return {"status": 503, "error": "The app is tired."}
        return {"status": 200, "data": {"received": True}}
