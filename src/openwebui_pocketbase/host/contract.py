"""The version contract: does the installed Open WebUI reach its data the way we were made for?

A replaced repository has to cover every stock method that touches SQL, and everything elsewhere that names
the same tables. For each supported version a manifest keeps the digests of all this code. Before the host
runs, its whole package is compared: it is read and never imported, because after an import it is too late to
refuse, and a file equal byte for byte is not even parsed. A file that differs, or is new, is searched for code
which the manifest does not know and which names a table of a group in PocketBase.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.machinery import PathFinder
from pathlib import Path

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.host.manifest import KnownFunction, manifest_for, supported_versions, vocabulary
from openwebui_pocketbase.host.references import Imports, Vocabulary
from openwebui_pocketbase.host.source import SourceFile, digest_of

__all__ = [
    "MIGRATIONS",
    "ContractProblem",
    "SourceTree",
    "check_contract",
    "installed_open_webui",
    "supported_versions",
]

MIGRATIONS = "open_webui/migrations/versions/"
_NO_CODE = {"data", "frontend", "static"}
"""Directories in the package that hold no modules; the first is the default data directory, with people's uploads."""


@dataclass(frozen=True)
class ContractProblem:
    """One difference between the installed Open WebUI and the version it is compared with."""

    where: str
    """A file, or a file and a name in it: ``open_webui/models/tags.py:TagTable.insert_new_tag``."""
    what: str
    """What is different there."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class SourceTree:
    """All Python files of an Open WebUI; paths start with ``open_webui/``.

    Args:
        package_dir: The directory ``open_webui``.
    """

    def __init__(self, package_dir: Path) -> None:
        self._above = package_dir.parent
        self._files: dict[str, SourceFile] = {}
        self.digests = {path: digest_of((self._above / path).read_bytes()) for path in sorted(_modules(package_dir))}
        """Path -> digest."""

    def file(self, path: str) -> SourceFile:
        """Return one file."""
        if path not in self._files:
            self._files[path] = SourceFile((self._above / path).read_bytes(), path)
        return self._files[path]

    def imports_of(self, module: str) -> Imports:
        """Return what a module imports; nothing if it is none of the host's."""
        path = module.replace(".", "/")
        found = next((each for each in (f"{path}.py", f"{path}/__init__.py") if each in self.digests), None)
        return self.file(found).imports if found else {}


def check_contract(groups: Collection[str], *, package_dir: Path, version: str) -> list[ContractProblem]:
    """Compare an Open WebUI with the version we were made for, as far as *groups* are concerned.

    A version without a manifest is compared with the newest supported one that is not above it,
    else with the oldest, and is as good as that one if nothing differs.

    Args:
        groups: The groups that are not in the host's SQL database, or not only there.
        package_dir: The directory ``open_webui``.
        version: Version of that Open WebUI.

    Returns:
        The differences a replacement cannot cover; none means that it is safe to go on.
    """
    comparison = _Comparison(frozenset(groups), SourceTree(package_dir), version)
    return list(comparison.problems())


class _Comparison:
    def __init__(self, groups: frozenset[str], tree: SourceTree, version: str) -> None:
        self._groups = groups
        # What is written through stays the host's: only the columns count, and the functions that are replaced.
        self._replaced = frozenset(group for group in groups if CATALOG[group].repositories)
        self._tree = tree
        self._manifest = manifest_for(version)
        self._reference = f"Open WebUI {self._manifest['version']}"
        seams = {
            f"{seam.module.replace('.', '/')}.py:{seam.function}" for group in groups for seam in CATALOG[group].seams
        }
        self._known: dict[str, dict[str, KnownFunction]] = {}
        for where, function in self._manifest["functions"].items():
            if where in seams or not self._replaced.isdisjoint(function["groups"]):
                path, _, name = where.partition(":")
                self._known.setdefault(path, {})[name] = function
        self._classes = {spec.source: spec.stock_class for group in groups for spec in CATALOG[group].repositories}

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return vocabulary(self._manifest["tables"], self._manifest["functions"])

    def problems(self) -> Iterator[ContractProblem]:
        digests = self._tree.digests
        for path in sorted(self._known.keys() - digests.keys()):
            yield ContractProblem(path, f"the file of {self._reference} is missing")
        for path, digest in digests.items():
            if digest != self._manifest["files"].get(path):
                try:
                    yield from self._of_file(path)
                except (SyntaxError, ValueError) as error:
                    yield ContractProblem(path, f"it names tables, and cannot be read as Python: {error}")

    def _of_file(self, path: str) -> Iterator[ContractProblem]:
        if path.startswith(MIGRATIONS):
            yield from self._of_migration(path)
            return
        functions = list(self._of_functions(path))
        yield from functions
        yield from self._of_tables(path)
        told = {problem.where for problem in functions}
        yield from (problem for problem in self._of_references(path) if problem.where not in told)

    def _of_functions(self, path: str) -> Iterator[ContractProblem]:
        """Compare the known functions, and look for new ones that touch SQL where repositories do."""
        known = self._known.get(path, {})
        if not known and path not in self._classes:
            return
        source = self._tree.file(path)
        for name, function in known.items():
            where = f"{path}:{name}"
            if name not in source.functions:
                yield ContractProblem(where, f"the function of {self._reference} is missing")
                continue
            code = source.code(name)
            if code.digest == function["digest"] or not (function["touches_sql"] or code.touches_sql):
                continue
            signature = source.signature(name)
            if signature == function["signature"]:
                yield ContractProblem(where, f"the code differs from {self._reference}")
            else:
                old = function["signature"]
                yield ContractProblem(where, f"the signature is `{signature}`, but `{old}` in {self._reference}")
        if path not in self._classes:
            return
        for name in source.functions:
            is_covered = name.rpartition(".")[0] in ("", self._classes[path])
            if is_covered and name not in known and source.code(name).touches_sql:
                yield ContractProblem(f"{path}:{name}", f"it touches SQL, and {self._reference} does not have it")

    def _of_tables(self, path: str) -> Iterator[ContractProblem]:
        """Compare the columns of the groups' tables."""
        for table, known in self._manifest["tables"].items():
            if known["group"] not in self._groups or known["mapped"].partition(":")[0] != path:
                continue
            name, columns = self._tree.file(path).tables.get(table, ("", {}))
            if not name:
                yield ContractProblem(known["mapped"], f"the table {table} of {self._reference} is missing")
                continue
            for column in dict.fromkeys([*known["columns"], *columns]):
                new, old = columns.get(column), known["columns"].get(column)
                if new != old:
                    what = _change_of(new, old, f"the table {table}", self._reference)
                    yield ContractProblem(f"{path}:{name}.{column}", what)

    def _of_references(self, path: str) -> Iterator[ContractProblem]:
        """Look for code that names a table and is not known to do so."""
        for unit, named in self._tree.file(path).references(self._vocabulary, self._tree.imports_of).items():
            where = f"{path}:{unit}"
            function = self._manifest["functions"].get(where)
            names = self._manifest["named"].get(where, ())
            known = frozenset(function["groups"]) if function else frozenset()
            if new := [name for name, groups in named.items() if name not in names and groups & self._replaced - known]:
                yield ContractProblem(where, f"it names {', '.join(new)}, which {self._reference} does not do there")

    def _of_migration(self, path: str) -> Iterator[ContractProblem]:
        """Look into a migration that is new; one that is known has run, or runs while the tables are empty."""
        if path.removeprefix(MIGRATIONS) in self._manifest["migrations"]:
            return
        of_groups = {name for name, table in self._manifest["tables"].items() if table["group"] in self._groups}
        if found := sorted(self._tree.file(path).migrated_tables(self._vocabulary) & of_groups):
            yield ContractProblem(
                path, f"the migration changes {', '.join(found)}, and {self._reference} does not have it"
            )


def _change_of(new: str | None, old: str | None, table: str, reference: str) -> str:
    if old is None:
        return f"it is new in {table}: {reference} does not have it"
    if new is None:
        return f"it is missing in {table}: {reference} has it"
    return f"it is `{new}` in {table}, but `{old}` in {reference}"


def _modules(directory: Path) -> Iterator[str]:
    """Yield the paths of all modules of the package, from the directory above it."""
    below = [(directory.name, str(directory))]
    while below:
        path, where = below.pop()
        with os.scandir(where) as entries:
            for entry in entries:
                if entry.name.endswith(".py") and entry.is_file():
                    yield f"{path}/{entry.name}"
                elif entry.is_dir(follow_symlinks=False) and not (path == directory.name and entry.name in _NO_CODE):
                    below.append((f"{path}/{entry.name}", entry.path))


def installed_open_webui(*elsewhere: str) -> tuple[Path, str] | None:
    """Find Open WebUI without importing it.

    It is the package Python would import, or one in the working directory: the official container
    runs from source there, and a console script does not have that directory on its path.

    Args:
        elsewhere: Directories to look in when it is in neither place.

    Returns:
        The directory ``open_webui`` and the version; None if there is no Open WebUI.
    """
    spec = importlib.util.find_spec("open_webui") or PathFinder.find_spec("open_webui", ["", *elsewhere])
    if spec is None or spec.origin is None:
        return None
    package_dir = Path(spec.origin).resolve().parent
    return package_dir, _version_of(package_dir)


def _version_of(package_dir: Path) -> str:
    """Return the version as ``open_webui.env`` finds it.

    That is the distribution's if started by ``open-webui serve``, which sets ``FROM_INIT_PY``, else
    the one in the source tree. Other programs, such as our own, do not set the variable, so they
    take what is there.
    """
    if os.environ.get("FROM_INIT_PY", "").lower() != "true":
        try:
            package = json.loads((package_dir.parent.parent / "package.json").read_text(encoding="utf-8"))
            if package["name"] == "open-webui":
                return str(package["version"])
        except (OSError, ValueError, KeyError):
            pass
    try:
        return importlib.metadata.version("open-webui")
    except importlib.metadata.PackageNotFoundError:
        return "0.0.0"
