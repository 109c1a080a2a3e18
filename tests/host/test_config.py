"""The configuration in several processes: what one stores, the next request to another one sees."""

from __future__ import annotations

import http.client
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.support.openwebui import EVERY_GROUP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.openwebui import NewOpenWebUI, OpenWebUI

pytest_plugins = ["tests.support.openwebui"]

ROUNDS = int(os.environ.get("OWUI_TEST_ROUNDS", "100"))
BANNERS = "/api/v1/configs/banners"
ADMIN_CONFIG = "/api/v1/auths/admin/config"


class Line:
    """A connection that stays open, so that the same worker answers on it."""

    def __init__(self, instance: OpenWebUI) -> None:
        self._instance = instance
        self._connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=30)
        self._connection.connect()
        self.port: int = self._connection.sock.getsockname()[1]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return status and answer."""
        head = {"Content-Type": "application/json", **self._instance.headers("admin"), **headers}
        self._connection.request(method, path, None if body is None else json.dumps(body), head)
        answer = self._connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def close(self) -> None:
        self._connection.close()


def banner(number: int) -> dict[str, Any]:
    own = {"id": str(number), "type": "info", "content": "c", "dismissible": True, "timestamp": number}
    return {"i18n": None, "title": None, **own}


@pytest.fixture
def lines(two_workers: OpenWebUI, poll: Callable[..., Any]) -> Iterator[list[Line]]:
    """One line to each worker."""
    assert two_workers.process is not None
    children = psutil.Process(two_workers.process.pid).children()
    opened: list[Line] = []
    found: dict[int, Line] = {}

    def both() -> bool:
        with ThreadPoolExecutor(8) as pool:
            new = list(pool.map(lambda _: Line(two_workers), range(8)))
            list(pool.map(lambda line: line.ask("GET", "/health"), new))
        opened.extend(new)
        by_port = {line.port: line for line in new}
        for child in children:
            for connection in child.net_connections():
                if connection.raddr and connection.raddr.port in by_port:
                    found[child.pid] = by_port[connection.raddr.port]
        return len(found) == 2

    poll(both, "each of the two workers has a line")
    yield list(found.values())
    for line in opened:
        line.close()


def test_the_next_request_to_the_other_worker_sees_what_one_has_stored(lines: list[Line]) -> None:
    for number in range(ROUNDS):
        writer, reader = lines[number % 2], lines[1 - number % 2]
        banners = [banner(number)]
        assert writer.ask("POST", BANNERS, {"banners": banners}) == (200, banners)
        assert reader.ask("GET", BANNERS) == (200, banners)
        assert writer.ask("GET", BANNERS) == (200, banners)


def test_the_next_request_to_each_worker_sees_what_the_dashboard_has_stored(
    lines: list[Line], two_workers: OpenWebUI
) -> None:
    records = "/api/collections/owui_config/records"
    lines[0].ask("POST", BANNERS, {"banners": []})
    with two_workers.admin() as admin:
        (record,) = admin.send("GET", f"{records}?filter=key='ui.banners'")["items"]
        for number in range(ROUNDS // 4):
            admin.send("PATCH", f"{records}/{record['id']}", {"value": [banner(number)]})
            for line in lines:
                assert line.ask("GET", BANNERS) == (200, [banner(number)])


def test_a_changed_policy_ends_all_sessions_at_once(lines: list[Line], two_workers: OpenWebUI) -> None:
    _, config = lines[0].ask("GET", ADMIN_CONFIG)
    for number in range(max(4, ROUNDS // 10)):
        writer, reader = lines[number % 2], lines[1 - number % 2]
        wanted = {**config, "MFA_ALLOW_OAUTH_BYPASS": number % 2 == 0}
        assert reader.ask("GET", BANNERS)[0] == 200
        assert writer.ask("POST", ADMIN_CONFIG, wanted)[0] == 200
        assert reader.ask("GET", BANNERS)[0] == 401
        assert writer.ask("GET", BANNERS)[0] == 401
        email = "admin@example.com"
        form = {"email": email, "password": ""}
        token = reader.ask("POST", "/api/v1/auths/signin", form, Authorization="", **{"X-Email": email})[1]["token"]
        two_workers.users["admin"] = replace(two_workers.users["admin"], token=token)
        assert reader.ask("GET", ADMIN_CONFIG)[1]["MFA_ALLOW_OAUTH_BYPASS"] == wanted["MFA_ALLOW_OAUTH_BYPASS"]


def test_a_site_takes_its_configuration_along(new_openwebui: NewOpenWebUI) -> None:
    """It must not open sign-ups that were closed."""
    apart = "OPENWEBUI_POCKETBASE_GROUPS_CONFIG"
    instance = new_openwebui("along", {"STORAGE_BACKEND": "pocketbase", apart: "sqlalchemy"}, in_pocketbase=EVERY_GROUP)
    instance.start().user("admin")
    config = instance.request("admin", "GET", ADMIN_CONFIG).json()
    wanted = {**config, "ENABLE_SIGNUP": False, "WEBUI_URL": "https://chat.example.org"}
    assert instance.request("admin", "POST", ADMIN_CONFIG, json=wanted).is_success
    instance.stop()
    rows = instance.sql("SELECT key, updated_at FROM config ORDER BY key")

    del instance.env[apart]
    instance.start()
    assert instance.request("admin", "GET", ADMIN_CONFIG).json() == wanted
    with instance.admin() as admin:
        records = admin.sql("SELECT key, updated_at FROM owui_config ORDER BY key")
    assert [(record["key"], int(record["updated_at"])) for record in records] == rows

    assert instance.request("admin", "POST", ADMIN_CONFIG, json=config).is_success
    instance.stop()
    instance.start()
    assert instance.request("admin", "GET", ADMIN_CONFIG).json() == config
    assert instance.sql("SELECT key, updated_at FROM config ORDER BY key") == rows
