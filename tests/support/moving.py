"""A stand-in for the command that switches, and a load of writes that goes on meanwhile."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import count, pairwise
from typing import Any

import httpx
from sqlalchemy import create_engine, text

from openwebui_pocketbase.client import AdminClient
from openwebui_pocketbase.codec import Codec
from openwebui_pocketbase.codec.rows import int64_of
from openwebui_pocketbase.migrate.control.command import Control
from openwebui_pocketbase.schema.tables import TABLES, Column, Table
from tests.support.openwebui import OpenWebUI, unguarded

CHAT = {"chat": {"title": "A chat", "history": {"messages": {}, "currentId": None}, "messages": []}}
EACH = 0.2
"""Seconds between two writes of one client: four make 20 in a second."""


class Load:
    """Clients that write, each what no other does, and what came of it.

    Attributes:
        answered: When each write was answered.
        failed: Writes that were not answered as they should be.
        made: Kind of a write -> ids of what it made, in order.
    """

    def __init__(self, instance: OpenWebUI) -> None:
        self._instance = instance
        self._ends = threading.Event()
        self.answered: list[float] = []
        self.failed: list[str] = []
        self.made: dict[str, list[str]] = {"folder": [], "tag": [], "chat": [], "message": [], "entry": []}
        self.chat = self._post("/api/v1/chats/new", CHAT)["id"]
        self.channel = self._post("/api/v1/channels/create", {"name": "load", "type": ""})["id"]

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._instance.request("admin", "POST", path, json=body).raise_for_status().json()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write until the context ends; nothing has failed then."""
        kinds = (self._folder, self._tag, self._entry, self._message)
        threads = [threading.Thread(target=self._write, args=(kind,)) for kind in kinds]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ends.set()
            for thread in threads:
                thread.join(60.0)
            self._ends.clear()

    def wait_for(self, number: int) -> None:
        """Return when so many further writes were answered, or one has failed."""
        wanted = len(self.answered) + number
        while len(self.answered) < wanted and not self.failed:
            time.sleep(0.02)

    def longest_gap(self, since: float, until: float) -> float:
        """Return the longest time in which no write was answered."""
        times = sorted(at for at in self.answered if since - 1.0 <= at <= until + 1.0)
        return max(after - before for before, after in pairwise(times))

    def _write(self, kind: Callable[[httpx.Client, int], tuple[str, str]]) -> None:
        with self._instance.client() as client:
            client.headers.update(self._instance.headers("admin"))
            due = time.monotonic()
            for number in count():
                if self._ends.is_set():
                    return
                try:
                    name, made = kind(client, number)
                except (httpx.HTTPError, AssertionError, KeyError) as error:
                    detail = error.response.text if isinstance(error, httpx.HTTPStatusError) else ""
                    self.failed.append(f"{error!r} {detail}")
                else:
                    self.made[name].append(made)
                    self.answered.append(time.monotonic())
                due += EACH
                time.sleep(max(0.0, due - time.monotonic()))

    def _folder(self, client: httpx.Client, number: int) -> tuple[str, str]:
        body = {"name": f"Folder {number} {time.monotonic_ns()}"}
        return "folder", _answer(client.post("/api/v1/folders/", json=body))["id"]

    def _tag(self, client: httpx.Client, number: int) -> tuple[str, str]:
        name = f"tag{number}x{time.monotonic_ns()}"
        tags = _answer(client.post(f"/api/v1/chats/{self.chat}/tags", json={"name": name}))
        assert name in [tag["id"] for tag in tags]
        return "tag", name

    def _entry(self, client: httpx.Client, number: int) -> tuple[str, str]:
        chat = _answer(client.post("/api/v1/chats/new", json=CHAT))["id"]
        entry: dict[str, Any] = {"id": f"m{number}", "role": "user", "content": "Hello"}
        entry |= {"parentId": None, "childrenIds": []}
        history = {"history": {"messages": {entry["id"]: entry}, "currentId": entry["id"]}}
        saved = _answer(client.post(f"/api/v1/chats/{chat}", json={"chat": history}))
        assert entry["id"] in saved["chat"]["history"]["messages"]
        return "entry", chat

    def _message(self, client: httpx.Client, number: int) -> tuple[str, str]:
        posted = client.post(f"/api/v1/channels/{self.channel}/messages/post", json={"content": f"Message {number}"})
        return "message", _answer(posted)["id"]


def _answer(reply: httpx.Response) -> Any:
    return reply.raise_for_status().json()


class Mover:
    """Does what the command does, with a copy of few rows, the last of which it makes while everybody waits.

    Args:
        instance: A running Open WebUI on SQLite.
    """

    def __init__(self, instance: OpenWebUI) -> None:
        self._instance = instance
        self._engine = create_engine(f"sqlite:///{instance.data_dir / 'webui.db'}")
        self.control = Control(self._engine)
        self._copied: set[tuple[str, str]] = set()

    async def to_pocketbase(self, groups: Collection[str]) -> tuple[float, float]:
        """Switch groups to PocketBase; return when it began and ended."""
        await self.control.prepare(dict.fromkeys(groups, "pocketbase"))
        await asyncio.to_thread(self._copy, groups)
        began = time.monotonic()
        await self.control.hold()
        await asyncio.to_thread(self._copy, groups)
        self._configure(dict.fromkeys(groups, "pocketbase"))
        await self.control.switch()
        await self.control.finished()
        return began, time.monotonic()

    async def to_sql(self, groups: Collection[str]) -> tuple[float, float]:
        """Switch groups to the SQL database; return when it began and ended."""
        await self.control.prepare(dict.fromkeys(groups, "sqlalchemy"))
        began = time.monotonic()
        await self.control.hold()
        await asyncio.to_thread(self._copy_back, groups)
        self._configure(dict.fromkeys(groups, "sqlalchemy"))
        await self.control.switch()
        await self.control.finished()
        return began, time.monotonic()

    def close(self) -> None:
        self._engine.dispose()

    def _configure(self, groups: Mapping[str, str]) -> None:
        lines = ["switchable = true", "[groups]", *(f'{group} = "{backend}"' for group, backend in groups.items())]
        (self._instance.data_dir / "openwebui-pocketbase.toml").write_text("\n".join(lines) + "\n")

    def _copy(self, groups: Collection[str]) -> None:
        with self._instance.admin() as admin:
            for name, table in TABLES.items():
                if table.group in groups:
                    for row in self.rows(name):
                        if (name, row["id"]) not in self._copied:
                            copy_row(admin, name, row)
                            self._copied.add((name, row["id"]))

    def _copy_back(self, groups: Collection[str]) -> None:
        with self._instance.admin() as admin, self._instance.database() as database, unguarded(database):
            for name, table in TABLES.items():
                if table.group in groups:
                    known = {row["id"] for row in self.rows(name)}
                    for row in records(admin, name):
                        if row["id"] not in known:
                            names = ", ".join(f'"{key}"' for key in row)
                            values = ", ".join(f":{key}" for key in row)
                            database.execute(f'INSERT INTO "{name}" ({names}) VALUES ({values})', row)
            database.commit()

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a table, as the host reads them."""
        columns = {column.name: column for column in TABLES[name].columns}
        with self._engine.connect() as connection:
            found = connection.execute(text(f'SELECT * FROM "{name}"')).mappings().all()
        rows = [{key: value for key, value in row.items() if key in columns} for row in found]
        for row in rows:
            for key, value in row.items():
                if columns[key].type == "json" and isinstance(value, str):
                    row[key] = json.loads(value)
        return rows


def copy_row(admin: AdminClient, name: str, row: Mapping[str, Any]) -> None:
    """Make a record of a row."""
    table = TABLES[name]
    record = Codec(table, dumps=json.dumps, loads=json.loads).record(row)
    admin.send("POST", f"/api/collections/{table.collection}/records", record)


def records(admin: AdminClient, name: str) -> list[dict[str, Any]]:
    """Return the records of a table as rows, with JSON as text."""
    table = TABLES[name]
    found, page = [], 1
    while True:
        path = f"/api/collections/{table.collection}/records?perPage=500&page={page}"
        answer = admin.send("GET", path)
        found += answer["items"]
        if page >= answer["totalPages"]:
            return [_row(table, record) for record in found]
        page += 1


def _row(table: Table, record: Mapping[str, Any]) -> dict[str, Any]:
    row = {column.name: _value(column, record[column.field]) for column in table.columns}
    nulls = record["nulls"]
    return row | dict.fromkeys(json.loads(nulls) if isinstance(nulls, str) else nulls or [])


def _value(column: Column, value: Any) -> Any:
    if column.type == "json" and not isinstance(value, str):
        return json.dumps(value)
    return int64_of(value) if column.type == "int64" and value else value
