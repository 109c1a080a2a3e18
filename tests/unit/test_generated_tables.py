"""The declarations of tables that are written through are what the host's mappers say."""

from __future__ import annotations

import json

from openwebui_pocketbase.assets import TABLES_FILE
from tools.generate_tables import generated, text_of


def test_declarations_are_current() -> None:
    tables = json.loads(TABLES_FILE.read_text(encoding="utf-8"))["tables"]
    assert generated() == {name: table for name, table in tables.items() if table.get("through")}


def test_what_is_written_is_what_was_read() -> None:
    declared = json.loads(TABLES_FILE.read_text(encoding="utf-8"))
    assert json.loads(text_of(declared)) == declared
