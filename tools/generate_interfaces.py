"""Write `openwebui_pocketbase.interfaces` from the installed Open WebUI, a protocol per stock repository; and stubs.

    python tools/generate_interfaces.py [--check]

The source is read, not imported. With ``--check`` nothing is written; the exit code is 1 if the
files are not current.
"""

from __future__ import annotations

import argparse
import ast
import copy
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

from openwebui_pocketbase.catalog import CATALOG, REPOSITORIES, RepositorySpec
from openwebui_pocketbase.host.contract import installed_open_webui

ROOT = Path(__file__).parents[1]
INTERFACES = ROOT / "src" / "openwebui_pocketbase" / "interfaces"

REPLACED = [name for name, group in CATALOG.items() if group.repositories]
"""Groups whose repositories are replaced."""
STUBS = ROOT / "stubs"
HEADER = "# Generated from Open WebUI {version}; to renew, run: python tools/generate_interfaces.py\n"

ANYTHING = "def __getattr__(name: str) -> Any: ...\n\n"

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Annotations which a strict type checker does not accept as the host writes them.
PRECISE = {
    "dict": "dict[str, Any]",
    "list": "list[Any]",
    "set": "set[Any]",
    "tuple": "tuple[Any, ...]",
    "callable": "Callable[..., Any]",
}
BARE = re.compile(rf"(?<!['\w])(?:{'|'.join(PRECISE)})\b(?!\[)")
# Where names come from that the host's modules do not import under the same name.
IMPORTS = {
    "AbstractAsyncContextManager": "contextlib",
    "Any": "typing",
    "Callable": "collections.abc",
    "Protocol": "typing",
    "runtime_checkable": "typing",
}


def summary(function: Function) -> str:
    """Return the first line of the host's docstring as one, else the body of a method that says nothing."""
    docstring = ast.get_docstring(function)
    return f'"""{docstring.splitlines()[0]}"""' if docstring else "..."


def annotation(node: ast.expr | None) -> str:
    """Return the source of an annotation; one that is missing says nothing, hence ``Any``."""
    return BARE.sub(lambda bare: PRECISE[bare[0]], ast.unparse(node)) if node else "Any"


def method(function: Function) -> str:
    """Return the source of a protocol method."""
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    arguments = copy.deepcopy(function.args)
    if "classmethod" in decorators:  # of a class that is used without an instance
        del arguments.args[0]
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg) and argument.arg != "self":
            argument.annotation = ast.Name(annotation(argument.annotation))
    for default in (*arguments.defaults, *filter(None, arguments.kw_defaults)):
        ast.literal_eval(default)  # anything else would need an import of its own, so better fail here
    returns, keyword = annotation(function.returns), "def"
    if "asynccontextmanager" in decorators:
        returns = "AbstractAsyncContextManager[Any]"
    elif isinstance(function, ast.AsyncFunctionDef):
        keyword = "async def"
    static = "    @staticmethod\n" if decorators & {"staticmethod", "classmethod"} else ""
    head = f"    {keyword} {function.name}({ast.unparse(arguments)}) -> {returns}:"
    return f"{static}{head}\n        {summary(function)}\n"


def protocol(spec: RepositorySpec, tree: ast.Module) -> str:
    """Return the source of the protocol of one repository."""
    stock = class_of(spec, tree)
    methods = [method(node) for node in stock.body if isinstance(node, Function) and not node.name.startswith("_")]
    docstring = f'    """What callers use of ``{spec.name}``."""\n'
    head = f"@runtime_checkable\nclass {spec.interface}(Protocol):\n{docstring}"
    return "\n".join((head, *methods))


def tree_of(spec: RepositorySpec, package_dir: Path) -> ast.Module:
    return ast.parse((package_dir.parent / spec.source).read_text(encoding="utf-8"))


def assigned_name(node: ast.stmt) -> str:
    """Return the name that a statement assigns to, ``""`` if it is no such statement."""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    return target.id if isinstance(target, ast.Name) else ""


def class_of(spec: RepositorySpec, tree: ast.Module) -> ast.ClassDef:
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == spec.stock_class)


def names_of(spec: RepositorySpec, tree: ast.Module) -> dict[str, str]:
    """Return what annotations in the module can name: name -> module to import it from."""
    names: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            names |= {alias.name: node.module or "" for alias in node.names if not alias.asname}
        elif isinstance(node, ast.ClassDef):
            names[node.name] = spec.module
        elif name := assigned_name(node):
            names[name] = spec.module
    return names


def group_module(group: str, package_dir: Path, version: str) -> str:
    """Return the source of ``interfaces/<group>.py``."""
    protocols, imports = [], dict(IMPORTS)
    for spec in CATALOG[group].repositories:
        tree = tree_of(spec, package_dir)
        protocols.append(protocol(spec, tree))
        imports |= names_of(spec, tree)
    body = "\n\n".join(protocols)
    used = sorted(set(re.findall(r"\b[A-Za-z]\w*", body)) & imports.keys())
    runtime = "".join(f"from typing import {name}\n" for name in used if imports[name] == "typing")
    for_types = "".join(f"    from {imports[name]} import {name}\n" for name in used if imports[name] != "typing")
    exports = sorted(spec.interface for spec in CATALOG[group].repositories)
    code = ruff(
        "check",
        "--fix",
        "--quiet",
        "--select=F401,I,UP",  # imports not needed and their order, modern annotations
        source=f"\nfrom __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n{runtime}\n"
        f"if TYPE_CHECKING:\n{for_types}\n__all__ = {exports}\n\n\n{body}",
    )
    docstring = f'"""Protocols of the stock repositories of the group ``{group}``."""\n'
    return ruff("format", source=docstring + HEADER.format(version=version) + code)


def package_module(version: str) -> str:
    """Return the source of ``interfaces/__init__.py``."""
    exports = {group: sorted(spec.interface for spec in CATALOG[group].repositories) for group in sorted(REPLACED)}
    imports = "".join(
        f"from openwebui_pocketbase.interfaces.{group} import {', '.join(names)}\n" for group, names in exports.items()
    )
    return ruff(
        "format",
        source='"""What callers use of the stock repositories, as protocols: one module per group.\n\n'
        "The stock classes satisfy them as they are; so must everything that replaces one.\n"
        f'"""\n{HEADER.format(version=version)}\n{imports}\n__all__ = {sorted(chain(*exports.values()))}\n',
    )


def lookup_module(version: str) -> str:
    """Return the source of ``interfaces/lookup.py``: what `openwebui_pocketbase.repository` returns for which name."""
    overloads, interfaces = [], []
    for group in CATALOG.values():
        for number, spec in enumerate(group.repositories):
            names = ", ".join(f'"{name}"' for name in ([spec.name] if number else [group.name, spec.name]))
            signature = f"(self, name: Literal[{names}]) -> {spec.interface}"
            overloads.append(f"    @overload\n    def __call__{signature}: ...\n")
            interfaces.append(spec.interface)
    specs = [(group, spec) for group in CATALOG.values() for spec in group.written_through]
    kept = dict.fromkeys(name for group, spec in specs for name in (group.name, spec.name))
    names = ", ".join(f'"{name}"' for name in kept)
    overloads.append(f"    @overload\n    def __call__(self, name: Literal[{names}]) -> Any: ...\n")
    return ruff(
        "format",
        source='"""Which repository has which interface."""\n'
        f"{HEADER.format(version=version)}\nfrom __future__ import annotations\n\n"
        "from typing import TYPE_CHECKING, Any, Literal, Protocol, overload\n\n"
        f"if TYPE_CHECKING:\n    from openwebui_pocketbase.interfaces import {', '.join(sorted(interfaces))}\n\n"
        '__all__ = ["RepositoryLookup"]\n\n\nclass RepositoryLookup(Protocol):\n'
        '    """Returns a repository, by the name of its group or its own."""\n\n' + "".join(overloads),
    )


def stub_module(spec: RepositorySpec, tree: ast.Module) -> str:
    """Return a stub of the module that defines a repository: its class has the methods of the protocol.

    With it mypy compares our classes with the protocols, though the host itself has no types. Whatever else is in the
    module, or in the class, is ``Any``; so is a class that is used without an instance, which ours do not extend.
    """
    if spec.is_class:
        return ruff("format", source=f"from typing import Any\n\n{ANYTHING.rstrip()}\n", kind="pyi")
    stock = class_of(spec, tree)
    others = [node.name for node in stock.body if isinstance(node, Function) and node.name.startswith("_")]
    others += [name for node in stock.body if (name := assigned_name(node))]
    types = [node.name for node in tree.body if isinstance(node, ast.ClassDef) and node is not stock]
    types += [name for node in tree.body if (name := assigned_name(node))]
    # mypy takes what it cannot import for a type, but not what `__getattr__` gives.
    untyped = ", ".join(f"{name} as {name}" for name in types if name != spec.name)
    return ruff(
        "format",
        source=f"from abc import ABCMeta\nfrom typing import Any\n\nfrom open_webui.untyped import {untyped}\n"
        f"from openwebui_pocketbase.interfaces import {spec.interface}\n\n"
        + ANYTHING
        + f"\nclass {spec.stock_class}({spec.interface}, metaclass=ABCMeta):\n"
        + ("".join(f"    {name}: Any\n" for name in others) or "    ...\n"),
        kind="pyi",
    )


def ruff(*command: str, source: str, kind: str = "py") -> str:
    return subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--stdin-filename", INTERFACES / f"generated.{kind}", "-"],
        input=source,
        capture_output=True,
        check=False,  # finding something is reported as a failure
        text=True,
    ).stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only tell whether the files are current")
    arguments = parser.parse_args()
    installed = installed_open_webui()
    if installed is None:
        parser.error("Open WebUI is not installed")
    files = {INTERFACES / f"{group}.py": group_module(group, *installed) for group in REPLACED}
    files[INTERFACES / "__init__.py"] = package_module(installed[1])
    files[INTERFACES / "lookup.py"] = lookup_module(installed[1])
    for spec in REPOSITORIES:
        files[STUBS / f"{spec.source}i"] = stub_module(spec, tree_of(spec, installed[0]))
    for package in ("open_webui", "open_webui/models"):
        files[STUBS / package / "__init__.pyi"] = f"from typing import Any\n\n{ANYTHING.rstrip()}\n"
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if stale and arguments.check:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        print(f"not current: {names}; run: python tools/generate_interfaces.py", file=sys.stderr)
        return 1
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
