"""What the host asks PocketBase to answer a request of somebody who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.driver import Driver

pytest_plugins = ["tests.support.openwebui"]

MESSAGES = {
    "a": {"id": "a", "parentId": None, "childrenIds": ["b"], "role": "user", "content": "x", "timestamp": 1},
    "b": {"id": "b", "parentId": "a", "childrenIds": [], "role": "assistant", "content": "y", "timestamp": 2},
}
CHAT = {"chat": {"title": "A chat", "history": {"messages": MESSAGES, "currentId": "b"}, "messages": []}}
PERSON = {"name": "ann", "email": "ann@example.com", "password": "a-user's-password", "role": "user"}
GROUP = {"name": "g", "description": "", "permissions": {"features": {"api_keys": True, "folders": True}}}


def get(url: str, token: str = "ann") -> dict[str, Any]:
    return {"method": "GET", "url": url, "token": token}


def post(url: str, json: dict[str, Any], token: str = "", **save: str) -> dict[str, Any]:
    return {"method": "POST", "url": url, "json": json, "token": token, "save": save}


PREPARE = [
    post("/api/v1/auths/add", PERSON, id="id", ann="token"),
    post("/api/v1/groups/create", GROUP, group="id"),
    post("/api/v1/groups/id/$group/update", GROUP),
    post("/api/v1/groups/id/$group/users/add", {"user_ids": ["$id"]}),
    post("/api/v1/auths/api_key", {}, "ann", key="api_key"),  # and notes when she was active, once a minute
]

SIGNED_IN = "auths/get_auth_and_person_by_id"
API_KEY = "users/get_person_by_api_key"
OPENING = ["chats/get_chat_by_id", "chat_messages/get_messages_map_by_chat_id"]
FOLDERS = ["folders/get_folders_by_user_id"] * 2

ASKED: list[tuple[dict[str, Any], list[str]]] = [
    (post("/api/v1/chats/new", CHAT, "ann", chat="id"), [SIGNED_IN, "users/get_user_by_id", "chats/insert_chats"]),
    (get("/api/v1/auths/"), [SIGNED_IN]),
    (get("/api/v1/users/user/settings"), [SIGNED_IN]),
    (get("/api/v1/chats/?page=1"), [SIGNED_IN, "chats/get_chat_list"]),
    (get("/api/v1/chats/$chat"), [SIGNED_IN, *OPENING]),
    (get("/api/v1/folders/"), [SIGNED_IN, *FOLDERS]),
    (get("/api/v1/chats/?page=1", "key"), [API_KEY, "chats/get_chat_list"]),
    (get("/api/v1/chats/$chat", "key"), [API_KEY, *OPENING]),
    (get("/api/v1/folders/", "key"), [API_KEY, *FOLDERS]),
    (get("/api/v1/auths/", ""), [SIGNED_IN]),
    (get("/api/v1/chats/?page=1", ""), [SIGNED_IN, "chats/get_chat_list"]),
]
"""Requests of somebody who is in a group, and of an administrator, and what PocketBase is asked for each."""


def test_who_has_signed_in_is_one_read(driver: Driver, tmp_path: Path) -> None:
    """Credentials, user and groups; the host asks for the user again to see who may make chats."""
    env = {"STORAGE_BACKEND": "pocketbase", "OPENWEBUI_POCKETBASE_EMBEDDED_DATA_DIR": str(tmp_path / "pocketbase")}
    started = driver.start(env, [*PREPARE, *(request for request, _ in ASKED)])
    assert {status for status, _ in started.answers} == {200}, started.answers
    found = started.asked[len(PREPARE) :]
    assert [(request["url"], asked) for (request, _), asked in zip(ASKED, found, strict=True)] == [
        (request["url"], asked) for request, asked in ASKED
    ]
