"""One noun through all layers: what hooks offer, who calls it, and what compares it with the stock code, by path.

The methods of ``owui/chats/lists.js`` are called in ``repositories/chats/lists.py``, whose contract test is
``tests/contract/chats/test_lists.py``.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import openwebui_pocketbase
from openwebui_pocketbase.assets import HOOKS_DIR
from tests.support.hooks import run_node

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(openwebui_pocketbase.__path__[0])
REPOSITORIES = PACKAGE / "repositories"
HOOKS = HOOKS_DIR / "owui"

IN_ANOTHER_SUITE = {
    "groups/members": "groups/test_groups.py",
    "models/lists": "models/test_models.py",
    "users/activity": "users/test_users.py",
    "users/api_keys": "users/test_users.py",
    "users/lists": "users/test_users.py",
}
"""Parts of a repository's class that are compared with the class as a whole."""

_OFFERED = """
const found = {};
for (const path of JSON.parse(process.argv[2])) {
  const { reads = {}, writes = {} } = require(path);
  found[path] = [...Object.keys(reads), ...Object.keys(writes)];
}
console.log(JSON.stringify(found));
"""


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).with_suffix("").as_posix()


def _parts(root: Path, suffix: str) -> dict[str, Path]:
    """Return the files of a tree by their names, without what others are made of (``lib``, ``_base``, ``index``)."""
    found = {_name(path, root): path for path in sorted(root.rglob(f"*{suffix}"))}
    return {name: path for name, path in found.items() if not re.search(r"^lib/|(^|/)(_|index$)", name)}


@cache
def _offered() -> dict[str, set[str]]:
    """Return the methods that each hook file offers."""
    pattern = re.compile(r"module\.exports = \{[^}]*\b(reads|writes)\b")
    names = {str(path): name for name, path in _parts(HOOKS, ".js").items() if pattern.search(path.read_text())}
    found = run_node(_OFFERED, json.dumps(list(names)))
    return {names[path]: set(methods) for path, methods in found.items()}


@cache
def _called() -> dict[str, set[str]]:
    """Return the methods that each module of a repository names; those which name none are left out."""
    offered = set().union(*_offered().values())
    texts = {name: path.read_text() for name, path in _parts(REPOSITORIES, ".py").items()}
    found = {name: offered.intersection(re.findall(r'"(?:\w+/)?(\w+)"', text)) for name, text in texts.items()}
    return {name: methods for name, methods in found.items() if methods}


def test_hooks_have_a_module_of_the_same_path() -> None:
    """A repository or, for what the host has no repository for, a module or package of another name."""
    alone = {name.replace("migrate/", "migrate/pocketbase/") for name in _offered().keys() - _called().keys()}
    assert {name for name in alone if not (PACKAGE / f"{name}.py").exists() and not (PACKAGE / name).is_dir()} == set()


def test_repositories_call_the_hooks_of_the_same_path() -> None:
    """Also: what they call is not offered elsewhere."""
    astray = {name: methods - _offered().get(name, set()) for name, methods in _called().items()}
    assert {name: methods for name, methods in astray.items() if methods} == {}


def test_repositories_have_a_contract_test_of_the_same_path() -> None:
    suites = ROOT / "tests" / "contract"
    wanted = {name: Path(name).parent / f"test_{Path(name).name}.py" for name in _called()}
    missing = {name for name, path in wanted.items() if not (suites / path).exists()}
    assert missing == IN_ANOTHER_SUITE.keys()
    assert all((suites / IN_ANOTHER_SUITE[name]).exists() for name in missing)


def test_what_a_hook_file_exports_is_used_by_another() -> None:
    scripts = {path: path.read_text() for path in HOOKS_DIR.rglob("*.js")}
    unused = []
    for path, script in scripts.items():
        exported = re.search(r"module\.exports = \{(.*?)\};", script, re.DOTALL)
        names = re.findall(r"(?:^|,)\s*(\w+)(?=\s*(?:,|$))", exported[1]) if exported else []
        others = "\n".join(text for other, text in scripts.items() if other != path)
        unused += [f"{_name(path, HOOKS_DIR)}: {name}" for name in names if not re.search(rf"\b{name}\b", others)]
    assert unused == []
