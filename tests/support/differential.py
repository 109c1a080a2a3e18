"""The same calls on a stock repository and on ours; results, exceptions, types and stored rows must be equal."""

from __future__ import annotations

import asyncio
import inspect
import json
import random
import sqlite3
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from open_webui.internal.db import Base
from open_webui.models.chats import ChatModel
from pydantic import BaseModel

from openwebui_pocketbase.catalog import spec_of
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.codec.rows import int64_of
from openwebui_pocketbase.host.binding import bind
from openwebui_pocketbase.repositories.chats._lazy import SavedChat
from openwebui_pocketbase.schema.tables import TABLES, Table
from tests.support import stored_chats
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase, postgresql_database, sqlite_database, stock_class

_RANDOM = random.Random(20)
IDS = [str(uuid.UUID(int=_RANDOM.getrandbits(128), version=4)) for _ in range(5000)]
"""The ids that `uuid.uuid4` gives in a test, in order; ascending order is another one."""

START = 1_700_000_000
"""The time at which a test begins."""

HOSTILE_NAMES: dict[str, str] = {
    "empty": "",
    "space": " ",
    "spaces": "  a  b  ",
    "underscores": "__a_b__",
    "tabs and newlines": "a\tb\nc\r\nd",
    "other whitespace": "a\u00a0b\u2003c\u2028d\x85e\x1cf",
    "unicode": "Größe, 名前, שם, اسم",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈",
    "outside the BMP": "\U0001f600\U00020000\U0010ffff",
    "noncharacters": "\ufffe\uffff\ufdd0",
    "byte order mark": "\ufeffname",
    "right to left": "\u202egnp.exe",
    "colon and dot": "a:b.c/d",
    "quotes": "a'b\"c`d''\"\"",
    "wildcards": "100%_*?[a-z]",
    "backslashes": "a\\b\\\\c\\",
    "NUL inside": "a\x00b",
    "NUL at the end": "a\x00",
    "NUL only": "\x00",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f",
    "300 characters": "n" * 300,
    "10,000 characters": "long name " * 1000,
    "upper case": "STRASSE",
    "Turkish capital dotted I": "İstanbul",
    "Turkish small dotless i": "\u0131s\u0131",
    "German sharp s": "Straße ẞ",
    "Greek final sigma": "ΟΔΟΣ",
    "Kelvin sign": "\u212a",
    "ligature": "ﬁn Ǆ",
    "NFC": "caf\u00e9",
    "NFD": "cafe\u0301",
    "dbx parameter": "{:x}{:body}{:id}",
    "dbx column": "[[a]]",
    "dbx table": "{{a}}",
    "template": "${__hooks} #{x} %s %(a)s {0}",
    "JSON object": '{"a": [1, "b"], "c": null}',
    "JSON array": '["name"]',
    "JSON string": '"name"',
    "JSON number": "1",
    "JSON big number": "9007199254740993",
    "number with spelling": "1.0e0",
    "JSON true": "true",
    "JSON false": "false",
    "JSON null": "null",
    "quoted column": '"name"',
    "SQL": "'; DROP TABLE owui_tags; --",
    "SQL parameters": ":a ?1 @b $c",
    "SQL comment": "a/*b*/--c",
    "prototype": "__proto__",
    "constructor": "constructor",
    "toString": "toString",
    "nulls": "nulls",
    "undefined": "undefined",
    "NaN": "NaN",
    "none": "None",
    "markup": "<script>alert(1)</script>&amp;",
    "formula": "=1+1",
    "date": "2026-11-22 10:00:00.000Z",
    "PocketBase macros": "@now @request.auth.id @random",
    "path": "../../etc/passwd",
}


def share_of_hostile_names(number: int, of: int) -> dict[str, str]:
    """Return every so-manieth: modules that store texts in the same way share them, as each takes a second."""
    return dict(islice(HOSTILE_NAMES.items(), number, None, of))


WILDCARDS = [
    "%",
    "_",
    "a%b",
    "a_b",
    "%%",
    "__",
    "100%",
    "50% off",
    "%a",
    "b_",
    "a%b c",
    "x%y%z",
    "x_z",
    "\\",
    "\\%",
    "\\_",
    "a\\b",
]
"""Texts that are searched for with and for the wildcards of LIKE."""

SURROGATES: dict[str, str] = {
    "lone high surrogate": "a\ud800b",
    "lone low surrogate": "\udc00",
    "surrogates in the wrong order": "\udc00\ud800",
    "surrogate pair": "\ud83d\ude00",
}
"""Not text that UTF-8 can express."""

JSON_OBJECTS: dict[str, dict[str, Any]] = {
    "empty": {},
    "nested": {"a": {"b": [{"c": [[], {}, [[1]]]}]}},
    "scalars": {"n": None, "t": True, "f": False, "i": 0, "s": "", "x": 0.5},
    "above 2**53": {"i": 2**53 + 1, "n": -(2**53) - 1},
    "limits of int64": {"max": 2**63 - 1, "min": -(2**63), "unsigned": 2**64 - 1},
    "beyond 64 bits": {"i": 2**64, "n": -(2**63) - 1, "huge": 10**40},
    "floats": {"one": 1.0, "minus zero": -0.0, "zero": 0.0, "tiny": 5e-324, "large": 1.7976931348623157e308},
    "float spelling": {"a": 1e16, "b": 1e15, "c": 1e-7, "d": 0.1, "e": 100.0, "f": 1e22},
    "unicode keys": {"schlüssel": 1, "鍵": 2, "🔑": 3, "e\u0301": 4, "\u00e9": 5},
    "dotted key": {"a.b": 1, "a": {"b": 2}, "$": 3, "$.a": 4, "[0]": 5},
    "empty key": {"": 1},
    "keys to escape": {'"': 1, "\\": 2, "\n": 3, "\t": 4, "\x00": 5, "\x01": 6, "\x7f": 7, "\u2028": 8, "/": 9},
    "values to escape": {"a": '"\\\n\t\x00\x01\x7f\u2028\u2029\x85/</script>', "b": "\\", "c": '\\"', "d": "}]{["},
    "order not of the alphabet": {"z": 1, "a": {"y": 1, "b": 2}, "10": 3, "9": 4, "1": 5},
    "prototype keys": {"__proto__": {"a": 1}, "constructor": 1, "toString": 2, "hasOwnProperty": 3, "length": 4},
    "keys of ours": {"id": "x", "nulls": ["data"], "created": 1, "updated": 2, "json": 3},
    "long text": {"text": "long " * 20_000},
    "many keys": {f"key {n * 7919 % 500}": n for n in range(500)},
    "JSON in text": {"a": '{"b": 1}', "c": "null", "d": "[]"},
}
_DEEP: dict[str, Any] = {}
for _ in range(199):
    _DEEP = {"deeper": _DEEP}
JSON_OBJECTS["200 levels"] = _DEEP


class Clock:
    """`time`, as far as the repositories use it."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self) -> None:
        self.now = START

    def time(self) -> float:
        return self.now + 0.75

    def time_ns(self) -> int:
        return self.now * 10**9 + 123_456_789  # more digits than a double has


class Identifiers:
    """`uuid`, as far as the repositories use it."""

    def __init__(self) -> None:
        self.next = 0

    def uuid4(self) -> uuid.UUID:
        self.next += 1
        return uuid.UUID(IDS[self.next - 1])


@dataclass(frozen=True)
class Contract:
    """What is compared, and how, for one repository.

    Attributes:
        name: The host's singleton.
        tables: The host's tables whose rows are compared.
        subject: The class under test.
        all_of_user: Method that gives all rows of a user; it is called after each other call, too.
        bound: Other singletons of the host -> the class they have while the class under test is called.
        generated: Table -> columns whose values differ from call to call, such as ids that are made in the hooks.
        unordered: Methods whose answer has no order, on any database.
        ordered: Methods whose stock query has an ORDER BY; other answers are in an order which SQLite chooses.
    """

    name: str
    tables: tuple[str, ...]
    subject: type[Any]
    all_of_user: str = ""
    bound: Mapping[str, type[Any]] = field(default_factory=dict)
    generated: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unordered: frozenset[str] = frozenset()
    ordered: frozenset[str] = frozenset()

    def only(self, *tables: str) -> Contract:
        """Return this contract without the other tables, and without other singletons."""
        return replace(self, tables=tables, bound={})


@dataclass
class Pair:
    """A stock repository on a database of its own, and ours on PocketBase, in the same state.

    Attributes:
        step: Seconds that pass with each call.
        also: Users whose rows are read after each call though they may have none.
    """

    contract: Contract
    database: StockDatabase
    server: PocketBaseProcess
    client: PocketBaseClient
    clock: Clock = field(default_factory=Clock)
    identifiers: Identifiers = field(default_factory=Identifiers)
    step: int = 1
    also: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.oracle = stock_class(self.contract.name)()
        self.subject = object.__new__(self.contract.subject)
        self.subject.pocketbase = self.client

    async def call(self, method: str, *args: Any, rows: bool = True, **kwargs: Any) -> Any:
        """Call a method on both, compare, and return the stock answer (the exception, if it raised one).

        Args:
            method: Name of the method; of one of the contract's other singletons as ``Singleton.method``.
            rows: Compare the stored rows afterwards, too.
            args: Its arguments.
            kwargs: Its arguments.
        """
        self.clock.now += self.step
        sort = method in self.contract.unordered or not (
            self.database.is_sqlite or (method in self.contract.ordered and await self._times_are_distinct())
        )
        first = self.identifiers.next
        oracle, subject, name = self._of(method)
        with self.database.active():
            expected = await _outcome(getattr(oracle, name), args, kwargs)
            made, self.identifiers.next = self.identifiers.next, first
            with self.bound():
                actual = await _outcome(getattr(subject, name), args, kwargs)
        self.identifiers.next = max(made, self.identifiers.next)
        call = f"{method}{args}{kwargs or ''}"
        same(call, expected, actual, sort=sort)
        if rows:
            await self._compare_rows(call)
        return expected

    def _of(self, method: str) -> tuple[Any, Any, str]:
        """Return the stock repository, ours, and the method's name."""
        singleton, _, name = method.rpartition(".")
        if not singleton:
            return self.oracle, self.subject, name
        subject = object.__new__(self.contract.bound[singleton])
        subject.pocketbase = self.client
        return stock_class(singleton)(), subject, name

    @contextmanager
    def bound(self) -> Iterator[None]:
        """Give the host's other singletons the classes of the contract."""
        with ExitStack() as stack:
            for name, replacement in self.contract.bound.items():
                path = f"{replacement.__module__}:{replacement.__qualname__}"
                module = import_module(spec_of(name).module)
                stack.callback(bind(module, name, path, {"pocketbase": self.client}))
            yield

    async def seed(self, objects: list[Any], write: Callable[[dict[str, Any]], Any]) -> None:
        """Put rows into both which no method makes; ``write`` puts one into PocketBase."""
        dicts = [{c.name: getattr(o, c.name) for c in o.__table__.columns} for o in objects]
        await self.database.add(*objects)
        for row in dicts:
            await write(row)
        await self._compare_rows("seed")

    async def _compare_rows(self, call: str) -> None:
        """Compare all rows of the tables, as stored and as read."""
        users = set(self.also)
        for table in self.contract.tables:
            left_out = self.contract.generated.get(table, frozenset())
            stored = await self.database.rows(table)
            ours = pocketbase_rows(self.server.data_dir, table)
            users |= {row["user_id"] for row in stored if "user_id" in row}
            same(f"{table} after {call}", _without(left_out, stored), _without(left_out, ours), sort=True)
        if not self.contract.all_of_user:
            return
        with self.database.active():
            for user in sorted(users):
                expected = await _outcome(getattr(self.oracle, self.contract.all_of_user), (user,), {})
                actual = await _outcome(getattr(self.subject, self.contract.all_of_user), (user,), {})
                same(f"read for {user!r} after {call}", expected, actual, sort=not self.database.is_sqlite)

    async def _times_are_distinct(self) -> bool:
        for table in self.contract.tables:
            times = [row["updated_at"] for row in await self.database.rows(table) if "updated_at" in row]
            if len(times) != len(set(times)):
                return False
        return True


@asynccontextmanager
async def open_pair(
    contract: Contract, oracle: str, server: PocketBaseProcess, client: PocketBaseClient, directory: Path
) -> AsyncIterator[Pair]:
    """Give a pair without rows, and stop the time.

    Args:
        contract: The repository.
        oracle: ``sqlite`` or ``postgresql``.
        server: Where ours keeps its rows; all rows of the tables are deleted.
        client: Of that server.
        directory: For the oracle's database.
    """
    database = sqlite_database(directory) if oracle == "sqlite" else await postgresql_database()
    pair = Pair(contract, database, server, client)
    try:
        await clear(client, *contract.tables)
        with _patched(pair):
            yield pair
    finally:
        await database.close()


Opened = Callable[[Contract, str], AbstractAsyncContextManager[Pair]]
"""Opens a contract's pair on a database; see `open_pair`."""


@contextmanager
def _patched(pair: Pair) -> Iterator[None]:
    replacements = {"time": pair.clock, "uuid": pair.identifiers}
    classes = [type(pair.oracle), type(pair.subject), *pair.contract.bound.values()]
    modules = {base.__module__ for kind in classes for base in kind.__mro__ if base is not object}
    modules |= {name for name in sys.modules if name.startswith("openwebui_pocketbase.repositories.")}
    with ExitStack() as stack:
        for module in map(import_module, sorted(modules)):
            for name, new in replacements.items():
                if hasattr(module, name):
                    stack.enter_context(patch.object(module, name, new))
        yield


async def _outcome(method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what a call returns, or the exception that it raises."""
    try:
        result = method(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result
    except Exception as error:  # noqa: BLE001 - any is a result
        return error


def same(what: str, expected: Any, actual: Any, *, sort: bool = False) -> None:
    """Assert that two results are equal, and say where they are not."""
    __tracebackhide__ = True
    wanted, got = exact(expected, sort=sort), exact(actual, sort=sort)
    if wanted != got:
        pytest.fail(f"{what[:1000]}\n{_difference(wanted, got)}\nstock: {expected!r:.1000}\nours:  {actual!r:.1000}")


def _difference(expected: Any, actual: Any, at: str = "") -> str:
    containers = (list, tuple)
    if isinstance(expected, containers) and isinstance(actual, containers) and len(expected) == len(actual):
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            if one != other:
                return _difference(one, other, f"{at}/{index}")
    return f"at {at}: {expected!r:.300} is not {actual!r:.300}"


def exact(value: Any, *, sort: bool = False) -> Any:
    """Return a form which is equal only for values that are equal in type, number spelling and key order, too.

    Args:
        value: A result, an exception or rows.
        sort: Whether the order of its own items, if it is a list or dictionary, is left out; also that of the lists
            in a dictionary.
    """
    if isinstance(value, BaseException):
        return "raises", type(value), getattr(value, "status_code", None)
    if isinstance(value, BaseModel):
        kind = ChatModel if isinstance(value, SavedChat) else type(value)  # one that is read when it is looked at
        further = sorted((value.model_extra or {}).items())
        return kind, [*((name, exact(getattr(value, name))) for name in kind.model_fields), exact(further)]
    if isinstance(value, Base):
        value = {column.name: getattr(value, column.name) for column in value.__table__.columns}
    if isinstance(value, dict):
        items = [(exact(key), exact(item, sort=sort and isinstance(item, list))) for key, item in value.items()]
        return dict, sorted(items, key=repr) if sort else items
    if isinstance(value, list | tuple):
        items = [exact(item) for item in value]
        return type(value), sorted(items, key=repr) if sort else items
    if isinstance(value, float):
        return float, repr(value)
    return type(value), value


def pocketbase_rows(data_dir: Path, name: str) -> list[dict[str, Any]]:
    """Return all rows of a table from PocketBase's file; what `codec` and the hooks do, done once more."""
    table = TABLES[name]
    with closing(sqlite3.connect(f"file:{data_dir / 'data.db'}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        rows_only = f"WHERE {table.incomplete} = FALSE" if table.incomplete else ""
        if name == "chat_message":
            rows_only = "WHERE chat_id NOT IN (SELECT chat_id FROM owui_chat_locks WHERE token GLOB 'old-*')"
        records = connection.execute(f"SELECT * FROM {table.collection} {rows_only} ORDER BY rowid").fetchall()
        rows = [_row(table, record) for record in records]
        if name == "chat":
            for row in rows:
                body = row["chat"]
                if isinstance(body, dict) and isinstance((body.get("history") or {}).get("messages"), dict):
                    body["history"]["messages"] = stored_chats.history(connection, row["id"])
        if name == "file":
            pairs = zip(records, rows, strict=True)
            rows = [_with_text(row, record["text"]) for record, row in pairs]
        if name == "chat_message":
            pairs = zip(records, rows, strict=True)
            rows = [found for record, row in pairs if (found := stored_chats.message_row(record, row)) is not None]
        return [stored_chats.with_data_urls(connection, row) for row in rows]


CONVERTED: dict[str, Callable[[Any], Any]] = {"bool": bool, "date": date.fromisoformat, "int64": int64_of}


def _row(table: Table, record: sqlite3.Row) -> dict[str, Any]:
    nulls = json.loads(record["nulls"] or "null")
    assert isinstance(nulls, list), "every record of ours has a list"
    row: dict[str, Any] = {}
    for column in table.columns:
        stored = record[column.field]
        if column.type == "json":
            row[column.name] = json.loads(stored) if isinstance(stored, str) and stored else stored
        elif not stored and column.name in nulls:
            row[column.name] = None
        else:
            convert = CONVERTED.get(column.type)
            row[column.name] = convert(stored) if convert else stored
    return row


def _with_text(row: dict[str, Any], text: str) -> dict[str, Any]:
    """Return a file's row with its text, which is kept apart."""
    return row | {"data": {**row["data"], "content": text}} if text else row


def public_methods(name: str) -> set[str]:
    """Return the names of the methods of a stock repository."""
    return {method for method in vars(stock_class(name)) if not method.startswith("_")}


async def clear(client: PocketBaseClient, *tables: str) -> None:
    """Delete all rows of tables in PocketBase, with chats their messages: each is a part of the chat's body."""
    for table in {*tables, *(["chat_message"] if "chat" in tables else [])}:
        query = f"DELETE FROM {TABLES[table].collection}"
        await client._send("POST", "/api/sql", orjson.dumps({"query": query}), "")


def _without(columns: frozenset[str], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: row[name] for name in sorted(row) if name not in columns} for row in rows]


@contextmanager
def blocking_pair(
    runner: asyncio.Runner, contract: Contract, server: PocketBaseProcess, directory: Path
) -> Iterator[tuple[Pair, Callable[[], None]]]:
    """Give a pair on SQLite for one event loop, and a function that empties it."""
    client = server.client()
    context = open_pair(contract, "sqlite", server, client, directory)
    pair = runner.run(_enter(context))

    async def empty() -> None:
        await pair.database.clear()
        await clear(client, *contract.tables)
        pair.clock.now, pair.identifiers.next, pair.step = START, 0, 1

    async def close() -> None:
        await context.__aexit__(None, None, None)
        await client.aclose()

    try:
        yield pair, lambda: runner.run(empty())
    finally:
        runner.run(close())


async def _enter(context: AbstractAsyncContextManager[Pair]) -> Pair:
    return await context.__aenter__()
