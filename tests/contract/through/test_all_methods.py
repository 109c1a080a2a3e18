"""Every method of the repositories that are written through is called by a module beside this one."""

from __future__ import annotations

import ast
from pathlib import Path

from openwebui_pocketbase.catalog import CATALOG
from tests.support.written_through import public_methods

METHODS = {
    f"{spec.name}.{method}"
    for group in CATALOG.values()
    for spec in group.written_through
    for method in public_methods(spec.name)
}


def called() -> set[str]:
    """Return the names that are given to `Compared.call`; in place of what is filled in there is a list's item."""
    found: set[str] = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call":
                (first, *_) = node.args
                if isinstance(first, ast.JoinedStr):
                    found |= {f"{_start(first)}{text}" for text in texts}
                elif isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def _start(name: ast.JoinedStr) -> str:
    (start, _) = name.values
    assert isinstance(start, ast.Constant)
    return str(start.value)


def test_every_method_is_called() -> None:
    assert sorted(METHODS - called()) == []


def test_the_methods_are_found() -> None:
    assert len(METHODS) == 180
