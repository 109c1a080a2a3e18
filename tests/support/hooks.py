"""The hooks' methods, read from the hooks themselves by node: their modules need nothing of PocketBase for that."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from functools import cache
from typing import Any

from openwebui_pocketbase.assets import HOOKS_DIR

__all__ = ["METHODS_FILE", "NODE", "methods", "run_node"]

METHODS_FILE = HOOKS_DIR / "owui" / "methods.js"

NODE = shutil.which("node", path=sysconfig.get_path("scripts")) or shutil.which("node")
"""The tests' own node comes from a wheel, into the scripts directory."""

_NAMES = """
const names = {};
for (const [group, { reads, writes = {} }] of Object.entries(require(process.argv[1]))) {
  names[group] = { reads: Object.keys(reads), writes: Object.keys(writes) };
}
console.log(JSON.stringify(names));
"""


def run_node(script: str, *arguments: str) -> Any:
    """Run a script, given `METHODS_FILE` and the arguments, and return the JSON that it prints."""
    if NODE is None:
        raise RuntimeError("node is missing: make test installs it.")
    command = [NODE, "-e", script, str(METHODS_FILE), *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)


@cache
def methods() -> dict[str, dict[str, list[str]]]:
    """Return the names of all methods: group -> ``reads`` or ``writes`` -> names."""
    found: dict[str, dict[str, list[str]]] = run_node(_NAMES)
    return found
