"""Write the manifest of the installed Open WebUI: the code that `check_contract` compares.

    python tools/generate_manifest.py [--check]

With ``--check`` nothing is written; the exit code is 1 if the manifest is missing or not current.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from typing import TYPE_CHECKING

from upstream_inventory import GROUP_OF, Package  # type: ignore[import-not-found]  # beside this script

from openwebui_pocketbase.catalog import CATALOG
from openwebui_pocketbase.host.contract import MIGRATIONS, SourceTree, installed_open_webui
from openwebui_pocketbase.host.manifest import MANIFESTS, KnownFunction, KnownTable, Manifest, vocabulary
from openwebui_pocketbase.host.references import MODULE_LEVEL
from openwebui_pocketbase.settings import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def build_manifest(package_dir: Path, version: str) -> Manifest:
    tree = SourceTree(package_dir)
    tables = {table: known for path in tree.digests for table, known in tables_of(tree, path)}
    found: dict[str, tuple[set[str], bool]] = {}
    for path, name, groups, touches_sql in covered(Package(package_dir)):
        before, touched = found.get(f"{path}:{name}", (set(), False))
        found[f"{path}:{name}"] = before.union(groups), touched or touches_sql
    words = vocabulary(tables, functions_of(tree, found))
    named: dict[str, list[str]] = {}
    migrations = []
    for path in tree.digests:
        if path.startswith(MIGRATIONS):
            migrations += [path.removeprefix(MIGRATIONS)] * bool(tree.file(path).migrated_tables(words))
            continue
        for unit, names in tree.file(path).references(words, tree.imports_of).items():
            where = f"{path}:{unit}"
            if unit in tree.file(path).functions:
                found[where] = found.get(where, (set(), True))[0].union(*names.values()), True
            else:
                named[where] = sorted(names)
    return Manifest(
        version=version,
        files=tree.digests,
        functions=functions_of(tree, found),
        named=named,
        tables=dict(sorted(tables.items())),
        migrations=migrations,
    )


def tables_of(tree: SourceTree, path: str) -> Iterator[tuple[str, KnownTable]]:
    """Yield the tables of our groups which a file maps."""
    if not path.startswith("open_webui/models/"):
        return
    for table, (name, columns) in tree.file(path).tables.items():
        if GROUP_OF.get(table) in GROUPS:
            yield table, KnownTable(group=GROUP_OF[table], mapped=f"{path}:{name}", columns=columns)


def functions_of(tree: SourceTree, found: dict[str, tuple[set[str], bool]]) -> dict[str, KnownFunction]:
    functions = {}
    for where, (groups, touches_sql) in sorted(found.items()):
        path, _, name = where.partition(":")
        functions[where] = KnownFunction(
            groups=[group for group in GROUPS if group in groups],
            signature=tree.file(path).signature(name),
            digest=tree.file(path).code(name).digest,
            touches_sql=touches_sql,
        )
    return functions


def covered(package: Package) -> Iterator[tuple[str, str, list[str], bool]]:
    """Yield path, name, groups and "touches SQL" of every function the contract covers."""
    specs = {spec.name: (group.name, spec) for group in CATALOG.values() for spec in group.repositories}
    for singleton, methods in package.repositories():
        if found := specs.get(singleton):
            group, spec = found
            for name, touches_sql in methods.items():
                yield spec.source, f"{spec.stock_class}.{name}", [group], touches_sql
    group_of = {spec.source: group for group, spec in specs.values()}
    for path, name in package.functions():
        if path in group_of:
            yield path, name, [group_of[path]], True
    for where, groups in groups_of_bypasses(package).items():
        path, _, name = where.partition(":")
        if name != MODULE_LEVEL:
            yield path, name, groups, True
    for known in CATALOG.values():
        # Whatever they touch, we rely on them.
        relied_on = [f"{seam.module}:{seam.function}" for seam in known.seams]
        for where in [*relied_on, *(where for extended in known.extended for where in extended.relied_on)]:
            module, _, name = where.partition(":")
            yield f"{module.replace('.', '/')}.py", name, [known.name], True


def groups_of_bypasses(package: Package) -> dict[str, list[str]]:
    """Return the groups of each bypass; without any of ours it is left out.

    A function that names no table but builds a part of a statement belongs to the groups of its users.
    """
    bypasses = package.bypasses()
    groups = {where: found for where, (found, _, _) in bypasses.items()}
    for where, (found, only_ends, users) in bypasses.items():
        if not found and not only_ends:
            groups[where] = set().union(*(bypasses[user][0] for user in users if user in bypasses))
    return {where: ours for where, found in groups.items() if (ours := [group for group in GROUPS if group in found])}


def as_text(manifest: Manifest) -> str:
    """Return JSON with one line per function, file and so on: readable, and compared line by line."""
    parts = []
    for name, value in manifest.items():
        if isinstance(value, dict):
            lines = [f"  {json.dumps(key)}: {json.dumps(entry)}" for key, entry in value.items()]
            parts.append(f" {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n }")
        else:
            parts.append(f" {json.dumps(name)}: {json.dumps(value, indent=2)}".replace("\n]", "\n ]"))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only tell whether the manifest is current")
    arguments = parser.parse_args()
    installed = installed_open_webui()
    if installed is None:
        parser.error("Open WebUI is not installed")
    package_dir, version = installed
    gc.disable()  # syntax trees are large and stay: to look through them for garbage is more than half of the time
    path = MANIFESTS / f"{version}.json"
    text = as_text(build_manifest(package_dir, version))
    if not arguments.check:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        print(f"{path.name} is not current; run: python tools/generate_manifest.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
