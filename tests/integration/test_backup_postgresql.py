"""Backups of sites on PostgreSQL, and what others do in the same database: nothing of it is lost without a word."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from openwebui_pocketbase.backup import postgresql as programs
from openwebui_pocketbase.backup.archive import Archive
from openwebui_pocketbase.backup.grants import given_again
from openwebui_pocketbase.backup.places import Places, database_of
from openwebui_pocketbase.backup.sessions import PATIENCE
from openwebui_pocketbase.backup.undo import kept_aside
from openwebui_pocketbase.backup.verify import verify
from openwebui_pocketbase.cli.backup import restoring, undoing
from openwebui_pocketbase.cli.site import Site
from openwebui_pocketbase.exceptions import BackupError, UnchangedError
from openwebui_pocketbase.last_start import RESTORE
from tests.support import postgresql
from tests.support.backups import REVISION, killed_at, made, new_site, recovered, restored, state_of, undone

pytestmark = pytest.mark.postgresql

OTHERS = """
CREATE SCHEMA reporting;
CREATE VIEW reporting.people AS SELECT id, text FROM public.said;
CREATE VIEW reporting.names AS SELECT text FROM reporting.people;
CREATE MATERIALIZED VIEW reporting.count AS SELECT count(*) FROM public.said;
CREATE TABLE reporting.notes (said integer REFERENCES public.said (id),
  number bigint DEFAULT nextval('public.said_id_seq'), text text);
CREATE FUNCTION reporting.every() RETURNS SETOF public.said LANGUAGE sql AS 'SELECT * FROM public.said';
CREATE TRIGGER one BEFORE INSERT ON reporting.notes FOR EACH ROW EXECUTE FUNCTION public.one();
CREATE VIEW reporting.own AS SELECT text FROM reporting.notes;
"""
NAMED = {
    "view reporting.people",
    "view reporting.names",
    "materialized view reporting.count",
    "table constraint notes_said_fkey on reporting.notes",
    "default value for reporting.notes.number",
    "function reporting.every()",
    "trigger one on reporting.notes",
}


def said(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM said ORDER BY text")]


def on_postgresql(data_dir: Path, pocketbase: Path, text: str, schema: str = "public") -> tuple[Places, str]:
    name = postgresql.new_database()
    url = postgresql.url_of(name)
    with psycopg.connect(url) as connection:
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"; SET search_path = "{schema}"')
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (%s)", (REVISION,))
        connection.execute("CREATE TABLE said (id serial PRIMARY KEY, text TEXT UNIQUE)")
        connection.execute("CREATE FUNCTION one() RETURNS trigger AS 'BEGIN RETURN NEW; END' LANGUAGE plpgsql")
        connection.execute("CREATE FUNCTION refuse() RETURNS trigger AS 'BEGIN RAISE ''no''; END' LANGUAGE plpgsql")
        connection.execute("CREATE TRIGGER one BEFORE INSERT ON said FOR EACH ROW EXECUTE FUNCTION one()")
        connection.execute("INSERT INTO said (text) VALUES (%s)", (text,))
        connection.execute("CREATE TABLE file (id TEXT, path TEXT)")
        connection.execute("CREATE TRIGGER two BEFORE UPDATE ON file FOR EACH ROW EXECUTE FUNCTION refuse()")
        for path in (f"{data_dir}/uploads/a_one.txt", "s3://bucket/uploads/b"):
            connection.execute("INSERT INTO file VALUES ('1', %s)", (path,))
    places = new_site(data_dir, pocketbase=pocketbase, database=postgresql.url_of(name, "+psycopg"), text=text)
    return replace(places, database=replace(places.database, schema=schema)), url


def test_postgresql_comes_back_and_can_be_undone(
    tmp_path: Path, prepared_pocketbase: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a pattern of LIKE the name of the one fits the other.
    site, _ = on_postgresql(tmp_path / "a-site", prepared_pocketbase, "old")
    other, url = on_postgresql(tmp_path / "a_site", prepared_pocketbase, "theirs")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE more (id INTEGER REFERENCES said (id))")
    path = made(site).path
    assert verify(path).problems == []
    restored(other, path)
    assert said(url) == ["old"]
    with psycopg.connect(url) as connection:
        tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'more'"
        assert connection.execute(tables).fetchone() == (0,), "it was not there at that moment"
        found = connection.execute("SELECT path FROM file ORDER BY path").fetchall()
        assert found == [(f"{other.data_dir}/uploads/a_one.txt",), ("s3://bucket/uploads/b",)]
        enabled = "SELECT tgenabled FROM pg_trigger WHERE tgname = 'two'"
        assert connection.execute(enabled).fetchone() == ("O",)
        connection.execute("INSERT INTO said (text) VALUES ('since')")  # sequence and trigger are there
    undone(other)
    assert said(url) == ["theirs"]
    undone(other)
    assert said(url) == ["old", "since"]
    undone(other)
    assert said(url) == ["theirs"]

    # Killed before the tables are replaced, or after, before any file is.
    address = other.database.url.render_as_string(hide_password=False)
    for point in ("postgresql._pass_on", "journal.Step:forward"):
        assert killed_at(point, 0, "restore", other.data_dir, path, address)
        assert said(url) == (["theirs"] if point == "postgresql._pass_on" else ["old"])
        recovered(other)
        assert said(url) == ["old"]
        assert state_of(other.data_dir) == state_of(site.data_dir)
        undone(other)
        assert said(url) == ["theirs"]

    # Whoever is killed while a dump is sent has sent no end of the transaction.
    monkeypatch.setattr(programs, "_pass_on", broken_off)
    with pytest.raises(BackupError, match="did not take the dump"):
        restored(other, path)
    assert said(url) == ["theirs"]


def broken_off(reader: Any, writer: Any, _: str) -> None:
    """Send all but the end, as if the command had been killed."""
    writer.stdin.write(programs._EMPTY.encode())
    writer.stdin.write(reader.stdout.read())
    reader.wait()
    reader.returncode = 1
    writer.stdin.close()
    writer.wait()


@pytest.fixture
def site(tmp_path: Path, prepared_pocketbase: Path) -> Places:
    return on_postgresql(tmp_path / "site", prepared_pocketbase, "old")[0]


@pytest.fixture
def other(tmp_path: Path, prepared_pocketbase: Path) -> Places:
    return on_postgresql(tmp_path / "other", prepared_pocketbase, "theirs")[0]


def url(places: Places) -> str:
    return postgresql.url_of(places.database.url.database or "")


def on(places: Places, statements: str) -> None:
    with psycopg.connect(url(places)) as connection:
        connection.execute(statements)


def test_what_others_have_made_of_the_tables_is_not_dropped(
    site: Places, other: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(site).path
    on(other, OTHERS)
    before = state_of(other.data_dir)
    command = Site.of(other.data_dir, None)
    for dry_run in (True, False):
        with Archive(path) as archive, pytest.raises(UnchangedError, match="depends on them") as refused:
            restoring._restore(command, other, archive, keep_config=True, dry_run=dry_run, yes=False)
        assert set(str(refused.value).split(": ", 1)[1].partition(".\n")[0].split(", ")) == NAMED
    # Whoever makes it after the question is noticed as well: before anything is kept, and with the tables locked.
    with pytest.raises(UnchangedError, match=r"view reporting\.people"):
        restored(other, path)
    with monkeypatch.context() as patched:
        patched.setattr(programs, "keep", programs.dump)
        with pytest.raises(UnchangedError, match=r"view reporting\.people"):
            restored(other, path)
    assert state_of(other.data_dir) == before
    assert kept_aside(other) == []
    on(other, "SELECT * FROM reporting.people, reporting.names, reporting.count, reporting.every()")

    on(other, "DROP SCHEMA reporting CASCADE")
    restored(other, path)
    on(other, OTHERS)
    for dry_run in (True, False):
        with pytest.raises(UnchangedError, match=r"view reporting\.people"):
            undoing.undo(command, other, dry_run=dry_run, yes=False)
    with pytest.raises(UnchangedError, match=r"view reporting\.people"):
        undone(other)
    assert said(url(other)) == ["old"]
    on(other, "DROP SCHEMA reporting CASCADE")
    undone(other)
    assert said(url(other)) == ["theirs"]


@pytest.fixture
def role() -> str:
    """A role, dropped when the tests end, behind the databases that are made after it."""
    name = f"owui_tests_{token_hex(6)}"
    postgresql.on_server(f"CREATE ROLE {name}")
    atexit.register(postgresql.on_server, f"DROP ROLE IF EXISTS {name}")
    return name


def rights(places: Places, role: str) -> dict[str, bool]:
    wanted = {
        "said": "has_table_privilege(%(role)s, 'said', 'SELECT')",
        "more": "CASE WHEN to_regclass('more') IS NOT NULL THEN has_table_privilege(%(role)s, 'more', 'SELECT') END",
        "its sequence": "has_sequence_privilege(%(role)s, 'said_id_seq', 'USAGE')",
        "a column": "has_column_privilege(%(role)s, 'file', 'id', 'SELECT WITH GRANT OPTION')",
        "another": "has_column_privilege(%(role)s, 'file', 'path', 'SELECT')",
    }
    with psycopg.connect(url(places)) as connection:
        row = connection.execute(f"SELECT {', '.join(wanted.values())}", {"role": role}).fetchone()
    assert row is not None
    return dict(zip(wanted, row, strict=True))


@pytest.mark.parametrize("conforming", ["on", "off"])
def test_rights_on_the_tables_are_kept(role: str, site: Places, other: Places, conforming: str) -> None:
    """However the server reads backslashes, which names such as ``user`` bring into what is kept."""
    path = made(site).path
    on(
        other,
        f"""ALTER DATABASE {other.database.url.database} SET standard_conforming_strings = {conforming};
        CREATE TABLE "user" (id integer); GRANT SELECT ON "user" TO {role};
        CREATE TABLE more (id integer); GRANT SELECT ON said, more TO {role};
        GRANT USAGE ON SEQUENCE said_id_seq TO PUBLIC; GRANT SELECT (id) ON file TO {role} WITH GRANT OPTION;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {role}""",
    )
    before = {"said": True, "more": True, "its sequence": True, "a column": True, "another": False}
    assert rights(other, role) == before
    restored(other, path)
    assert rights(other, role) == before | {"more": None}

    on(other, f"REVOKE SELECT ON said FROM {role}")
    for expected in (before, before | {"more": None, "said": False}, before):
        undone(other)
        assert rights(other, role) == expected, "as at that time"

    # What was kept of a role that is gone, or never was on that server, is no reason to fail.
    archive = made(other).path
    restored(other, path)
    on(other, f"DROP OWNED BY {role}; DROP ROLE {role}")
    undone(other)
    assert said(url(other)) == ["theirs"]
    restored(site, archive)
    assert said(url(site)) == ["theirs"]


def test_names_that_the_database_has_in_another_encoding(role: str, tmp_path: Path) -> None:
    name = f"{postgresql.new_database()}_latin1"
    postgresql.on_server(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    atexit.register(postgresql.on_server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    database = database_of(make_url(postgresql.url_of(name)), "public")
    with psycopg.connect(postgresql.url_of(name)) as connection:
        connection.execute(f'CREATE TABLE file ("é" text); GRANT SELECT ("é") ON file TO {role}')
    programs.keep(database, tmp_path / "dump")
    assert "é" in (tmp_path / "dump.grants").read_text(encoding="utf-8")
    programs.replace(database, tmp_path / "dump", given_again(tmp_path / "dump"))
    with psycopg.connect(postgresql.url_of(name)) as connection:
        assert connection.execute("SELECT has_column_privilege(%s, 'file', 'é', 'SELECT')", (role,)).fetchone() == (
            True,
        )


def test_a_user_to_whom_the_schema_does_not_belong(role: str, tmp_path: Path) -> None:
    name = postgresql.new_database()
    with psycopg.connect(postgresql.url_of(name)) as connection:
        connection.execute(f"ALTER ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}")
    url = make_url(postgresql.url_of(name)).set(username=role)
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute("CREATE TABLE said AS SELECT 'one' AS text")
    programs.keep(database_of(url, "public"), tmp_path / "dump")
    programs.replace(database_of(url, "public"), tmp_path / "dump", given_again(tmp_path / "dump"))
    assert said(postgresql.url_of(name)) == ["one"]


@contextmanager
def reading(places: Places) -> Iterator[str]:
    """Have a transaction that somebody has forgotten; give what tells it from others."""
    with psycopg.connect(url(places), application_name="report") as connection:
        connection.execute("SELECT * FROM said")
        pid = connection.info.backend_pid
        yield rf"pid {pid} \(postgres, report, idle in transaction for 00:0\d:\d\d\)"


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_BEGIN", "_EMPTY"):
        monkeypatch.setattr(programs, name, getattr(programs, name).replace(f"'{PATIENCE}s'", "'1s'"))


@pytest.mark.usefixtures("_impatient")
def test_who_uses_the_tables_is_named_and_not_waited_for(
    site: Places, other: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(site).path
    before = state_of(other.data_dir)
    with reading(other) as named, pytest.raises(UnchangedError, match=named):
        restored(other, path)
    assert not (other.data_dir / RESTORE).exists()

    # Or it comes when all is kept, and the tables are to be replaced.
    with reading(other) as named, monkeypatch.context() as patched:
        patched.setattr(programs, "keep", programs.dump)
        with pytest.raises(UnchangedError, match=named):
            restored(other, path)
    assert not (other.data_dir / RESTORE).exists()
    assert kept_aside(other) == []
    assert (state_of(other.data_dir), said(url(other))) == (before, ["theirs"])

    # A restore that was cut off stays one until it can be finished; and an undoing can be tried again.
    address = other.database.url.render_as_string(hide_password=False)
    assert killed_at("postgresql._pass_on", 0, "restore", other.data_dir, path, address)
    with reading(other) as named, pytest.raises(UnchangedError, match=named):
        recovered(other)
    assert (state_of(other.data_dir), said(url(other))) == (before, ["theirs"])
    assert "now it is complete" in recovered(other)
    after = state_of(other.data_dir)
    with reading(other) as named, pytest.raises(UnchangedError, match=named):
        undone(other)
    assert (state_of(other.data_dir), said(url(other))) == (after, ["old"])
    undone(other)
    assert (state_of(other.data_dir), said(url(other))) == (before, ["theirs"])


def test_a_connection_that_is_lost_behind_the_end_leaves_what_was_there(
    role: str, site: Places, other: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(site).path
    on(other, f"GRANT SELECT ON said TO {role}")
    before, given, real = state_of(other.data_dir), rights(other, role), programs._pass_on
    seen: list[list[str]] = []

    def lost(reader: Any, writer: Any, then: str) -> None:
        real(reader, writer, then)
        if not seen:
            writer.returncode = 2
        seen.append(said(url(other)))

    monkeypatch.setattr(programs, "_pass_on", lost)
    with pytest.raises(BackupError, match="did not take the dump"):
        restored(other, path)
    assert seen == [["old"], ["theirs"]]
    assert (state_of(other.data_dir), rights(other, role)) == (before, given)
    assert kept_aside(other) == []


def test_it_goes_into_a_database_without_the_schema(tmp_path: Path, prepared_pocketbase: Path) -> None:
    site, _ = on_postgresql(tmp_path / "site", prepared_pocketbase, "old", schema="Si te")
    name = postgresql.new_database()
    other = replace(site.database, url=site.database.url.set(database=name))
    path = made(site).path
    places = replace(
        new_site(tmp_path / "other", pocketbase=prepared_pocketbase, database=str(other.url), text="new"),
        database=other,
    )
    restored(places, path)
    assert texts(name) == [("old",)]
    undone(places)
    with pytest.raises(psycopg.errors.UndefinedTable):
        texts(name)
    undone(places)
    assert texts(name) == [("old",)]


def texts(name: str) -> list[Any]:
    with psycopg.connect(postgresql.url_of(name)) as connection:
        return connection.execute('SELECT text FROM "Si te".said').fetchall()
