"""Reaching a server at the start: what is waited for, and what is said."""

from __future__ import annotations

import gzip
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from openwebui_pocketbase.client import AdminClient, Authenticator
from openwebui_pocketbase.connection import Connection
from openwebui_pocketbase.exceptions import (
    NotPocketBaseError,
    RequestError,
    TooLargeError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
    UntrustedServerError,
)
from openwebui_pocketbase.origin import APPLICATION, SCRIPT, new_origin
from openwebui_pocketbase.settings import PocketBaseSettings
from tests.integration.test_client import NOBODY, TAGS, http_answer, misbehaving, new_client
from tests.support.pocketbase import IDENTITY, PASSWORD, PocketBaseProcess, clone
from tests.support.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path


def connection_to(url: str, **values: Any) -> Connection:
    settings = {"url": url, "identity": IDENTITY, "password": PASSWORD, "timeouts": {"start": 20.0}, **values}
    return Connection(PocketBaseSettings.model_validate(settings), data_dir=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("with_token", [False, True])
def test_a_server_that_is_not_up_yet_is_waited_for(
    prepared_pocketbase: Path, tmp_path: Path, with_token: bool, caplog: pytest.LogCaptureFixture
) -> None:
    server = PocketBaseProcess(clone(prepared_pocketbase, tmp_path))
    credentials = {"token": "any", "identity": None, "password": None} if with_token else {}
    connection = connection_to(server.url, **credentials)
    starting = threading.Timer(1.2, server.start)
    starting.start()
    try:
        with caplog.at_level(logging.INFO, "openwebui_pocketbase"):
            authenticator = connection.open(wait=True)
        assert bool(authenticator.current)
    finally:
        starting.join()
        server.stop()
    (line,) = (record.getMessage() for record in caplog.records if "Waiting for" in record.getMessage())
    assert f"Waiting for PocketBase at {server.url}, 0 of up to 20 seconds: PocketBase gave no answer" in line


def test_waiting_ends_and_commands_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[float] = []
    monkeypatch.setattr(time, "sleep", tries.append)
    nowhere = connection_to(f"http://127.0.0.1:{free_port()}", timeouts={"start": 0.1})
    for wait in (False, True):
        with pytest.raises(UnavailableError, match="Check that PocketBase runs"):
            nowhere.open(wait=wait)
    assert tries == []


@pytest.mark.parametrize(
    ("values", "kind"),
    [({"password": "wrong"}, UnauthorizedError), ({"key": "a key that the server has not"}, UntrustedServerError)],
)
def test_what_does_not_pass_is_not_waited_for(
    pocketbase: PocketBaseProcess, values: dict[str, str], kind: type[RequestError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it waits"))
    with pytest.raises(kind):
        connection_to(pocketbase.url, **values).open(wait=True)


def change(server: PocketBaseProcess, path: str, **values: Any) -> None:
    with server.admin() as admin:
        admin.send("PATCH", path, values)


def test_many_workers_sign_in_in_spite_of_rate_limits(
    own_pocketbase: PocketBaseProcess, caplog: pytest.LogCaptureFixture
) -> None:
    rule = {"label": "*:auth", "audience": "", "duration": 1, "maxRequests": 1}
    change(own_pocketbase, "/api/settings", rateLimits={"enabled": True, "rules": [rule], "excludedIPs": []})
    with ThreadPoolExecutor(3) as pool:
        opened = list(pool.map(lambda _: connection_to(own_pocketbase.url).open(), range(3)))
    assert all(authenticator.current for authenticator in opened)
    assert "of up to 15 seconds: PocketBase answered 429" in caplog.text


def test_a_rate_limit_has_its_remedy(own_pocketbase: PocketBaseProcess) -> None:
    rule = {"label": "*:auth", "audience": "", "duration": 60, "maxRequests": 1}
    change(own_pocketbase, "/api/settings", rateLimits={"enabled": True, "rules": [rule], "excludedIPs": []})
    own_pocketbase.login()
    with pytest.raises(TooManyRequestsError, match="429") as raised:
        own_pocketbase.login()
    assert "rate limits exclude" in raised.value.hint


async def test_retry_after_is_respected() -> None:
    answer = http_answer("429 Too Many Requests", b"{}", "Retry-After: 3600")
    with misbehaving(answer) as url:
        client = new_client(url, Authenticator(None, "t"), retry=60)
        began = time.monotonic()
        with pytest.raises(UnavailableError) as raised:
            await client.read(TAGS, NOBODY)  # at once: an hour is longer than the time for repetitions
        assert raised.value.retry_after == 3600
        assert time.monotonic() - began < 30
        await client.aclose()


def test_a_second_factor_is_named(own_pocketbase: PocketBaseProcess) -> None:
    change(own_pocketbase, "/api/collections/_superusers", otp={"enabled": True}, mfa={"enabled": True})
    with pytest.raises(UnauthorizedError, match="second factor") as raised:
        connection_to(own_pocketbase.url).open(wait=True)
    assert "MFA off for the collection _superusers" in raised.value.hint


def test_superuser_ips_are_named(own_pocketbase: PocketBaseProcess) -> None:
    token = own_pocketbase.login()
    change(own_pocketbase, "/api/settings", superuserIPs=["10.9.9.9"])
    with pytest.raises(UnauthorizedError, match="superuserIPs"):
        connection_to(own_pocketbase.url).open(wait=True)
    with AdminClient(own_pocketbase.url, token=token) as admin, pytest.raises(UnauthorizedError, match="superuserIPs"):
        admin.version()


async def test_a_revoked_token_without_password_is_named(own_pocketbase: PocketBaseProcess) -> None:
    token = own_pocketbase.login()
    with own_pocketbase.admin() as admin:
        (record,) = admin.send("GET", "/api/collections/_superusers/records")["items"]
        path = f"/api/collections/_superusers/records/{record['id']}"
        admin.send("PATCH", path, {"password": "another-password", "passwordConfirm": "another-password"})
    with AdminClient(own_pocketbase.url, token=token) as admin, pytest.raises(UnauthorizedError, match="revoked"):
        admin.version()
    client = new_client(own_pocketbase.url, Authenticator(None, token))
    with pytest.raises(UnauthorizedError, match="revoked"):
        await client.read(TAGS, NOBODY)
    await client.aclose()


def test_what_is_too_large_for_pocketbase(pocketbase: PocketBaseProcess) -> None:
    with AdminClient(pocketbase.url) as admin, pytest.raises(TooLargeError, match="too large") as raised:
        admin.login("x" * 34_000_000, "p")
    assert "proxy" not in raised.value.hint


PAGE = b"<html>An error of a proxy</html>"
PROXIES = {
    "too large": (http_answer("413 Too Large", PAGE), TooLargeError, "client_max_body_size"),
    "page": (http_answer("200 OK", PAGE, "Content-Type: text/html"), NotPocketBaseError, "is not PocketBase"),
    "forbidden": (http_answer("403 Forbidden", PAGE), NotPocketBaseError, "is not PocketBase"),
    "not found": (http_answer("404 Not Found", PAGE), NotPocketBaseError, "is not PocketBase"),
    "redirect": (
        http_answer("301 Moved", b"", "Location: https://pb.example.org/api/owui/version?x=secret"),
        NotPocketBaseError,
        r"Set url of \[pocketbase\] to https://pb.example.org$",
    ),
    "compressed": (
        http_answer("200 OK", b"x", "Content-Encoding: br", "Content-Type: application/json"),
        NotPocketBaseError,
        "Turn compression off",
    ),
}


@pytest.mark.parametrize("name", PROXIES)
async def test_what_proxies_do_is_named_alike(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the client of doctor and of the start, and by that of requests, which does not repeat what does not pass."""
    answer, kind, text = PROXIES[name]
    with misbehaving(answer) as url:
        with AdminClient(url, timeout=2.0, token="t") as admin, pytest.raises(kind, match=text):
            admin.version()
        client = new_client(url, Authenticator(None, "t"), retry=30)
        monkeypatch.setattr(client, "_wait", lambda *_: pytest.fail("it is repeated"))
        with pytest.raises(kind, match=text) as raised:
            await client.ping()
        assert "secret" not in str(raised.value)
        await client.aclose()


async def test_what_a_proxy_compresses_is_decompressed() -> None:
    headers = ("Content-Encoding: gzip", "Content-Type: application/json")
    with misbehaving(http_answer("200 OK", gzip.compress(b'{"schema": 7}'), *headers)) as url:
        with AdminClient(url, timeout=2.0, token="t") as admin:
            assert admin.version() == {"schema": 7}
        client = new_client(url, Authenticator(None, "t"), retry=0)
        assert await client.read("any", {}) == {"schema": 7}
        await client.aclose()
    with misbehaving(http_answer("200 OK", b"no gzip", *headers)) as url:
        client = new_client(url, Authenticator(None, "t"), retry=0)
        with pytest.raises(UnavailableError, match="decompress"):
            await client.read("any", {})
        await client.aclose()


def test_what_the_application_writes_is_its_own_in_the_feed(own_pocketbase: PocketBaseProcess) -> None:
    """Also where a file's contents are written, which is done in threads, over another client."""
    connection = connection_to(own_pocketbase.url)
    authenticator = connection.open()
    found = []
    for origin in ("", new_origin(APPLICATION)):
        connection.origin = origin
        with connection.admin(authenticator) as admin:
            admin.write("tags/insert_new_tag", {"tag": {"id": f"t{origin}", "name": "t", "user_id": "u", "meta": None}})
            changes = admin.read("changes/get_changes", {"since": "0", "limit": 10, "collections": ["owui_tags"]})
            found.append(changes["changes"][-1][-1])
    connection.close()
    assert found[0][0] == SCRIPT
    assert found[1] == origin
