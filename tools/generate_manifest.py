"""Write the manifest of the installed Open WebUI: the code that `check_contract` compares.

    python tools/generate_manifest.py [--check]

With ``--check`` nothing is written; the exit code is 1 if the manifest is missing or not current.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from upstream_inventory import Package

from openwebui_pocketbase.catalog import REPOSITORIES
from openwebui_pocketbase.host.contract import (
    MANIFESTS,
    CoveredFunction,
    Manifest,
    SourceFile,
    installed_open_webui,
)
from openwebui_pocketbase.settings import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULE_LEVEL = "<module>"


def build_manifest(package_dir: Path, version: str) -> Manifest:
    sources: dict[str, SourceFile] = {}
    functions: dict[str, CoveredFunction] = {}
    for path, name, groups, touches_sql in sorted(covered(Package(package_dir).report())):
        if path not in sources:
            sources[path] = SourceFile(package_dir.parent / path)
        functions[f"{path}:{name}"] = CoveredFunction(
            groups=groups,
            signature=sources[path].signature(name),
            sha256=sources[path].code(name).sha256,
            touches_sql=touches_sql,
        )
    return Manifest(
        version=version, files={path: source.sha256 for path, source in sources.items()}, functions=functions
    )


def covered(report: dict[str, Any]) -> Iterator[tuple[str, str, list[str], bool]]:
    """Yield path, name, groups and "touches SQL" of every function the contract covers."""
    specs = {spec.name: spec for spec in REPOSITORIES}
    for repository in report["repositories"]:
        if spec := specs.get(repository["singleton"]):
            for name, method in repository["methods"].items():
                yield spec.source, f"{spec.stock_class}.{name}", [spec.group], method["touches_sql"]
    group_of = {spec.source: spec.group for spec in REPOSITORIES}
    for function in report["functions"]:
        if group := group_of.get(function["module"]):
            yield function["module"], function["name"], [group], True
    for where, groups in bypasses(report["bypasses"]).items():
        path, _, name = where.partition(":")
        if name != MODULE_LEVEL:
            yield path, name, groups, True


def bypasses(found: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the groups of each bypass; without any of ours it is left out.

    A function that names no table but builds a part of a statement belongs to the groups of its users.
    """
    named = {bypass["where"]: set(bypass["groups"]) for bypass in found}
    used = {
        bypass["where"]: set().union(*(named.get(user, set()) for user in bypass["users"]))
        for bypass in found
        if not bypass["groups"] and bypass["access"] != "commit"
    }
    return {
        where: ours
        for where, groups in (named | used).items()
        if (ours := [group for group in GROUPS if group in groups])
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only tell whether the manifest is current")
    arguments = parser.parse_args()
    installed = installed_open_webui()
    if installed is None:
        parser.error("Open WebUI is not installed")
    package_dir, version = installed
    path = MANIFESTS / f"{version}.json"
    text = json.dumps(build_manifest(package_dir, version), indent=1) + "\n"
    if not arguments.check:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        print(f"{path.name} is not current; run: python tools/generate_manifest.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
