"""Chats as requests have them, and the steps of scenarios that most tests of chats take."""

from __future__ import annotations

from typing import Any

from tests.support.chats import linked
from tests.support.scenarios import Step, step

ANALYTICS = "/api/v1/analytics"
CHATS = "/api/v1/chats"
FOLDERS = "/api/v1/folders"
GROUPS = "/api/v1/groups"
SEARCH = "/api/v1/search"
USERS = "/api/v1/users"

DAY = 86_400
THEN = 1_700_000_000
"""When the messages were written: far enough from now to be compared."""


def message(parent: str | None, role: str | None, content: Any, **members: Any) -> dict[str, Any]:
    return {"parentId": parent, "childrenIds": [], "role": role, "content": content, **members}


def history(current: str | None, **messages: dict[str, Any]) -> dict[str, Any]:
    """Return a history in which parents know their children."""
    return {"messages": linked({name: {"id": name, **each} for name, each in messages.items()}), "currentId": current}


def chat(title: str, text: str = "", **members: Any) -> dict[str, Any]:
    """Return the body of a new chat with a question and an answer."""
    asked = message(None, "user", text or title, timestamp=THEN, models=["m"])
    answer = message(
        "q",
        "assistant",
        f"The answer to {text or title}",
        timestamp=THEN + 5,
        model="m",
        modelName="M",
        done=True,
        usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        sources=[{"source": {"name": "s"}, "document": ["d"], "metadata": [{"a": 1.0}]}],
        statusHistory=[{"action": "web_search", "description": "Searching", "done": True}],
        followUps=["More?"],
        annotation={"rating": 1, "comment": "good"},
    )
    body = {"title": title, "models": ["m"], "params": {}, "files": [], "history": history("a", q=asked, a=answer)}
    return {"chat": body, **members}


def branches() -> dict[str, Any]:
    """Return the body of a chat with a question, two answers, and a conversation after each of them."""
    return {
        "chat": {
            "title": "Branches",
            "models": ["m"],
            "history": history(
                "a4",
                q1=message(None, "user", "one", timestamp=THEN),
                a1=message("q1", "assistant", "one, the first", model="m", done=True, timestamp=THEN + 1),
                a2=message("q1", "assistant", "one, the second", model="n", done=True, timestamp=THEN + 2),
                q2=message("a1", "user", "two", timestamp=THEN + 3),
                a3=message("q2", "assistant", "two, after the first", model="m", done=True, timestamp=THEN + 4),
                q3=message("a2", "user", "three", timestamp=THEN + 5),
                a4=message("q3", "assistant", "three, after the second", model="n", done=False, timestamp=THEN + 6),
            ),
        }
    }


def new(user: str, name: str, text: str = "", **members: Any) -> Step:
    saved = name.lower().replace("-", "_")
    return step(user, 200, f"POST {CHATS}/new", chat(name, text, **members), save=saved)


def look(user: str, name: str, status: int = 200) -> Step:
    return step(user, status, f"GET {CHATS}/${name}")


def rows(name: str, count: int | None = None) -> Step:
    """Return a step in which the administrator sees the messages of a chat one by one."""
    return step("admin", 200, f"GET {ANALYTICS}/messages?chat_id=${name}", sort=True, count=count)


def search(user: str, text: str, count: int, **more: Any) -> Step:
    return step(user, 200, f"GET {CHATS}/search?text={text}", sort=True, count=count, **more)


def found(user: str, query: str, status: int = 200) -> Step:
    return step(user, status, f"GET {SEARCH}?{query}", sort=True)


LISTS = (
    "?page=1",
    "list?page=1",
    "?page=2",
    "",
    "?page=1&include_pinned=true",
    "?page=1&include_folders=true",
    "?page=1&sort_by=title&sort_dir=asc",
    "?page=1&sort_by=created_at&sort_dir=desc",
    "?page=1&sort_by=unread_updated_at",
    "pinned",
    "archived",
    "archived?page=1&query=o&order_by=title&direction=asc",
    "archived?query=%25e&order_by=updated_at&direction=desc",
    "archived/count",
    "all",
    "all/archived",
    "stats/usage",
    "stats/export",
    "stats/export?stream=true",
    "shared",
)


def lists(user: str = "alice") -> list[Step]:
    """Return steps that ask for every list of chats."""
    return [step(user, 200, f"GET {CHATS}/{each}", sort=True) for each in LISTS]
