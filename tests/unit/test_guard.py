"""Which tables a statement uses: found where tables stand, and nowhere else. When the commands refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from openwebui_pocketbase.cli import app
from openwebui_pocketbase.guard.statements import tables_in

READS = {
    "SELECT count(*) FROM chat": {"chat"},
    'select "chat".id from main."chat"': {"chat"},
    "SELECT * FROM [chat], `tag` t": {"chat", "tag"},
    "SELECT * FROM 'chat'": {"chat"},  # SQLite takes it for a name there
    "SELECT 1 FROM file f, chat AS c WHERE c.id = f.id": {"file", "chat"},
    "SELECT 1 FROM file JOIN folder ON f(file.a, folder.b) = 1, chat": {"file", "folder", "chat"},
    "SELECT 1 FROM (file JOIN chat USING (id))": {"file", "chat"},
    "SELECT 1 FROM (SELECT id FROM chat) AS tag": {"chat"},
    "SELECT 1 FROM file LEFT OUTER JOIN LATERAL (SELECT 1 FROM chat) x ON true": {"file", "chat"},
    "SELECT id FROM note UNION ALL SELECT id FROM chat ORDER BY 1, 2": {"note", "chat"},
    "SELECT id FROM file WHERE id NOT IN (SELECT file_id FROM chat_file)": {"file", "chat_file"},
    "SELECT (SELECT count(*) FROM tag), EXISTS (SELECT 1 FROM chat)": {"tag", "chat"},
    "WITH a AS (SELECT * FROM chat), b (x) AS NOT MATERIALIZED (SELECT 1 FROM a) SELECT * FROM b": {"chat"},
    "WITH chat AS (SELECT * FROM chat) SELECT * FROM chat": {"chat"},
    "SELECT 1; SELECT 2 FROM chat": {"chat"},
    "/* FROM tag */ SELECT 1 -- FROM file\nFROM chat": {"chat"},
    "SELECT * FROM ONLY chat FOR UPDATE": {"chat"},
    "TABLE chat": {"chat"},
    "SELECT 1 FROM note WHERE id IN (?, ?) AND x = ANY(%(y)s::VARCHAR[]) AND z IN (SELECT id FROM chat)": {
        "note",
        "chat",
    },
    "SELECT 1 FROM (VALUES (1, 'a'), (2, 'b')) v, chat": {"chat"},
    "CREATE TABLE copy AS SELECT * FROM chat": {"chat"},
    "EXPLAIN QUERY PLAN SELECT * FROM chat": {"chat"},
    "SELECT E'it\\'s FROM tag', 'it''s FROM file', $$ FROM note $$ FROM chat": {"chat"},
}

WRITES = {
    "INSERT INTO chat (id) VALUES (1)": {"chat"},
    "INSERT OR REPLACE INTO chat VALUES (1), (2)": {"chat"},
    "REPLACE INTO chat VALUES (1)": {"chat"},
    'UPDATE "user" SET role = ?': {"user"},
    "UPDATE OR IGNORE chat SET a = 1, b = 2": {"chat"},
    "UPDATE ONLY public.chat SET a = 1": {"chat"},
    "DELETE FROM chat WHERE id = 1": {"chat"},
    "delete\nfrom only chat": {"chat"},
    "TRUNCATE TABLE chat, tag CASCADE": {"chat", "tag"},
    "WITH gone AS (DELETE FROM chat RETURNING id) SELECT * FROM gone": {"chat"},
    "WITH a AS (SELECT 1) INSERT INTO chat SELECT * FROM a": {"chat"},
    "WITH RECURSIVE a (n) AS (SELECT 1 UNION SELECT n + 1 FROM a) UPDATE chat SET x = 1": {"chat"},
    "MERGE INTO chat USING note ON chat.id = note.id WHEN MATCHED THEN UPDATE SET a = 1": {"chat"},
    "INSERT INTO chat (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1 RETURNING id": {"chat"},
}

BOTH = {
    "INSERT INTO note SELECT * FROM chat": ({"chat"}, {"note"}),
    "DELETE FROM note USING chat, tag WHERE true": ({"chat", "tag"}, {"note"}),
    "UPDATE note SET a = 1 FROM chat JOIN tag USING (id) WHERE true": ({"chat", "tag"}, {"note"}),
    "DELETE FROM note WHERE id IN (SELECT note_id FROM chat)": ({"chat"}, {"note"}),
}

NOTHING = [
    "SELECT chat, user, tag FROM note WHERE chat = 1 GROUP BY user, chat ORDER BY tag, file",
    "SELECT chat.id FROM note AS chat, folder.x",
    "SELECT extract(year FROM chat), substring(tag FROM 2), trim(both 'x' FROM file) FROM note",
    "SELECT chat IS DISTINCT FROM tag, user IS NOT DISTINCT FROM file FROM note",
    "SELECT * FROM chat(1), user('x'), tag(a, 1)",
    "SELECT 1 FROM note WHERE id IN (?, :a, %(b)s::VARCHAR, $1, 1.5, NULL, 'FROM chat') AND x = 1",
    "SELECT * FROM note, json_each(note.chat, '$.a') AS tag",
    "WITH chat AS (SELECT 1), tag (a) AS (SELECT * FROM chat) SELECT * FROM tag JOIN chat ON true",
    "WITH RECURSIVE chat AS (SELECT 1 UNION SELECT 1 FROM chat) SELECT 1 FROM chat",
    "SELECT 'DELETE FROM chat', \"FROM chat\" FROM note -- FROM chat",
    "CREATE TRIGGER x AFTER INSERT ON note BEGIN DELETE FROM chat; END",
    "ALTER TABLE chat ADD COLUMN x",
    "CREATE TABLE x (id TEXT REFERENCES chat (id) ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE INDEX x ON chat (id)",
    "GRANT SELECT, UPDATE ON chat TO x",
    "PRAGMA table_info(chat)",
    "SELECT cast(a AS timestamp with time zone) FROM note FOR UPDATE OF note",
    "BEGIN IMMEDIATE",
    "",
]

MOVED = {"chat", "tag", "user", "file", "folder", "chat_file"}


def uses(statement: str) -> tuple[set[str], set[str]]:
    found = tables_in(statement)
    return {use.table for use in found if not use.writes}, {use.table for use in found if use.writes}


@pytest.mark.parametrize("statement", READS)
def test_tables_that_are_read(statement: str) -> None:
    read, written = uses(statement)
    assert read == READS[statement]
    assert written <= {"copy"}


@pytest.mark.parametrize("statement", WRITES)
def test_tables_that_are_written(statement: str) -> None:
    assert uses(statement)[1] == WRITES[statement]


@pytest.mark.parametrize("statement", BOTH)
def test_tables_that_are_read_while_another_is_written(statement: str) -> None:
    assert uses(statement) == BOTH[statement]


@pytest.mark.parametrize("statement", NOTHING)
def test_other_uses_of_a_tables_name(statement: str) -> None:
    read, written = uses(statement)
    assert (read | written) & MOVED == set()


def test_a_schema_is_told_apart() -> None:
    assert {(use.schema, use.table) for use in tables_in('SELECT 1 FROM a.b.chat, "X".tag, file')} == {
        ("b", "chat"),
        ("x", "tag"),
        ("", "file"),
    }


@pytest.mark.parametrize("command", ["guard status", "guard remove", "leave --yes"])
def test_commands_make_no_directory(command: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--data-dir", str(tmp_path / "mistyped")])
    assert result.exit_code == 1
    assert f"There is no data directory {tmp_path / 'mistyped'}" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_there_is_nothing_to_leave_if_nothing_is_in_pocketbase(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["leave", "--yes", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "keep every group in the SQL database" in result.stderr
    assert "STORAGE_BACKEND=pocketbase openwebui-pocketbase leave" in result.stderr


def test_who_does_not_agree_does_not_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_BACKEND", "pocketbase")
    result = CliRunner().invoke(app, ["leave", "--data-dir", str(tmp_path)], input="n\n")
    assert result.exit_code == 1
    assert "Open WebUI must be stopped" in result.stdout
    assert list(tmp_path.iterdir()) == []
