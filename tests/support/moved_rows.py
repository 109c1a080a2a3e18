"""Rows of the host's tables as a move reads them, and any that Hypothesis can think of."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st

from openwebui_pocketbase.migrate.items import UNITS, Item, Row, Unit, canonical, key_of
from openwebui_pocketbase.repositories.base import JSON
from openwebui_pocketbase.schema.tables import TABLES, Column
from tests.support.chats import chat, columns_of, entry, linked, message, row

__all__ = ["CHAT", "DAMAGED", "any_row", "as_bytes", "chat_item", "item_of", "one_row"]

CHAT = UNITS["chat"]

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(),
    "json": _JSON,
    "bool": st.booleans(),
    "int": st.integers(-(2**63), 2**63 - 1) | st.floats(-1e10, 1e10),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "date": st.dates(),
}


def _value(column: Column) -> st.SearchStrategy[Any]:
    values = _VALUES[column.type]
    return st.none() | values if column.null else values


def any_row(table: str) -> st.SearchStrategy[Row]:
    """Return rows of a table with any values that an SQL database can have there."""
    values = {column.name: _value(column) for column in TABLES[table].columns}
    return st.fixed_dictionaries(values).map(lambda row: _in_order(table, row))


def one_row(table: str, name: str, /, **columns: Any) -> Row:
    """Return a row of a table whose texts are made of a name, so that no other row has them."""
    plain: dict[str, Any] = {
        "json": {"of": name},
        "bool": True,
        "int": 1,
        "int64": 10**18 + 1,
        "date": date(2000, 1, 2),
    }
    values = {c.name: plain.get(c.type, f"{name} {c.name}") for c in TABLES[table].columns}
    return {**values, **({"id": name} if "id" in values else {}), **columns}


def item_of(unit: Unit, values: Row) -> Item:
    """Return the item that a row is."""
    return Item(key_of(unit, values), {unit.name: [values]})


def chat_item(columns: Any, rows: list[Any] = []) -> Item:  # noqa: B006 - is not changed
    """Return a chat with rows of its messages as an item; both are objects of the host."""
    chats = [_in_order("chat", columns_of(columns))]
    messages = sorted((_in_order("chat_message", columns_of(each)) for each in rows), key=lambda each: each["id"])
    return Item((chats[0]["id"],), {"chat": chats, "chat_message": messages})


def _in_order(table: str, columns: Row) -> Row:
    return {column.name: columns[column.name] for column in TABLES[table].columns}


def as_bytes(item: Item | None) -> bytes:
    """Return what makes an item equal to another one."""
    return b"" if item is None else canonical(item.rows, JSON.dumps)


def _bodies() -> dict[str, Any]:
    plain = linked({"a": message("a", None, "user"), "b": message("b", "a", "assistant", done=True)})
    loop = {"a": entry("a", "b"), "b": entry("b", "a")}
    return {
        "no body": None,
        "empty": {},
        "a text": "chat",
        "a number": 1.5,
        "a list": [1, {"history": {}}],
        "without history": {"title": "t"},
        "history of nothing": {"history": None},
        "history as a list": {"history": [plain]},
        "history without messages": {"history": {"currentId": "a"}},
        "messages of nothing": {"history": {"messages": None, "currentId": None}},
        "messages as a list": {"history": {"messages": [plain["a"]], "currentId": "a"}},
        "no messages": {"history": {"messages": {}, "currentId": None}},
        "flat messages": {"messages": [plain["a"], {"content": ["x"]}, None, 5]},
        "flat messages as an object": {"messages": plain, "history": {"messages": plain, "currentId": "b"}},
        "a loop": {"history": {"messages": loop, "currentId": "a"}},
        "itself as parent": {"history": {"messages": {"a": entry("a", "a")}, "currentId": "a"}},
        "orphans": {"history": {"messages": {"a": entry("a", "gone")}, "currentId": "gone"}},
        "children that are not there": {
            "history": {"messages": {"a": entry("a", childrenIds=["x", None, 5])}, "currentId": "x"}
        },
        "children as a text": {"history": {"messages": {"a": entry("a", childrenIds="b")}, "currentId": "a"}},
        "ids of JavaScript": {
            "history": {"messages": {each: entry(each) for each in ("__proto__", "constructor", "", "10", "9", "a.b")}}
        },
        "ids with all kinds of characters": {
            "history": {"messages": {each: entry(each) for each in ('"', "\\", "\x00", "ß", "😀", " ", "a\x00b")}}
        },
        "another id inside": {"history": {"messages": {"a": entry("b")}}},
        "entries of any kind": {
            "history": {"messages": {"a": None, "b": 5, "c": "text", "d": [], "e": True, "f": {}, "g": 2**63, "h": 0.5}}
        },
        "contents of any kind": {
            "history": {
                "messages": {
                    str(n): entry(str(n), content=each)
                    for n, each in enumerate(
                        [None, 1, 1.0, True, [{"type": "text", "text": "x"}], {"a": 1}, "", "\x00"]
                    )
                }
            }
        },
        "numbers": {"a": 2**53 + 1, "b": 1.0, "c": -0.0, "d": 1e300, "e": 2**64 - 1, "f": 0.1, "g": -(2**63)},
        "JSON in texts": {"a": "null", "b": '{"c": 1}', "history": {"messages": {"a": entry("a", content="{}")}}},
        "keys in their order": {"z": 1, "a": 2, "history": {"b": 1, "messages": dict(reversed(plain.items())), "a": 1}},
        "letters of all kinds": {
            "history": {"messages": {"a": entry("a", content="İSTANBUL ÄÖÜ ΟΔΟΣ \u2028 \x85 \ufeff")}}
        },
        "200 levels": {"history": {"messages": {"a": entry("a", content=_nested(200))}}},
        "500 levels": {"history": {"messages": {"a": entry("a", content=_nested(500))}}},
    }


def _nested(levels: int) -> Any:
    made: Any = "x"
    for _ in range(levels):
        made = [made]
    return made


def _rows() -> dict[str, dict[str, dict[str, Any]]]:
    """Return columns of rows by id of the message."""
    values = [None, "null", "", "{}", '"{}"', -1, 300, 3.14, True, "123", 2**53 + 1, [], {}, [None], {"a": 1.0}]
    return {
        "JSON of any kind": {str(n): {"content": each, "error": each, "usage": each} for n, each in enumerate(values)},
        "a row like its entry": {"a": {"meta": {"x": 1}, "files": []}},
        "a row unlike its entry": {"a": {"content": "other", "done": False, "output": [{"b": 1}]}},
        "rows without entry": {"b": {}, "no one": {"parent_id": "", "model_id": "", "context_summary": ""}},
        "times of other kinds": {"ms": {"created_at": 1_700_000_000_123, "updated_at": -5}, "f": {"created_at": 0.5}},
    }


DAMAGED: dict[str, Item] = {
    **{name: chat_item(chat(100 + n, chat=body)) for n, (name, body) in enumerate(_bodies().items())},
    **{
        f"{name}, with a row": chat_item(chat(200 + n, chat=body), [row(200 + n, "a", content="text of a")])
        for n, (name, body) in enumerate(_bodies().items())
    },
    **{
        name: chat_item(
            chat(300 + n, {"a": entry("a", content="text of a", meta={"x": 1}, files=[])}),
            [row(300 + n, name, **columns) for name, columns in rows.items()],
        )
        for n, (name, rows) in enumerate(_rows().items())
    },
}
"""Chats that are not as the host writes them today, by what is the matter with them."""
