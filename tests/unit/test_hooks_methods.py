"""The hooks offer what the package calls, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import openwebui_pocketbase
from tests.support.hooks import methods

IN_ARCHIVES = "config/webui_secret_key"
"""A file of a backup; in PocketBase there is no such method."""

PACKAGE_DIR = Path(openwebui_pocketbase.__path__[0])


def test_hooks_and_package_name_the_same_methods() -> None:
    source = "\n".join(path.read_text() for path in PACKAGE_DIR.rglob("*.py"))
    offered = {f"{group}/{name}" for group, kinds in methods().items() for names in kinds.values() for name in names}
    called = set(re.findall(rf'"((?:{"|".join(methods())})/\w+)[",]', source)) - {IN_ARCHIVES}
    words = set(re.findall(r'"(\w+)"', source))
    assert called <= offered
    assert {path for path in offered - called if path.partition("/")[2] not in words and "_owui_" not in path} == set()


def test_no_method_both_reads_and_writes() -> None:
    for kinds in methods().values():
        assert not set(kinds["reads"]) & set(kinds["writes"])
