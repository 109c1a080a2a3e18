"""Where an Open WebUI release reaches its database (static: reads source, imports nothing).

`Package(DIR)` reads an installed or unpacked `open_webui` package; DIR is its directory.
  repositories()  the singletons of models/* (`Users = UsersTable()`; `Config` is an ORM class used as one), and which
                  of their methods touch SQL: their own body does, a private method or a module function which they
                  call does, or they open a session to hand it on; not those that only call public ones of their class
  functions()     module-level functions of models/* which build or run SQL
  bypasses()      code outside models/ which names an ORM class, calls such a function, takes a private member of a
                  repository, or uses an application session itself (passing `db=` to a repository is no bypass)

Annotations are ignored; a nested function is part of its outer one; migrations and vector stores are left out.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from upstream_modules import FUNCTION, Module, code, last  # type: ignore[import-not-found]  # beside this script

from openwebui_pocketbase.schema.tables import TABLES

GROUP_OF = {name: table.group for name, table in TABLES.items()}
DB = "open_webui.internal.db."
ACCESS = {"get_async_db", "get_async_db_context", "get_db", "get_session", "engine", "async_engine"}
SESSIONS = {"SessionLocal", "AsyncSessionLocal", "ScopedSession"}
END_OPS = {"commit", "flush", "rollback"}
WRITE_OPS = {"add", "add_all", "delete", "merge"}
READ_OPS = {"execute", "scalar", "scalars", "stream", "get", "get_one", "refresh", "query"}
OTHER_OPS = {"connection", "get_bind", "bind", "begin", "begin_nested", "run_sync"}


class Unit:
    """What one function (with its nested ones) uses, as far as it matters here.

    Attributes:
        use: Of a session and of SQLAlchemy; ``orm`` and ``raw sql`` for classes and texts.
        orm: Dotted names of ORM classes.
        raw: Tables in texts.
        calls: Dotted names of functions and classes of the package.
        self_calls: Members of its own class.
        private: Private members of repositories.
        acquire: Whether it opens a session.
        changes: Whether it ends a transaction in which it may have changed something itself.
    """

    def __init__(self, module: Module, name: str, node: ast.AST) -> None:
        self.path, self.name, self.node, self.is_model = module.path, name, node, module.is_model
        self.use: set[str] = set()
        self.orm: set[str] = set()
        self.raw: set[str] = set()
        self.calls: set[str] = set()
        self.self_calls: set[str] = set()
        self.private: set[str] = set()
        self.acquire = self.changes = False


class Package:
    def __init__(self, root: Path) -> None:
        files = [p for p in sorted(root.rglob("*.py")) if not {"migrations", "dbs"} & set(p.relative_to(root).parts)]
        self.modules = {m.name: m for m in (Module(p, root) for p in files)}
        self.orm: dict[str, tuple[str, set[str]]] = {}  # dotted -> table, columns
        self.singletons: dict[str, str] = {}  # dotted -> class
        self.classes: dict[str, ast.ClassDef] = {}  # dotted -> node
        for m in (m for m in self.modules.values() if m.is_model):
            for node in m.tree.body:
                self._define(m, node)
        self.raw_sql = re.compile(
            rf'\b(?:FROM|JOIN|UPDATE|INTO)\s+"?({"|".join(table for table, _ in self.orm.values())})"?\b'
        )
        self.units = {
            f"{m.name}.{name}": self._unit(m, name, node)
            for m in self.modules.values()
            for name, node in self._functions(m)
        }
        free = {k: u for k, u in self.units.items() if u.is_model and "." not in u.name}
        self.builders = {k for k, u in free.items() if u.use or u.acquire}  # model functions which need SQL
        while more := {k for k, u in free.items() if u.calls & self.builders} - self.builders:
            self.builders |= more

    def repositories(self) -> Iterator[tuple[str, dict[str, bool]]]:
        """Yield name, and method -> whether it touches SQL, of each singleton."""
        for dotted, cls in self.singletons.items():
            names = [f.name for f in self.classes[cls].body if isinstance(f, FUNCTION)]
            units = {name: self.units[f"{cls}.{name}"] for name in names}
            yield last(dotted), {name: self._touches(units, name) for name in names}

    def functions(self) -> Iterator[tuple[str, str]]:
        """Yield path and name of each function."""
        for dotted in sorted(self.builders):
            yield self.units[dotted].path, last(dotted)

    def bypasses(self) -> dict[str, tuple[set[str], bool, list[str]]]:
        """Return ``path:name`` -> groups, whether it only ends a transaction, and ``path:name`` of its users."""
        found = {}
        for key, u in self.units.items():
            built = u.calls & self.builders
            if u.is_model or key.startswith(DB) or not (u.use or built or u.private):
                continue
            orm = u.orm.union(*(self.units[b].orm for b in built))
            groups = {GROUP_OF[table] for table in {self.orm[o][0] for o in orm} | u.raw}
            groups |= {self._group_of(each.split(".")[0]) for each in u.private}
            ends = bool(u.use) and u.use <= {f"session.{op}" for op in END_OPS} and not u.changes
            users = [f"{other.path}:{other.name}" for other in self.units.values() if key in other.calls]
            found[f"{u.path}:{u.name}"] = groups, ends, users
        return found

    def _define(self, m: Module, node: ast.stmt) -> None:
        if isinstance(node, ast.ClassDef):
            dotted, (table, columns) = f"{m.name}.{node.name}", self._mapping(node)
            self.classes[dotted] = node
            if table:
                self.orm[dotted] = table, columns
                if any(isinstance(f, FUNCTION) and f.decorator_list for f in node.body):
                    self.singletons[dotted] = dotted
        elif (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name)
            and f"{m.name}.{node.value.func.id}" in self.classes
        ):
            self.singletons[f"{m.name}.{node.targets[0].id}"] = f"{m.name}.{node.value.func.id}"

    @staticmethod
    def _mapping(node: ast.ClassDef) -> tuple[Any, set[str]]:
        """(table, columns) of an ORM class, no table of another."""
        fields: dict[str, Any] = {
            getattr(s.targets[0] if isinstance(s, ast.Assign) else s.target, "id", ""): s.value
            for s in node.body
            if isinstance(s, (ast.Assign, ast.AnnAssign)) and s.value is not None
        }
        columns = {name for name, value in fields.items() if getattr(getattr(value, "func", 0), "id", "") == "Column"}
        return getattr(fields.get("__tablename__"), "value", None), columns

    @staticmethod
    def _functions(m: Module) -> Iterator[tuple[str, ast.AST]]:
        """(qualified name, node) of each function; '<module>' stands for the rest."""
        rest = []
        for node in m.tree.body:
            for sub in node.body if isinstance(node, ast.ClassDef) else [node]:
                if isinstance(sub, FUNCTION):
                    yield f"{node.name}.{sub.name}" if isinstance(node, ast.ClassDef) else sub.name, sub
                elif not isinstance(sub, (ast.Import, ast.ImportFrom)):
                    rest.append(sub)
        if not m.is_model:  # the statements of a model module define the mapping
            yield "<module>", ast.Module(body=rest, type_ignores=[])

    def _group_of(self, singleton: str) -> str:
        module = next(dotted.rpartition(".")[0] for dotted in self.singletons if last(dotted) == singleton)
        return GROUP_OF[next(table for dotted, (table, _) in self.orm.items() if dotted.rpartition(".")[0] == module)]

    def _touches(self, units: dict[str, Unit], name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Tell whether a method touches SQL, itself or by private ones below it."""
        u = units[name]
        if u.use or u.calls & self.builders or (not seen and u.acquire):
            return True
        below = {each for each in u.self_calls & units.keys() if each.startswith("_")} - seen - {name}
        return any(self._touches(units, each, seen | {name}) for each in below)

    @functools.cache  # noqa: B019 - one package per process
    def _canonical(self, dotted: str, depth: int = 8) -> str:
        """Follow re-exports: open_webui.models.chats.Tag -> open_webui.models.tags.Tag."""
        module, _, attr = dotted.rpartition(".")
        target = self.modules[module].names.get(attr, dotted) if module in self.modules else dotted
        return dotted if target == dotted or not depth else self._canonical(target, depth - 1)

    def _unit(self, m: Module, name: str, node: ast.AST) -> Unit:  # noqa: C901 - one pass over the nodes
        nodes = list(code(node))
        params = [a for a, _ in nodes if isinstance(a, ast.arg)]  # they shadow module names
        names = {k: v for k, v in {**m.names, **m.imports(node)}.items() if k not in {a.arg for a in params}}

        def resolve(expr: ast.AST) -> str | None:
            if isinstance(expr, ast.Name):
                return self._canonical(names[expr.id]) if expr.id in names else None
            if isinstance(expr, ast.Attribute) and (base := resolve(expr.value)):
                return self._canonical(f"{base}.{expr.attr}")
            return None

        def acquires(expr: ast.AST) -> bool:  # get_async_db(), hierarchy_transaction(), self._chat_transaction(id)
            return any(
                isinstance(n, ast.Call)
                and ((resolve(n.func) or "").startswith(DB) or ast.unparse(n.func).endswith("_transaction"))
                for n in ast.walk(expr)
            )

        u = Unit(m, name, node)
        sessions = {
            a.arg
            for a in params
            if "AsyncSession" in ast.unparse(a.annotation or ast.Constant(0))
            or (m.is_model and a.arg in ("db", "session"))
        }
        sessions |= {
            getattr(getattr(n.optional_vars, "elts", [n.optional_vars])[0], "id", "")
            for n, _ in nodes
            if isinstance(n, ast.withitem) and acquires(n.context_expr)
        }
        for n, parent in nodes:
            if isinstance(n, ast.Constant) and isinstance(n.value, str) and not isinstance(parent, ast.Expr):
                u.raw |= set(self.raw_sql.findall(n.value))
            if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name):
                if n.value.id in sessions and n.attr in END_OPS | WRITE_OPS | READ_OPS | OTHER_OPS:
                    u.use.add(f"session.{n.attr}")
                elif n.value.id in ("self", "cls"):
                    u.self_calls.add(n.attr)
            if isinstance(n, (ast.Name, ast.Attribute)) and (dotted := resolve(n)):
                self._note(u, n, parent, dotted)
        u.use |= {label for label, found in (("orm", u.orm), ("raw sql", u.raw)) if found}
        assigns = any(
            (isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and ast.unparse(n.value) != "self")
            or getattr(n, "id", "") in ("setattr", "flag_modified")
            for n, _ in nodes
        )
        u.changes = assigns and bool(u.self_calls)
        return u

    def _note(self, u: Unit, n: ast.Name | ast.Attribute, parent: ast.AST | None, dotted: str) -> None:
        """Note what a name stands for."""
        called = isinstance(parent, ast.Call) and parent.func is n
        holder, attr = dotted.rpartition(".")[0], last(dotted)
        if dotted.startswith("sqlalchemy.") and ".exc." not in dotted:
            u.use |= {f"{attr}()"} if called else set()
        elif dotted in self.orm:
            is_repository = dotted in self.singletons and isinstance(parent, ast.Attribute)
            if not (is_repository and parent.attr not in self.orm[dotted][1]):  # type: ignore[union-attr]
                u.orm.add(dotted)  # Config.get(...): the class as repository, handled at the outer attribute
        elif dotted.startswith(DB):
            u.acquire |= dotted[len(DB) :].partition(".")[0] in ACCESS | SESSIONS
        elif holder in self.singletons and isinstance(n, ast.Attribute):
            if attr.startswith("_"):
                u.private.add(f"{last(holder)}.{attr}")
        elif holder in self.modules:
            u.calls.add(dotted)
