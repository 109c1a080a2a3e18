"""A site with something of everything, made over Open WebUI's own API, and what it answers."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.processes import environment

if TYPE_CHECKING:
    from tests.support.openwebui import OpenWebUI

PEOPLE = ("admin", "ada", "bob")
VOLATILE = {"last_active_at", "token", "expires_at", "last_used_at", "session_id", "is_active"}


def migrate(instance: OpenWebUI, *arguments: str, code: int = 0) -> str:
    """Run ``openwebui-pocketbase migrate`` on a site; return what it prints."""
    done = start_migrate(instance, *arguments)
    output, errors = done.communicate(timeout=300)
    assert done.returncode == code, output + errors
    assert "Traceback" not in errors, errors
    assert "INFO:" not in output + errors, output + errors
    return output


def start_migrate(instance: OpenWebUI, *arguments: str) -> subprocess.Popen[str]:
    """Start such a command."""
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("openwebui-pocketbase")), "migrate", *arguments],
        cwd=instance.data_dir.parent,
        env={**environment(instance.data_dir, instance.env), "DATA_DIR": str(instance.data_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def chat_of(*texts: str, title: str = "A chat") -> dict[str, Any]:
    """Return the body of a chat of alternating messages."""
    ids = [f"m{number}" for number in range(len(texts))]
    messages = {
        own: {
            "id": own,
            "parentId": ids[number - 1] if number else None,
            "childrenIds": ids[number + 1 : number + 2],
            "role": "assistant" if number % 2 else "user",
            "content": text,
            "timestamp": 1_700_000_000 + number,
            "done": True,
        }
        for number, (own, text) in enumerate(zip(ids, texts, strict=True))
    }
    return {"title": title, "models": ["a-model"], "history": {"messages": messages, "currentId": ids[-1]}, "tags": []}


def furnish(instance: OpenWebUI) -> None:
    """Fill every group with something."""
    ask = instance.request

    def made(user: str, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = ask(user, method, path, json=body, **more)
        assert answer.is_success, (path, answer.status_code, answer.text)
        return answer.json()

    people = {name: instance.user(name).id for name in PEOPLE}
    config = made("admin", "GET", "/api/v1/auths/admin/config")
    made("admin", "POST", "/api/v1/auths/admin/config", {**config, "ENABLE_CHANNELS": True, "ENABLE_API_KEYS": True})
    group = made("admin", "POST", "/api/v1/groups/create", {"name": "Staff", "description": "All of us"})["id"]
    made("admin", "POST", f"/api/v1/groups/id/{group}/users/add", {"user_ids": [people["ada"]]})
    for name in PEOPLE:
        folder = made(name, "POST", "/api/v1/folders/", {"name": f"Folder of {name}"})["id"]
        made(name, "POST", "/api/v1/folders/", {"name": "Inner", "parent_id": folder})
        for number in range(6):
            texts = [f"{name} asks {number} Grüße 你好", f"An answer \\u0041 \u2028 1.0 {number}", "and so on"]
            body = {
                "chat": chat_of(*texts, title=f"Chat {number} of {name}"),
                "folder_id": folder if number == 1 else None,
            }
            chat = made(name, "POST", "/api/v1/chats/new", body)["id"]
            if number < 3:
                made(name, "POST", f"/api/v1/chats/{chat}/tags", {"name": f"tag {number}"})
            if number == 2:
                made(name, "POST", f"/api/v1/chats/{chat}/share")
            if number == 3:
                made(name, "POST", f"/api/v1/chats/{chat}/pin")
            if number == 4:
                made(name, "POST", f"/api/v1/chats/{chat}/archive")
            if number == 5:
                made(name, "POST", f"/api/v1/chats/{chat}/messages/m1", {"content": "edited"})
        text = io.BytesIO(f"The notes of {name}".encode())
        answer = ask(name, "POST", "/api/v1/files/?process=false", files={"file": (f"{name}.txt", text, "text/plain")})
        assert answer.is_success, answer.text
    channel = made("admin", "POST", "/api/v1/channels/create", {"name": "general", "access_grants": _everybody()})["id"]
    for name in ("admin", "admin"):
        message = made(name, "POST", f"/api/v1/channels/{channel}/messages/post", {"content": f"Hello of {name}"})["id"]
        reply = {"content": "a reply", "parent_id": message}
        made(name, "POST", f"/api/v1/channels/{channel}/messages/post", reply)
        made(name, "POST", f"/api/v1/channels/{channel}/messages/{message}/reactions/add", {"name": "+1"})
    model = {"id": "helper:1", "base_model_id": "a-model", "name": "Helper", "params": {"x": 1.0}, "meta": {"tags": []}}
    made("admin", "POST", "/api/v1/models/create", {**model, "access_grants": _everybody()})
    made(
        "admin",
        "POST",
        "/api/v1/prompts/create",
        {"command": "p", "name": "p", "content": "x", "access_grants": _everybody()},
    )


def _everybody() -> list[dict[str, str]]:
    return [{"principal_type": "user", "principal_id": "*", "permission": "read"}]


LISTS = (
    "/api/v1/auths/",
    "/api/v1/users/user/settings",
    "/api/v1/chats/?page=1",
    "/api/v1/chats/all",
    "/api/v1/chats/all/tags",
    "/api/v1/chats/pinned",
    "/api/v1/chats/archived",
    "/api/v1/chats/shared",
    "/api/v1/chats/search?text=answer",
    "/api/v1/chats/search?text=tag:tag_1",
    "/api/v1/chats/search?text=你好",
    "/api/v1/folders/",
    "/api/v1/files/",
    "/api/v1/channels/",
    "/api/v1/models/list",
    "/api/v1/models",
    "/api/v1/prompts/",
    "/api/v1/groups/",
)
OF_ADMIN = ("/api/v1/users/", "/api/v1/users/all", "/api/v1/models/export", "/api/v1/models/base")


def recorded(instance: OpenWebUI) -> dict[str, Any]:
    """Return what everybody is answered, by user and path."""
    answers: dict[str, Any] = {}

    def ask(name: str, path: str) -> Any:
        answer = instance.request(name, "GET", path)
        kind = answer.headers.get("content-type", "")
        content: Any
        if "ndjson" in kind:
            content = [_steady(json.loads(line)) for line in answer.text.split("\n") if line]
        else:
            content = _steady(answer.json()) if "json" in kind else answer.text
        answers[f"{name} {path}"] = [answer.status_code, content]
        return content

    for name in PEOPLE:
        found = {path: ask(name, path) for path in (*LISTS, *(OF_ADMIN if name == "admin" else ()))}
        for chat in found["/api/v1/chats/all"]:
            ask(name, f"/api/v1/chats/{chat['id']}")
            ask(name, f"/api/v1/chats/{chat['id']}/tags")
            if chat.get("share_id"):
                ask("bob", f"/api/v1/chats/share/{chat['share_id']}")
        files = found["/api/v1/files/"]
        for file in files["items"] if isinstance(files, dict) else files:
            ask(name, f"/api/v1/files/{file['id']}/content")
        for channel in found["/api/v1/channels/"]:
            ask(name, f"/api/v1/channels/{channel['id']}/messages")
            ask(name, f"/api/v1/channels/{channel['id']}/members")
    return answers


def _steady(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _steady(each) for key, each in value.items() if key not in VOLATILE}
    return [_steady(each) for each in value] if isinstance(value, list) else value


def differing(before: Mapping[str, Any], after: Mapping[str, Any], *, any_order: bool = False) -> dict[str, Any]:
    """Return the requests that are answered otherwise.

    Args:
        before: What `recorded` has given.
        after: What it has given later.
        any_order: Whether lists are the same in any order: without ORDER BY PostgreSQL gives rows as they were
            written last.
    """
    form = _sorted if any_order else json.dumps
    names = [*before, *(name for name in after if name not in before)]
    pairs = {name: (before.get(name), after.get(name)) for name in names}
    return {name: (one, other) for name, (one, other) in pairs.items() if form(one) != form(other)}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(each) for key, each in value.items()}
    return sorted(map(_sorted, value), key=repr) if isinstance(value, list) else value
