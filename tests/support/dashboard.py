"""A small site to look at in PocketBase's dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openwebui_pocketbase.repositories.chats._parts import wire_of
from openwebui_pocketbase.schema.tables import TABLES

if TYPE_CHECKING:
    from openwebui_pocketbase.client import AdminClient
    from tests.support.pocketbase import PocketBaseProcess

PEOPLE = {"Ada Lovelace": "admin", "Grace Hopper": "user", "Alan Turing": "user", "Katherine Johnson": "user"}

BEGIN = 1_796_029_200
"""When the first chat began, in seconds: 30 November 2026, 09:00 UTC."""

CHATS = {
    "A greenhouse on the balcony": (
        "Ada Lovelace",
        "gardening",
        "Which vegetables grow on a balcony that faces north?",
        "Leafy ones: lettuce, spinach, rocket and chard get by with three hours of sun a day.",
        "And herbs?",
        "Mint, parsley and chives. Basil and thyme want more light than that.",
    ),
    "Ferries to the island": (
        "Grace Hopper",
        "travel",
        "When does the last ferry leave on Sundays?",
        "At 21:40 from the old harbour, and fifteen minutes later from the lighthouse.",
        "Can I take a bicycle?",
        "Yes, as long as there is room. It costs nothing before noon.",
    ),
    "Why is the sky dark at night?": (
        "Katherine Johnson",
        "astronomy",
        "Why is the sky dark at night if there are stars in every direction?",
        "Because the universe is not old enough: the light of most of them is still on its way to us.",
        "Who saw that first?",
        "Edgar Allan Poe wrote it down in 1848, in a prose poem of all places.",
    ),
    "Bread without a machine": (
        "Alan Turing",
        "kitchen",
        "How long must a sourdough rest?",
        "Four to five hours at room temperature, then a night in the refrigerator.",
        "Mine does not rise.",
        "Feed the starter twice a day for a while, and use it when it has doubled.",
    ),
}
"""Title -> who has it, its tag, and what is said in it."""


def person(name: str) -> str:
    """Return somebody's id."""
    return f"a0000000-0000-4000-8000-{list(PEOPLE).index(name) + 1:012d}"


def chat_id(title: str) -> str:
    """Return a chat's id."""
    return f"c0000000-0000-4000-8000-{list(CHATS).index(title) + 1:012d}"


async def furnish(server: PocketBaseProcess) -> None:
    """Put people, tags, chats with messages, and notes into a server."""
    with server.admin() as admin:
        for name, role in PEOPLE.items():
            email = f"{name.partition(' ')[0].lower()}@example.com"
            _create(admin, "user", id=person(name), name=name, email=email, role=role, created_at=BEGIN - 86_400)
        for name, tag, *_ in CHATS.values():
            _create(admin, "tag", key=tag, name=tag.capitalize(), user_id=person(name))
        _create(admin, "note", title="Seeds to order", user_id=person("Ada Lovelace"), created_at="1796029200123456789")
    client = server.client()
    for title in CHATS:
        await client.write("chats/insert_chats", wire_of(*_chat(title)))
    await client.aclose()


def _create(admin: AdminClient, table: str, **fields: Any) -> None:
    password = {"password": "not-used-here", "passwordConfirm": "not-used-here"} if TABLES[table].auth else {}
    admin.send("POST", f"/api/collections/{TABLES[table].collection}/records", fields | password)


def _chat(title: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a chat and the rows of its messages, as the host has them."""
    own, (name, tag, *texts) = chat_id(title), CHATS[title]
    first = BEGIN + 4_000 * list(CHATS).index(title)
    entries = {}
    rows = []
    for number, text in enumerate(texts):
        is_answer = number % 2 == 1
        role, time = ("assistant" if is_answer else "user"), first + 47 * number
        entry = {"id": f"m{number}", "role": role, "content": text, "timestamp": time, "childrenIds": []}
        entry["parentId"] = f"m{number - 1}" if number else None
        entries[f"m{number}"] = entry | {"childrenIds": [f"m{number + 1}"] if number + 1 < len(texts) else []}
        row: dict[str, Any] = dict.fromkeys(column.name for column in TABLES["chat_message"].columns)
        row |= {"id": f"{own}-m{number}", "chat_id": own, "user_id": person(name), "role": role, "content": text}
        row |= {"parent_id": entry["parentId"], "model_id": "llama3.3:70b" if is_answer else None, "done": True}
        rows.append(row | {"created_at": time, "updated_at": time})
    chat: dict[str, Any] = dict.fromkeys(column.name for column in TABLES["chat"].columns)
    chat |= {"id": own, "user_id": person(name), "title": title, "created_at": first, "updated_at": first + 300}
    chat |= {"archived": False, "pinned": False, "meta": {"tags": [tag]}}
    return chat | {"chat": {"history": {"messages": entries, "currentId": f"m{len(texts) - 1}"}}}, rows
