"""What ``python -O`` leaves out must do nothing."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from open_webui.models.chats import ChatModel

from openwebui_pocketbase.repositories.chats import _lazy

SOURCES = Path(__file__).parents[2] / "src"


def effects(test: ast.expr) -> Iterator[str]:
    """Yield what an assertion does besides looking: calls, and public attributes of its own object, often lazy."""
    for node in ast.walk(test):
        works = isinstance(node, ast.Await | ast.NamedExpr | ast.Yield | ast.YieldFrom)
        calls = isinstance(node, ast.Call) and ast.unparse(node.func) != "isinstance"
        looks = isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self" and not node.attr.startswith("_")
        if works or calls or looks:
            yield ast.unparse(node)


@pytest.mark.parametrize("test", ["self.chat is not None", "read()", "(chat := x)", "await f", "isinstance(f(), str)"])
def test_effects_are_found(test: str) -> None:
    assert list(effects(ast.parse(test, mode="eval").body))


def test_no_assertion_has_an_effect() -> None:
    found = {
        f"{path.relative_to(SOURCES)}:{node.lineno}": list(effects(node.test))
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert)
    }
    assert found, "there are none to look at"
    assert {where: what for where, what in found.items() if what} == {}


def test_a_saved_chat_is_whole_without_assertions() -> None:
    optimized: dict[str, type[_lazy.SavedChat]] = {"__name__": _lazy.__name__}  # type: ignore[dict-item]
    exec(compile(inspect.getsource(_lazy), _lazy.__file__, "exec", optimize=1), optimized)
    columns: dict[str, Any] = {"id": "1", "user_id": "2", "title": "", "created_at": 1, "updated_at": 1}
    stored = {"history": {"messages": {"m": {"id": "m"}}, "currentId": "m"}}
    answer = optimized["SavedChat"].of(
        ChatModel(chat={"history": {"messages": {}}}, **columns), lambda: {"chat": stored}
    )
    assert answer.model_dump()["chat"]["history"]["messages"] == {"m": {"id": "m"}}
