"""People who lose rights at one process of Open WebUI, and what another one answers them next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

__all__ = ["Connection", "Person"]


class Connection:
    """A connection to one process: it stays with the one that has accepted it."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._address = self._address_of(client.get("/health"))

    def __call__(self, token: str, method: str, path: str, json: Any = None) -> httpx.Response:
        return self.send(method, path, json, {"Authorization": f"Bearer {token}"})

    def send(self, method: str, path: str, json: Any, headers: dict[str, str]) -> httpx.Response:
        answer = self._client.request(method, path, json=json, headers=headers)
        assert self._address_of(answer) == self._address, "this is another connection"
        return answer

    @staticmethod
    def _address_of(answer: httpx.Response) -> object:
        return answer.extensions["network_stream"].get_extra_info("client_addr")


class Person:
    """Somebody whose rights change; each change is made by one process, and seen by the next request to another."""

    def __init__(self, instance: OpenWebUI, here: Connection, number: int) -> None:
        self.admin = instance.user("admin").token
        self.form = {"name": "p", "email": f"p{number}@example.com", "password": instance.password}
        added = self.changed(here, "POST", "/api/v1/auths/add", {**self.form, "role": "user"})
        self.id, self.token = added["id"], added["token"]
        self.group = self.changed(here, "POST", "/api/v1/groups/create", {"name": f"g{number}", "description": ""})
        form = {"name": f"g{number}", "description": "", "permissions": {"features": {"api_keys": True}}}
        self.changed(here, "POST", f"/api/v1/groups/id/{self.group['id']}/update", form)

    def changed(self, here: Connection, method: str, path: str, json: Any = None, token: str = "") -> Any:
        """Have a process change something."""
        return here(token or self.admin, method, path, json).raise_for_status().json()

    def join(self, here: Connection, verb: str) -> None:
        self.changed(here, "POST", f"/api/v1/groups/id/{self.group['id']}/users/{verb}", {"user_ids": [self.id]})

    def status(self, there: Connection, token: str = "", path: str = "/api/v1/chats/?page=1") -> int:
        """Return what a process answers to a request that needs a user's role."""
        return there(token or self.token, "GET", path).status_code

    def lose_rights(self, here: Connection, there: Connection) -> None:
        """Take five rights away at one, some given back, and check with the next request to the other."""
        for change in (self.role, self.membership, self.api_key, self.session, self.deletion):
            change(here, there)

    def role(self, here: Connection, there: Connection) -> None:
        for role, status in [("pending", 401), ("user", 200)]:
            self.changed(here, "POST", f"/api/v1/users/{self.id}/update", {"role": role})
            assert self.status(there) == status

    def membership(self, here: Connection, there: Connection) -> None:
        for verb, is_permitted in [("add", True), ("remove", False)]:
            self.join(here, verb)
            me = there(self.token, "GET", "/api/v1/auths/").raise_for_status().json()
            assert me["permissions"]["features"]["api_keys"] is is_permitted

    def api_key(self, here: Connection, there: Connection) -> None:
        self.join(here, "add")
        key = self.changed(there, "POST", "/api/v1/auths/api_key", token=self.token)["api_key"]
        assert self.status(here, key) == 200
        self.join(here, "remove")
        assert self.status(there, key) == 403
        self.join(there, "add")
        assert self.status(here, key) == 200
        self.changed(here, "DELETE", "/api/v1/auths/api_key", token=self.token)
        assert self.status(there, key) == 401
        self.join(here, "remove")

    def session(self, here: Connection, there: Connection) -> None:
        assert self.status(there) == 200
        self.changed(here, "POST", f"/api/v1/users/{self.id}/sessions/revoke")
        assert self.status(there) == 401
        known = {"X-Email": self.form["email"]}  # what an instance behind a proxy goes by
        signed_in = there.send("POST", "/api/v1/auths/signin", self.form, known).raise_for_status().json()
        self.token = signed_in["token"]
        assert self.status(here) == 200

    def deletion(self, here: Connection, there: Connection) -> None:
        assert self.status(there) == 200
        self.changed(here, "DELETE", f"/api/v1/users/{self.id}")
        assert self.status(there) == 401
