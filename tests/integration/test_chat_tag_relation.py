"""``owui_chats.tags`` and ``meta.tags`` are equal, whoever edits which of them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from openwebui_pocketbase.client import AdminClient
from tests.support.machines import machine
from tests.support.pocketbase import PocketBaseProcess

CHATS, TAGS = "/api/collections/owui_chats/records", "/api/collections/owui_tags/records"
KEYS = ["a", "b c", 'ü"\\', "\u2028\x01", ""]
USERS = ["u1", "u2"]
REST = '"z":1.0,"big":12345678901234567890123,"10":1e2,"deep":{"tags":["a"]}'
"""Members of ``meta`` besides the tags, which no edit of these may touch."""
OF_REST = {"z", "big", "10", "deep"}


@dataclass
class Chat:
    user: str
    meta: Any
    """Parsed; ``REST`` is in it where ``rest`` is set."""
    rest: bool = False

    @property
    def is_internal(self) -> bool:
        return isinstance(self.meta, dict) and self.meta.get("internal") is True

    @property
    def items(self) -> list[Any]:
        """The items of ``meta.tags``, if that is a list."""
        tags = self.meta.get("tags") if isinstance(self.meta, dict) else None
        return tags if isinstance(tags, list) else []

    @property
    def is_editable(self) -> bool:
        if not self.meta:
            return True
        return isinstance(self.meta, dict) and isinstance(self.meta.get("tags", []), list) and not self.is_internal

    def edit(self, tags: list[Any]) -> None:
        if tags != self.items:
            self.meta = {**(self.meta or {}), "tags": tags}


@dataclass
class Model:
    chats: dict[str, Chat] = field(default_factory=dict)
    tags: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Record id -> (user, key)."""

    def record(self, user: str, key: Any) -> str | None:
        return next((record_id for record_id, tag in self.tags.items() if tag == (user, key)), None)

    def relation(self, record_id: str) -> list[str]:
        chat = self.chats[record_id]
        found = [] if chat.is_internal else [self.record(chat.user, item) for item in chat.items]
        return list(dict.fromkeys(record for record in found if record))

    def edit(self, record_id: str, relation: list[str]) -> None:
        """Do what editing the relation has to do."""
        chat, before = self.chats[record_id], self.relation(record_id)
        if chat.is_editable:
            gone = [self.tags[tag][1] for tag in before if tag not in relation]
            came = [self.tags[tag][1] for tag in relation if tag not in before and self.tags[tag][0] == chat.user]
            kept = [item for item in chat.items if item not in gone]
            chat.edit([*kept, *(key for key in came if key not in kept)])


def hashed(user: str, key: str) -> str:
    text = json.dumps([user, key], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


metas = st.one_of(
    st.sampled_from([None, [], {}, "text", 5, [1], {"tags": "a"}, {"tags": {"x": "a"}}, {"tags": None}]),
    st.fixed_dictionaries(
        {"tags": st.lists(st.sampled_from([*KEYS, "unknown", 7, None, ["a"]]), max_size=5)},
        optional={"internal": st.sampled_from([True, False, "true"])},
    ),
)


class Machine(RuleBasedStateMachine):
    server: PocketBaseProcess
    admin: AdminClient
    database: sqlite3.Connection

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        for table in ("owui_chats", "owui_tags", "owui_stale_tags", "owui_changes"):
            self.sql(f"DELETE FROM {table}")
        self.shots: dict[str, Any] = {}
        self.seen = 0
        self.written: set[str] = set()
        """Chats that were named in a write, which is entered even if it changed nothing."""

    def sql(self, statement: str, *values: str | int) -> None:
        """Run a statement in PocketBase, for which alone the search index is; ``?`` are texts or numbers."""
        for value in values:
            # PocketBase would take some characters of a literal for names or parameters.
            literal = str(value) if isinstance(value, int) else f"CAST(x'{value.encode().hex()}' AS TEXT)"
            statement = statement.replace("?", literal, 1)
        self.admin.sql(statement)

    def some(self, of: dict[str, Any], at: int) -> str:
        return list(of)[at % len(of)]

    def a_chat(self, at: int) -> str:
        record_id = self.some(self.model.chats, at)
        self.written.add(record_id)
        return record_id

    # What others see of it.

    @invariant()
    def both_are_equal(self) -> None:
        self.sql("DELETE FROM owui_stale_tags")  # as the hooks do soon after somebody else's SQL
        found = {
            record_id: (user, json.loads(tags), meta)
            for record_id, user, tags, meta in self.database.execute(
                "SELECT id, user_id, tags, CAST(meta AS TEXT) FROM owui_chats"
            )
        }
        for record_id, chat in self.model.chats.items():
            user, tags, meta = found.pop(record_id)
            assert user == chat.user
            assert tags == self.model.relation(record_id)
            if chat.rest:
                assert meta.replace('": ', '":').startswith(f"{{{REST}")
                meta = json.dumps({name: value for name, value in json.loads(meta).items() if name not in OF_REST})
            assert json.loads(meta) == chat.meta
        assert not found

    @invariant()
    def each_change_of_a_chat_is_entered_once(self) -> None:
        entries = self.database.execute(
            "SELECT record_id, op FROM owui_changes WHERE collection = 'owui_chats' AND seq > ?", [self.seen]
        ).fetchall()
        (self.seen,) = self.database.execute("SELECT coalesce(max(seq), 0) FROM owui_changes").fetchone()
        shots = {
            row[0]: row for row in self.database.execute("SELECT id, user_id, tags, meta, updated FROM owui_chats")
        }
        before, self.shots = self.shots, shots
        changed = {record_id for record_id in before.keys() & shots.keys() if before[record_id] != shots[record_id]}
        entered = [record_id for record_id, op in entries if op == "update" and record_id in before]
        assert len(entered) == len(set(entered))
        assert changed <= set(entered) <= changed | self.written
        self.written = set()

    @invariant()
    def the_join_is_equal(self) -> None:
        expected = set()
        for record_id, chat in self.model.chats.items():
            tags = chat.meta.get("tags") if isinstance(chat.meta, dict) else None
            items = list(tags.values()) if isinstance(tags, dict) else tags if isinstance(tags, list) else [tags]
            if not chat.is_internal:
                expected |= {(chat.user, item, record_id) for item in items if isinstance(item, str)}
        assert set(self.database.execute("SELECT user_id, tag, chat_id FROM owui_chat_tags")) == expected

    # The host, or anybody else, in SQL.

    @rule(user=st.sampled_from(USERS), key=st.sampled_from(KEYS), api=st.booleans())
    def create_tag(self, user: str, key: str, api: bool) -> None:
        if self.model.record(user, key) is not None:
            return
        if api:
            self.admin.write("tags/insert_new_tag", {"tag": {"id": key, "name": key, "user_id": user, "meta": None}})
            (record_id,) = self.database.execute(
                "SELECT id FROM owui_tags WHERE user_id = ? AND key = ?", [user, key]
            ).fetchone()
        else:
            record_id = f"{len(self.model.tags)}{hashed(user, key)}"[:32]
            self.sql("INSERT INTO owui_tags (id, user_id, key) VALUES (?, ?, ?)", record_id, user, key)
        self.model.tags[record_id] = (user, key)

    @precondition(lambda self: self.model.tags)
    @rule(at=st.integers(0, 9), by_host=st.booleans())
    def delete_tag(self, at: int, by_host: bool) -> None:
        record_id = self.some(self.model.tags, at)
        user, key = self.model.tags.pop(record_id)
        if by_host:
            self.admin.write("tags/delete_tags_by_ids_and_user_id", {"ids": [key], "user_id": user})
        else:
            with self.database:  # by another, older SQLite
                self.database.execute("DELETE FROM owui_tags WHERE id = ?", [record_id])

    @precondition(lambda self: self.model.tags)
    @rule(at=st.integers(0, 9), key=st.sampled_from(KEYS), api=st.booleans())
    def rename_tag(self, at: int, key: str, api: bool) -> None:
        record_id = self.some(self.model.tags, at)
        user, old = self.model.tags[record_id]
        if self.model.record(user, key) is not None:
            return
        if api:
            self.admin.send("PATCH", f"{TAGS}/{record_id}", {"key": key})
        else:
            self.sql("UPDATE owui_tags SET key = ? WHERE id = ?", key, record_id)
        for chat in self.model.chats.values():
            if chat.user == user and not chat.is_internal and old in chat.items:
                kept = [item for item in chat.items if item != old] if key in chat.items else chat.items
                chat.edit([key if item == old else item for item in kept])
        self.model.tags[record_id] = (user, key)

    @precondition(lambda self: self.model.tags)
    @rule(at=st.integers(0, 9), user=st.sampled_from(USERS))
    def give_tag_away(self, at: int, user: str) -> None:
        record_id = self.some(self.model.tags, at)
        if self.model.record(user, self.model.tags[record_id][1]) is None:
            self.sql("UPDATE owui_tags SET user_id = ? WHERE id = ?", user, record_id)
            self.model.tags[record_id] = (user, self.model.tags[record_id][1])

    @rule(user=st.sampled_from(USERS), meta=metas, rest=st.booleans(), tags=st.lists(st.integers(0, 9), max_size=2))
    def create_chat(self, user: str, meta: Any, rest: bool, tags: list[int]) -> None:
        record_id = f"c-{len(self.model.chats)}"
        text = self.text(meta, rest)
        self.model.chats[record_id] = Chat(user, meta, rest and isinstance(meta, dict))
        related = [self.some(self.model.tags, at) for at in tags] if self.model.tags else []
        self.sql(
            "INSERT INTO owui_chats (id, user_id, meta, tags, doc) VALUES (?, ?, ?, ?, ?)",
            *(record_id, user, text, json.dumps(related), len(self.model.chats)),
        )
        chat = self.model.chats[record_id]
        if chat.is_editable:
            new = [self.model.tags[tag] for tag in dict.fromkeys(related)]
            keys = [key for owner, key in new if owner == user and key not in chat.items]
            chat.edit([*chat.items, *keys])

    @staticmethod
    def text(meta: Any, rest: bool) -> str:
        text = json.dumps(meta, ensure_ascii=False)
        return f"{{{REST}{',' if meta else ''}{text[1:]}" if rest and isinstance(meta, dict) else text

    @precondition(lambda self: self.model.chats)
    @rule(at=st.integers(0, 9), meta=metas, rest=st.booleans(), touch=st.booleans())
    def write_meta(self, at: int, meta: Any, rest: bool, touch: bool) -> None:
        record_id, text = self.a_chat(at), self.text(meta, rest)
        now = "'now'" if touch else "updated"
        self.sql(f"UPDATE owui_chats SET meta = ?, updated = {now} WHERE id = ?", text, record_id)
        chat = self.model.chats[record_id] = Chat(
            self.model.chats[record_id].user, meta, rest and isinstance(meta, dict)
        )
        stored = self.database.execute("SELECT CAST(meta AS TEXT) FROM owui_chats WHERE id = ?", [record_id])
        assert stored.fetchone() == (text,), chat

    @precondition(lambda self: self.model.chats)
    @rule(at=st.integers(0, 9), user=st.sampled_from(USERS))
    def give_chat_away(self, at: int, user: str) -> None:
        record_id = self.a_chat(at)
        self.sql("UPDATE owui_chats SET user_id = ? WHERE id = ?", user, record_id)
        self.model.chats[record_id].user = user

    @precondition(lambda self: self.model.chats and self.model.tags)
    @rule(at=st.integers(0, 9), tags=st.lists(st.integers(0, 9), max_size=4), bad=st.booleans())
    def write_relation(self, at: int, tags: list[int], bad: bool) -> None:
        record_id = self.a_chat(at)
        related = list(dict.fromkeys(self.some(self.model.tags, tag) for tag in tags))
        self.sql(
            "UPDATE owui_chats SET tags = ? WHERE id = ?",
            json.dumps([*related, *(["x", None] if bad else [])]),
            record_id,
        )
        self.model.edit(record_id, related)

    @precondition(lambda self: self.model.chats and self.model.tags)
    @rule(at=st.integers(0, 9), meta=metas, tags=st.lists(st.integers(0, 9), max_size=4))
    def write_both(self, at: int, meta: Any, tags: list[int]) -> None:
        record_id = self.a_chat(at)
        before, chat = self.model.relation(record_id), self.model.chats[record_id]
        related = list(dict.fromkeys(self.some(self.model.tags, tag) for tag in tags))
        self.sql(
            "UPDATE owui_chats SET tags = ?, meta = ? WHERE id = ?",
            json.dumps(related),
            self.text(meta, False),
            record_id,
        )
        self.model.chats[record_id] = chat = Chat(chat.user, meta)
        if chat.is_editable and related != before:
            gone = [self.model.tags[tag][1] for tag in before if tag not in related]
            came = [self.model.tags[tag] for tag in related if tag not in before]
            kept = [item for item in chat.items if item not in gone]
            new = [key for user, key in came if user == chat.user and key not in chat.items]
            chat.edit([*kept, *new])

    # The dashboard, or PocketBase's own API.

    @precondition(lambda self: self.model.chats and self.model.tags)
    @rule(
        at=st.integers(0, 9),
        tags=st.lists(st.integers(0, 9), max_size=3),
        how=st.sampled_from(["tags", "tags+", "tags-"]),
    )
    def patch(self, at: int, tags: list[int], how: str) -> None:
        record_id = self.a_chat(at)
        chat, before = self.model.chats[record_id], self.model.relation(record_id)
        given = dict.fromkeys(self.some(self.model.tags, tag) for tag in tags)
        related = [tag for tag in given if self.model.tags[tag][0] == chat.user and not chat.is_internal]
        record = self.admin.send("PATCH", f"{CHATS}/{record_id}?expand=tags", {how: related})
        wanted = {
            "tags": related,
            "tags+": list(dict.fromkeys([*before, *related])),
            "tags-": [tag for tag in before if tag not in related],
        }[how]
        self.model.edit(record_id, wanted)
        assert record["tags"] == self.model.relation(record_id)
        assert [tag["id"] for tag in record.get("expand", {}).get("tags", [])] == record["tags"]

    @precondition(lambda self: self.model.tags)
    @rule(at=st.integers(0, 9))
    def delete_tag_in_the_dashboard(self, at: int) -> None:
        record_id = self.some(self.model.tags, at)
        for chat_id in self.model.chats:
            self.model.edit(chat_id, [tag for tag in self.model.relation(chat_id) if tag != record_id])
        del self.model.tags[record_id]
        self.admin.send("DELETE", f"{TAGS}/{record_id}")


@contextmanager
def opened(server: PocketBaseProcess) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(server.data_dir / "data.db", timeout=20)
    try:
        yield database
    finally:
        database.close()


def test_machine(own_pocketbase: PocketBaseProcess) -> None:
    with own_pocketbase.admin() as admin, opened(own_pocketbase) as database:

        class Running(Machine):
            server = own_pocketbase

        Running.admin, Running.database = admin, database
        run_state_machine_as_test(Running, settings=machine(15, 40))
