"""The modules of an Open WebUI release, parsed: what names in them stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

__all__ = ["FUNCTION", "MODELS", "Module", "code", "last"]

MODELS = "open_webui.models."
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def last(dotted: str) -> str:
    return dotted.rpartition(".")[2]


def code(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST | None]]:
    """(node, parent) of each node below *node*, annotations left out."""
    stack: list[tuple[ast.AST, ast.AST | None]] = [(node, None)]
    while stack:
        node, parent = stack.pop()
        yield node, parent
        for field, value in ast.iter_fields(node):
            if field not in ("annotation", "returns"):
                stack += [(v, node) for v in (value if isinstance(value, list) else [value]) if isinstance(v, ast.AST)]


class Module:
    def __init__(self, path: Path, root: Path) -> None:
        self.path = "open_webui/" + path.relative_to(root).as_posix()
        parts = path.relative_to(root).with_suffix("").parts
        self.is_package = parts[-1] == "__init__"
        self.name = ".".join(("open_webui", *(parts[:-1] if self.is_package else parts)))
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.is_model = self.name.startswith(MODELS)
        self.names = self.imports(self.tree, top=True)
        for node in self.tree.body:
            if isinstance(node, (*FUNCTION, ast.ClassDef)):
                self.names[node.name] = f"{self.name}.{node.name}"
            elif isinstance(node, ast.Assign):
                target = getattr(node.targets[0], "id", "")
                self.names.setdefault(target, f"{self.name}.{target}")

    def imports(self, root: ast.AST, top: bool = False) -> dict[str, str]:
        """Local name -> dotted name, for the imports below *root* (outside functions, classes if *top*)."""
        found: dict[str, str] = {}
        stack, package = [root], self.name.split(".") + ["__init__"] * self.is_package
        while stack:
            node = stack.pop()
            if isinstance(node, ast.ImportFrom):
                base = ".".join(package[: -node.level] * bool(node.level) + [node.module or ""] * bool(node.module))
                found.update({a.asname or a.name: f"{base}.{a.name}" for a in node.names})
            elif isinstance(node, ast.Import):
                found.update(
                    {a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names}
                )
            elif node is root or (
                isinstance(node, (ast.stmt, ast.excepthandler))
                and not (top and isinstance(node, (*FUNCTION, ast.ClassDef)))
            ):
                stack.extend(ast.iter_child_nodes(node))
        return found
