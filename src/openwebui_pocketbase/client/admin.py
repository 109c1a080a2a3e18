"""The rare administrative calls, synchronous, over the ``pocketbase`` package."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import TracebackType
from typing import Any, BinaryIO

import httpx
from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError

from openwebui_pocketbase.client.errors import encoded, not_pocketbase, response_error, unavailable
from openwebui_pocketbase.client.proven import ProvenTransport
from openwebui_pocketbase.client.transport import ENCODINGS
from openwebui_pocketbase.client.trust import Trust
from openwebui_pocketbase.client.wire import idempotency_key
from openwebui_pocketbase.exceptions import OpenWebUIPocketBaseError, ResponseError, UnauthorizedError
from openwebui_pocketbase.origin import SCRIPT, new_origin

__all__ = ["AdminClient", "certificates"]

STREAMED = "owui_streamed"
"""Marks a request whose reply is read by whoever sent it."""


class _WithoutTokens(logging.Filter):
    """Hides the file tokens in what httpx logs of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.copy_set_param("token", "...")
                if isinstance(argument, httpx.URL) and "token" in argument.params
                else argument
                for argument in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_WithoutTokens())


class AdminClient:
    """A superuser's view of one PocketBase server; every method blocks.

    Args:
        url: Address of the server.
        timeout: Seconds for one request.
        token: A superuser token, if `login` is not going to be called.
        trust: What the server has to prove before it is sent anything; None for nothing.
        origin: What the change feed calls whoever writes; "" for a program of its own.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 30.0,
        token: str | None = None,
        trust: Trust | None = None,
        origin: str = "",
    ) -> None:
        self._url = url
        self._origin = origin or new_origin(SCRIPT)
        # Like the asynchronous client, straight to the server: no proxy of the environment in between.
        self._client = PocketBase(
            url,
            timeout=timeout,
            trust_env=False,
            headers={"Accept-Encoding": "identity"},
            event_hooks={"response": [self._check]},
            transport=ProvenTransport(url, trust) if trust else None,
            verify=certificates(),
        )
        if token:
            self._client.auth_store.save(token)

    def __enter__(self) -> AdminClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.http_client.close()

    @contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """Let each request take longer than usual meanwhile."""
        client = self._client.http_client
        usual, client.timeout = client.timeout, httpx.Timeout(seconds)
        try:
            yield
        finally:
            client.timeout = usual

    def login(self, identity: str, password: str) -> str:
        """Sign in as a superuser; return the token.

        Raises:
            UnauthorizedError: The server does not know these credentials.
        """
        path = "/api/collections/_superusers/auth-with-password"
        try:
            answer = self._object("POST", path, {"identity": identity, "password": password})
        except ResponseError as error:
            if error.status == httpx.codes.NOT_FOUND:
                raise not_pocketbase(self._url) from None
            if error.status != httpx.codes.BAD_REQUEST:  # PocketBase's answer to wrong credentials
                raise
            raise UnauthorizedError(
                f"PocketBase at {self._url} does not accept these credentials.",
                url=error.url,
                status=error.status,
                hint="Check identity and password of [pocketbase]: they must be those of a superuser.",
            ) from None
        token = str(answer["token"])
        self._client.auth_store.save(token)
        return token

    def health(self) -> None:
        """Return if the server answers.

        Raises:
            RequestError: It does not.
        """
        self._object("GET", "/api/health")

    def version(self) -> dict[str, Any]:
        """Return schema version, epoch and hook digests.

        Raises:
            NotFoundError: The server has not our hooks.
        """
        return self._object("GET", "/api/owui/version")

    def collections(self) -> dict[str, dict[str, Any]]:
        """Return the definitions of all collections, by name."""
        answer = self._object("GET", "/api/collections?perPage=1000&skipTotal=1")
        return {definition["name"]: definition for definition in answer["items"]}

    def import_collections(self, definitions: list[dict[str, Any]]) -> None:
        """Create or extend collections, all or none; what they do not mention stays."""
        self.send("PUT", "/api/collections/import", {"collections": definitions, "deleteMissing": False})

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """Run one SQL statement; return its rows, all values as text.

        Args:
            statement: At most 5,000 characters; there are no parameters, so it must be a constant of ours.
        """
        answer = self._object("POST", "/api/sql", {"query": statement})
        columns = [column["name"] for column in answer.get("columns") or []]
        return [dict(zip(columns, row, strict=True)) for row in answer.get("rows") or []]

    def read(self, path: str, parameters: dict[str, Any]) -> Any:
        """Call a method of the hooks that only reads."""
        return self.send("POST", f"/api/owui/{path}", parameters)

    def write(self, path: str, parameters: dict[str, Any]) -> Any:
        """Call a method of the hooks that writes; return its answer."""
        headers = {"Idempotency-Key": idempotency_key(self._origin)}
        return self.send("POST", f"/api/owui/{path}", parameters, headers)["answer"]

    def send(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        """Send one request.

        Raises:
            RequestError: The server gave an error, or no answer.
        """
        try:
            return self._client.send(path, {"method": method, "body": body, "headers": dict(headers or {})})
        except ClientResponseError as error:
            cause = error.original_error
            if isinstance(cause, OpenWebUIPocketBaseError):  # of `_check`, or of the proof
                raise cause from None
            url = self._url + path.partition("?")[0]
            raise unavailable(url, cause if isinstance(cause, Exception) else error) from None

    @contextmanager
    def stream(self, path: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """Ask for a body of any size and type, to be read piece by piece.

        Raises:
            RequestError: The server gave an error, or the connection ended before the whole body had come.
        """
        client = self._client.http_client
        try:
            with client.stream(
                "GET", self._client.build_url(path), headers=headers, extensions={STREAMED: True}
            ) as reply:
                yield reply
        except httpx.HTTPError as error:
            raise unavailable(self._url + path.partition("?")[0], error) from None

    def upload(self, path: str, name: str, file: BinaryIO) -> None:
        """Send a file of any size, piece by piece.

        Raises:
            RequestError: The server gave an error, or no answer.
        """
        client = self._client.http_client
        headers = {"Authorization": self._client.auth_store.token or ""}
        try:
            client.post(self._client.build_url(path), headers=headers, files={"file": (name, file)})
        except httpx.HTTPError as error:
            raise unavailable(self._url + path, error) from None

    def _check(self, response: httpx.Response) -> None:
        """Raise the error of a reply that is none of PocketBase's good ones; httpx calls this for each reply."""
        url = self._url + response.request.url.path.removeprefix(self._client.http_client.base_url.path.rstrip("/"))
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding not in ENCODINGS:
            raise encoded(url, encoding)
        if response.is_success and STREAMED in response.request.extensions:
            return
        content = response.read()
        if not response.is_success:
            raise response_error(url, response.status_code, content, response.headers)
        if content and "json" not in response.headers.get("Content-Type", ""):
            raise not_pocketbase(self._url)

    def _object(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.send(method, path, body)
        if not isinstance(answer, dict):
            raise not_pocketbase(self._url)
        return answer


@cache
def certificates() -> ssl.SSLContext:
    """Return what connections to https addresses are verified by; reading it takes longer than most requests."""
    return httpx.create_ssl_context()
