"""Inventory of the data-access surface of an Open WebUI release (static: reads source, imports nothing).

`Package(DIR).report()` returns it; DIR is an installed or unpacked `open_webui` package. Its keys:
  repositories  the singletons of models/* (`Users = UsersTable()`; `Config` is an ORM class used as one) with
                the signature of every method and `sql`, how it reaches SQL:
                  direct    its own body uses a session, a SQLAlchemy construct, raw SQL or an ORM class
                  helper    not itself, but a private method or a module function which it calls does
                  plumbing  it only opens a session and hands it on (opening is lazy: no I/O)
                  self      it only calls public methods of its own class which reach SQL
                  repo      it only calls other repositories
                  none      pure Python
                `touches_sql`: direct, helper or plumbing.  A replacement class can inherit self, repo, none
                and plumbing unchanged.  `writes` covers what it reaches through `self`.  `default_on_error`: an
                `except Exception` which does not re-raise.
  functions     module-level functions of models/* which build or run SQL, and who uses them
  bypasses      code outside models/ which names an ORM class, calls such a function, takes a private member
                of a repository, or uses an application session itself (passing `db=` to a repository is no
                bypass).  `access`: write, read, or commit (it only ends the transaction around repository
                calls)
  attributes    public attributes of repositories which code outside models/ reads without calling them

Annotations are ignored; a nested function is part of its outer one; migrations and vector stores are left out.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

GROUPS = {  # group -> tables
    "users": "user auth api_key oauth_session",
    "chats": "chat chat_message shared_chat chat_file",
    "tags": "tag",
    "messages": "message message_reaction channel channel_member channel_file channel_webhook",
    "files": "file",
    "groups": "group group_member",
    "folders": "folder",
    "models": "model model_history",
    "access": "access_grant",
    "prompts": "prompt prompt_history",
    "tools": "tool tool_history",
    "functions": "function function_history",
    "skills": "skill skill_history",
    "knowledge": "knowledge knowledge_directory knowledge_file",
    "notes": "note pinned_note",
    "memories": "memory",
    "feedbacks": "feedback",
    "config": "config",
    "apps": "app",
    "automations": "automation automation_run",
    "calendar": "calendar calendar_event calendar_event_attendee",
}
GROUP_OF = {table: group for group, tables in GROUPS.items() for table in tables.split()}
MODELS, DB = "open_webui.models.", "open_webui.internal.db."
ACQUIRE = {
    "get_async_db",
    "get_async_db_context",
    "get_db",
    "get_session",
    "SessionLocal",
    "AsyncSessionLocal",
    "ScopedSession",
    "engine",
    "async_engine",
}  # names of internal.db which give access to the database
WRITE_OPS, END_OPS = {"add", "add_all", "delete", "merge"}, {"commit", "flush", "rollback"}
OPS = (
    WRITE_OPS
    | END_OPS
    | {
        "execute",
        "scalar",
        "scalars",
        "stream",
        "get",
        "get_one",
        "refresh",
        "connection",
        "get_bind",
        "bind",
        "begin",
        "begin_nested",
        "run_sync",
        "query",
    }
)
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
SQL_LEVELS = ("direct", "helper", "plumbing", "self", "repo", "none")


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


class Package:
    def __init__(self, root: Path) -> None:
        files = [p for p in sorted(root.rglob("*.py")) if not {"migrations", "dbs"} & set(p.relative_to(root).parts)]
        self.modules = {m.name: m for m in (Module(p, root) for p in files)}
        self.orm: dict[str, Any] = {}  # dotted -> facts
        self.singletons: dict[str, str] = {}  # dotted -> class
        self.classes: dict[str, ast.ClassDef] = {}  # dotted -> node
        for m in (m for m in self.modules.values() if m.is_model):
            for node in m.tree.body:
                if isinstance(node, ast.ClassDef):
                    dotted, (table, columns) = f"{m.name}.{node.name}", self.mapping(node)
                    self.classes[dotted] = node
                    if table:
                        self.orm[dotted] = {
                            "name": node.name,
                            "table": table,
                            "module": m.path,
                            "columns": columns,
                            "group": GROUP_OF.get(table, "?"),
                        }
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
        self.group = {last(k): self.orm_of(k.rpartition(".")[0])[0]["group"] for k in self.singletons}
        tables = "|".join(o["table"] for o in self.orm.values())
        self.raw_sql = re.compile(rf'\b(?:FROM|JOIN|UPDATE|INTO)\s+"?({tables})"?\b')
        self.units = {
            f"{m.name}.{qual}": self.facts(m, qual, cls, node)
            for m in self.modules.values()
            for qual, cls, node in self.functions(m)
        }
        free = {k: u for k, u in self.units.items() if u["model"] and not u["cls"]}
        self.builders = {k for k, u in free.items() if u["use"] or u["acquire"]}  # model functions which need SQL
        while more := {k for k, u in free.items() if u["calls"] & self.builders} - self.builders:
            self.builders |= more

    @staticmethod
    def mapping(node: ast.ClassDef) -> tuple[Any, dict[str, str]]:
        """(table, columns) of an ORM class, (None, {}) of another."""
        fields: dict[str, Any] = {
            getattr(s.targets[0] if isinstance(s, ast.Assign) else s.target, "id", ""): s.value
            for s in node.body
            if isinstance(s, (ast.Assign, ast.AnnAssign)) and s.value is not None
        }
        return getattr(fields.get("__tablename__"), "value", None), {
            name: ", ".join(map(ast.unparse, [*value.args, *value.keywords]))
            for name, value in fields.items()
            if getattr(getattr(value, "func", None), "id", "") == "Column"
        }

    def orm_of(self, module: str) -> list[Any]:
        return [o for k, o in self.orm.items() if k.rpartition(".")[0] == module]

    @staticmethod
    def functions(m: Module) -> Iterator[tuple[str, str | None, ast.AST]]:
        """(qualified name, class or None, node) of each function; '<module>' stands for the rest."""
        rest = []
        for node in m.tree.body:
            for sub in node.body if isinstance(node, ast.ClassDef) else [node]:
                if isinstance(sub, FUNCTION) and isinstance(node, ast.ClassDef):
                    yield f"{node.name}.{sub.name}", node.name, sub
                elif isinstance(sub, FUNCTION):
                    yield sub.name, None, sub
                elif not isinstance(sub, (ast.Import, ast.ImportFrom)):
                    rest.append(sub)
        if not m.is_model:  # the statements of a model module define the mapping
            yield "<module>", None, ast.Module(body=rest, type_ignores=[])

    @functools.cache  # noqa: B019 - one package per process
    def canonical(self, dotted: str, depth: int = 8) -> str:
        """Follow re-exports: open_webui.models.chats.Tag -> open_webui.models.tags.Tag."""
        module, _, attr = dotted.rpartition(".")
        target = self.modules[module].names.get(attr, dotted) if module in self.modules else dotted
        return dotted if target == dotted or not depth else self.canonical(target, depth - 1)

    def facts(self, m: Module, qual: str, cls: str | None, node: ast.AST) -> dict[str, Any]:  # noqa: C901, PLR0912 - one pass over the nodes
        """What one function (with its nested ones) uses."""
        nodes = list(code(node))
        params = [a for a, _ in nodes if isinstance(a, ast.arg)]  # they shadow module names
        names = {k: v for k, v in {**m.names, **m.imports(node)}.items() if k not in {a.arg for a in params}}

        def resolve(expr: ast.AST) -> str | None:
            if isinstance(expr, ast.Name):
                return self.canonical(names[expr.id]) if expr.id in names else None
            if isinstance(expr, ast.Attribute) and (base := resolve(expr.value)):
                return self.canonical(f"{base}.{expr.attr}")
            return None

        def acquires(expr: ast.AST) -> bool:  # get_async_db(), hierarchy_transaction(), self._chat_transaction(id)
            return any(
                isinstance(n, ast.Call)
                and ((resolve(n.func) or "").startswith(DB) or ast.unparse(n.func).endswith("_transaction"))
                for n in ast.walk(expr)
            )

        u: dict[str, Any] = {
            "path": m.path,
            "qual": qual,
            "cls": cls,
            "node": node,
            "model": m.is_model,
            "orm": set(),
            "use": set(),
            "raw": set(),
            "calls": set(),
            "self_calls": set(),
            "repo": set(),
            "private": set(),
            "attributes": set(),
            "acquire": False,
            "write": False,
        }
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
        assigns = any(
            (isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and ast.unparse(n.value) != "self")
            or getattr(n, "id", "") in ("setattr", "flag_modified")
            for n, _ in nodes
        )
        for n, parent in nodes:
            if isinstance(n, ast.Constant) and isinstance(n.value, str) and not isinstance(parent, ast.Expr):
                u["raw"] |= set(self.raw_sql.findall(n.value))
            if not isinstance(n, (ast.Name, ast.Attribute)):
                continue
            if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name):
                if n.value.id in sessions and n.attr in OPS:
                    u["use"].add(f"session.{n.attr}")
                    u["write"] |= n.attr in WRITE_OPS
                elif n.value.id in ("self", "cls"):
                    u["self_calls"].add(n.attr)
            dotted = resolve(n)
            if dotted is None:
                continue
            called = isinstance(parent, ast.Call) and parent.func is n
            holder, attr = dotted.rpartition(".")[0], last(dotted)
            if dotted.startswith("sqlalchemy.") and ".exc." not in dotted:
                u["use"] |= {f"{attr}()"} if called else set()
                u["write"] |= holder != "sqlalchemy.func" and attr in ("update", "delete", "insert")
            elif dotted in self.orm:
                if (
                    dotted in self.singletons
                    and isinstance(parent, ast.Attribute)
                    and (parent.attr not in self.orm[dotted]["columns"])
                ):
                    continue  # Config.get(...): the class as repository, handled at the outer attribute
                u["orm"].add(dotted)
                u["write"] |= called
            elif dotted.startswith(DB):
                u["acquire"] |= dotted[len(DB) :].split(".")[0] in ACQUIRE
            elif holder in self.singletons and isinstance(n, ast.Attribute):
                if attr.startswith("_"):
                    u["private"].add(f"{last(holder)}.{attr}")
                elif attr not in self.orm.get(holder, {}).get("columns", ()):
                    u["repo" if called else "attributes"].add(f"{last(holder)}.{attr}")
            elif holder in self.modules:
                u["calls"].add(dotted)
        u["use"] |= {label for label, found in (("orm", u["orm"]), ("raw sql", u["raw"])) if found}
        u["commits"] = bool(u["use"] & {"session.commit", "session.flush"}) or any(
            c.endswith("_transaction") for c in u["private"] | u["self_calls"]
        )
        u["write"] |= u["commits"] and assigns and bool(u["orm"] or u["private"] or u["self_calls"])
        return u

    def repository(self, dotted: str) -> dict[str, Any]:
        cls, m = self.singletons[dotted], self.modules[dotted.rpartition(".")[0]]
        units = {f.name: self.units[f"{cls}.{f.name}"] for f in self.classes[cls].body if isinstance(f, FUNCTION)}
        group = self.group[last(dotted)]

        def reach(
            name: str, test: Callable[[dict[str, Any]], Any], private: bool = False, seen: frozenset[str] = frozenset()
        ) -> bool:  # does *test* hold below *name*, through self?
            return bool(test(units[name])) or any(
                reach(s, test, private, seen | {name})
                for s in (units[name]["self_calls"] & units.keys()) - seen - {name}
                if s.startswith("_") or not private
            )

        def level(name: str) -> str:
            if units[name]["use"]:
                return "direct"
            if reach(name, lambda u: u["use"] or u["calls"] & self.builders, private=True):
                return "helper"
            if units[name]["acquire"]:
                return "plumbing"
            if reach(name, lambda u: u["use"] or u["acquire"] or u["calls"] & self.builders):
                return "self"
            return "repo" if reach(name, lambda u: u["repo"]) else "none"

        methods = {}
        for name, u in units.items():
            f, sql, decorators = u["node"], level(name), [ast.unparse(d) for d in u["node"].decorator_list]
            orm, is_async = [self.orm[o] for o in sorted(u["orm"])], isinstance(f, ast.AsyncFunctionDef)
            methods[name] = {
                "signature": f"{'async ' * is_async}def {name}({ast.unparse(f.args)})"
                + (f" -> {ast.unparse(f.returns)}" if f.returns else ""),
                "line": f.lineno,
                "decorators": decorators,
                "is_async": is_async,
                "public": not name.startswith("_"),
                "contextmanager": any("contextmanager" in d for d in decorators),
                "sql": sql,
                "touches_sql": sql in SQL_LEVELS[:3],
                "writes": reach(name, lambda u: u["write"]),
                "commits": u["commits"],
                "default_on_error": any(
                    isinstance(h, ast.ExceptHandler)
                    and (h.type is None or ast.unparse(h.type) == "Exception")
                    and not any(isinstance(x, ast.Raise) for x in ast.walk(h))
                    for h in ast.walk(f)
                ),
                "orm_own": [o["name"] for o in orm if o["group"] == group],
                "orm_other": [f"{o['group']}:{o['name']}" for o in orm if o["group"] != group],
                "repositories": sorted(u["repo"] | u["private"]),
                "functions": sorted(map(last, u["calls"] & self.builders)),
            }
        importers = [x.path for x in self.modules.values() if x is not m and dotted in self.imported(x)]
        return {
            "singleton": last(dotted),
            "cls": last(cls),
            "module": m.path,
            "group": group,
            "methods": methods,
            "tables": [o["table"] for o in self.orm_of(m.name)],
            "importers": importers,
        }

    @functools.cache  # noqa: B019 - one package per process
    def imported(self, module: Module) -> set[str]:
        return set(map(self.canonical, module.imports(module.tree).values()))

    @staticmethod
    def route(node: ast.AST) -> str | None:
        for d in getattr(node, "decorator_list", []):
            is_method = isinstance(d, ast.Call) and isinstance(d.func, ast.Attribute) and d.args
            if is_method and ast.unparse(d.func).startswith(("router.", "app.")):
                return f"{d.func.attr.upper()} {ast.unparse(d.args[0])}"
        return None

    def report(self) -> dict[str, Any]:
        def users(dotted: str) -> list[str]:
            return sorted(f"{u['path']}:{u['qual']}" for u in self.units.values() if dotted in u["calls"])

        bypasses = []
        for key, u in self.units.items():
            where, built = f"{u['path']}:{u['qual']}", u["calls"] & self.builders
            if u["model"] or key.startswith(DB):
                continue
            if u["use"] or built or u["private"]:
                orm = u["orm"].union(*(self.units[b]["orm"] for b in built))
                tables = {self.orm[o]["table"] for o in orm} | u["raw"]
                groups = {GROUP_OF.get(t, "?") for t in tables} | {self.group[p.split(".")[0]] for p in u["private"]}
                write = u["write"] or any(self.units[b]["write"] for b in built)
                ends = u["use"] and u["use"] <= {f"session.{op}" for op in END_OPS}
                bypasses.append(
                    {
                        "where": where,
                        "line": getattr(u["node"], "lineno", 1),
                        "route": self.route(u["node"]),
                        "users": users(key),
                        "orm": sorted(self.orm[o]["name"] for o in u["orm"]),
                        "tables": sorted(tables),
                        "raw": sorted(u["raw"]),
                        "via": sorted({*map(last, built), *u["private"]}),
                        "uses": sorted(u["use"] - {"orm"}),
                        "groups": sorted(groups),
                        "access": "write" if write else "commit" if ends else "read",
                    }
                )
        functions = [
            {
                "name": last(b),
                "module": self.units[b]["path"],
                "users": users(b),
                "orm": sorted(self.orm[o]["name"] for o in self.units[b]["orm"]),
            }
            for b in sorted(self.builders)
        ]
        attributes = [
            {"where": f"{u['path']}:{u['qual']}", "uses": sorted(u["attributes"])}
            for u in self.units.values()
            if u["attributes"] and not u["model"]
        ]
        return {
            "tables": {o["table"]: o for o in self.orm.values()},
            "functions": functions,
            "bypasses": bypasses,
            "attributes": attributes,
            "repositories": [self.repository(s) for s in self.singletons],
        }
