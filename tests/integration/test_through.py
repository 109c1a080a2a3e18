"""Writing through: what the host's own repositories commit, PocketBase has first; on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import nullcontext, suppress
from itertools import count
from typing import Any

import aiosqlite
import pytest
from open_webui.models.notes import Note, NoteForm, Notes, NoteUpdateForm
from open_webui.models.tags import Tag
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from openwebui_pocketbase.changes import sql
from openwebui_pocketbase.changes.mirror import Mirror
from openwebui_pocketbase.changes.through import Through
from openwebui_pocketbase.client import PocketBaseClient
from openwebui_pocketbase.exceptions import ConflictError, InvalidRequestError, MovedTableError, UnavailableError
from openwebui_pocketbase.host.guard import install_guard
from openwebui_pocketbase.transactions import open_transaction
from tests.support.differential import pocketbase_rows, same
from tests.support.mirrors import client, database, no_sockets
from tests.support.pocketbase import PocketBaseProcess
from tests.support.stock import StockDatabase

__all__ = ["client", "database", "no_sockets"]

GROUPS = ("notes",)
TABLES = ("note", "pinned_note")


RECORD = {"id": "x", "user_id": "u", "title": "x", "created_at": "1", "updated_at": "1", "nulls": "[]"}


async def check(database: StockDatabase, server: PocketBaseProcess) -> None:
    """Check that both sides are equal, and nothing waits."""
    for table in TABLES:
        same(table, pocketbase_rows(server.data_dir, table), await database.rows(table), sort=True)
    async with sql.begin() as connection:
        for table in ("owui_pocketbase_unsent", "owui_pocketbase_touched"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar() == 0
        if database.is_sqlite:
            assert (await connection.execute(text("SELECT writing FROM owui_pocketbase_mirror"))).scalar() == 0


@pytest.fixture
async def mirror(client: PocketBaseClient, database: StockDatabase) -> Mirror:
    mirror = Mirror(client, GROUPS)
    await mirror.start()
    return mirror


@pytest.fixture(autouse=True)
async def through(mirror: Mirror) -> AsyncIterator[Through]:
    await install_guard(GROUPS)
    through = Through(mirror, 30.0)
    through.start()
    yield through
    through.stop()
    await install_guard(())


async def insert(title: str = "a") -> Note:
    note = await Notes.insert_new_note("u", NoteForm(title=title, data={"content": {"md": title}}, access_grants=[]))
    assert note is not None
    return note


async def test_rows_are_there_with_the_commit(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    note = await insert()
    await check(database, own_pocketbase)
    assert await Notes.update_note_by_id(note.id, NoteUpdateForm(title="b", data={"content": {"md": "ä\x00"}}))
    await check(database, own_pocketbase)
    other = await insert("c")
    assert await Notes.delete_note_by_id(note.id)
    await check(database, own_pocketbase)
    assert [row["id"] for row in await database.rows("note")] == [other.id]


def sent(monkeypatch: pytest.MonkeyPatch, mirror: Mirror) -> list[dict[str, Any]]:
    """Return a list that gets the body of each request that is sent with a commit."""
    bodies: list[dict[str, Any]] = []
    submit = mirror.submit

    async def noted(path: str, parameters: Mapping[str, Any], **more: Any) -> Any:
        bodies.append({"path": path, **parameters})
        return await submit(path, parameters, **more)

    monkeypatch.setattr(mirror, "submit", noted)
    return bodies


async def test_a_commit_is_one_request_and_what_writes_no_such_table_none(
    mirror: Mirror, database: StockDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = sent(monkeypatch, mirror)
    note = await insert()
    assert len(bodies) == 1
    await Notes.get_note_by_id(note.id)
    await Notes.get_notes_by_user_id("u")
    await database.add(Tag(id="t", name="t", user_id="u"))
    assert len(bodies) == 1
    async with database.sessions() as session:
        await session.execute(update(Note).where(Note.id == "nothing").values(title="b"))
        await session.commit()
    assert len(bodies) == 1
    assert await Notes.update_note_by_id(note.id, NoteUpdateForm(title="b"))
    assert [[*body["put"]] for body in bodies] == [["owui_notes"], ["owui_notes"]]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"put": {}, "head": {"ids": {}, "gone": {}}},
        {"head": {}, "put": {}},
        {"head": {"ids": {"owui_notes": ["x"]}, "gone": {}}, "put": {}},
        {"head": {"ids": {"owui_notes": ["x", "y"]}, "gone": {}}, "put": {"owui_notes": [RECORD]}},
        {"head": {"ids": {"owui_users": []}, "gone": {}}, "put": {}},
    ],
)
async def test_a_request_that_does_not_fit_itself_writes_nothing(
    body: dict[str, Any], mirror: Mirror, client: PocketBaseClient, own_pocketbase: PocketBaseProcess
) -> None:
    if "head" in body:
        body = {**body, "head": {"cursor": (await mirror.source.position()).cursor, "seen": {}, **body["head"]}}
    with pytest.raises(InvalidRequestError):
        await client.submit("through/apply", body)
    assert pocketbase_rows(own_pocketbase.data_dir, "note") == []


async def test_a_commit_asks_the_drivers_thread_four_times_more(
    through: Through, database: StockDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database.is_sqlite:
        pytest.skip("the driver of PostgreSQL has no thread")
    note = await insert()
    execute, asked = aiosqlite.Connection._execute, 0

    async def counted(connection: aiosqlite.Connection, *arguments: Any, **more: Any) -> Any:
        nonlocal asked
        asked += 1
        return await execute(connection, *arguments, **more)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)

    async def times(title: str) -> int:
        nonlocal asked
        await Notes.update_note_by_id(note.id, NoteUpdateForm(title=title))  # the first statements on a connection
        asked = 0
        assert await Notes.update_note_by_id(note.id, NoteUpdateForm(title=f"{title} again"))
        return asked

    with_it = await times("b")
    through.stop()
    await install_guard(())
    assert with_it - await times("c") == 4  # opening the guard, what is unsent, its rows, closing the guard


async def test_a_large_commit_has_its_turn_among_such_and_more_time(
    through: Through, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[float, bool]] = []
    submit = through._submit

    async def noted(body: Mapping[str, Any], patience: float, *, is_large: bool) -> Mapping[str, Any]:
        sent.append((patience, is_large))
        return await submit(body, patience, is_large=is_large)

    monkeypatch.setattr(through, "_submit", noted)
    note = await insert("a")
    assert await Notes.update_note_by_id(note.id, NoteUpdateForm(data={"content": {"md": "x" * 8_000_000}}))
    ((little, is_little_large), (much, is_much_large)) = sent
    assert (round(little), is_little_large) == (30, False)
    assert (round(much), is_much_large) == (34, True)
    await check(database, own_pocketbase)


async def test_a_process_with_other_groups_on_the_same_database_ends_it(
    mirror: Mirror, client: PocketBaseClient, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    note = await insert()
    await Mirror(client, ("folders", "users")).start()
    with pytest.raises(UnavailableError, match="without notes in PocketBase"):
        await Notes.update_note_by_id(note.id, NoteUpdateForm(title="b"))
    await check(database, own_pocketbase)
    assert [row["title"] for row in await database.rows("note")] == ["a"]


async def test_what_has_no_transaction_is_refused(database: StockDatabase, own_pocketbase: PocketBaseProcess) -> None:
    note = await insert()
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        with pytest.raises(MovedTableError, match="without a transaction"):
            await connection.execute(update(Note).where(Note.id == note.id).values(title="b"))
    await check(database, own_pocketbase)


async def test_writers_on_sqlite_queue_up(
    through: Through, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody asks SQLite for its lock while somebody else here has it, and all turns end."""
    at_once, most, numbers = 0, 0, count()
    submit = through._submit

    async def counted(*arguments: Any, **more: Any) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            if next(numbers) % 5 == 4:
                raise UnavailableError("Not now.", url="")  # a turn ends with a refused commit as well
            return await submit(*arguments, **more)
        finally:
            at_once -= 1

    monkeypatch.setattr(through, "_submit", counted)
    results = await asyncio.gather(*(insert(str(number)) for number in range(20)), return_exceptions=True)
    assert sum(isinstance(each, UnavailableError) for each in results) == 4
    if database.is_sqlite:
        assert most == 1
    await check(database, own_pocketbase)
    assert len(await database.rows("note")) == 16
    assert not through._turns._lock.locked()


async def test_whatever_writes_it_is_sent(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    """Objects, statements, text, and statements beside the sessions; keys that change; rows that come and go."""
    values = {"user_id": "u", "data": {"content": {"md": "x" * 300_000}}, "meta": None}
    async with database.sessions() as session:
        session.add_all([Note(id=f"n{number}", title="ä", **values) for number in range(40)])
        await session.flush()
        await session.execute(text("UPDATE note SET title = 'b' WHERE id = 'n1'"))
        await session.execute(delete(Note).where(Note.id == "n2"))
        session.add(Note(id="gone", title="", **values))
        await session.flush()
        await session.execute(text("DELETE FROM note WHERE id = 'gone'"))
        await session.execute(text("UPDATE note SET id = 'another' WHERE id = 'n3'"))
        await session.commit()
    await check(database, own_pocketbase)
    assert len(await database.rows("note")) == 39
    async with database.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO pinned_note (id, user_id, note_id, created_at) VALUES ('p', 'u', 'n1', 1)")
        )
        await connection.execute(text("UPDATE note SET meta = '{\"b\": 1.0, \"a\": [1e3]}' WHERE id = 'n1'"))
    await check(database, own_pocketbase)
    async with database.sessions() as session:
        await session.execute(text("DELETE FROM pinned_note"))
        await session.execute(text("DELETE FROM note"))
        await session.commit()
    await check(database, own_pocketbase)
    assert await database.rows("note") == []


async def test_what_is_rolled_back_is_not_sent(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = sent(monkeypatch, mirror)
    async with database.sessions() as session:
        session.add(Note(id="a", title="a"))
        await session.flush()
        await session.rollback()
        session.add(Note(id="b", title="b"))
        with suppress(ValueError):
            async with session.begin_nested():
                session.add(Note(id="c", title="c"))
                await session.flush()
                raise ValueError
        await session.commit()
        session.add(Note(id="d", title="d"))
        await session.commit()
    assert [[row["id"] for row in body["put"]["owui_notes"]] for body in bodies] == [["b"], ["d"]]
    await check(database, own_pocketbase)


@pytest.mark.parametrize("is_more", [True, False])
@pytest.mark.parametrize("is_first", [True, False])
async def test_a_savepoint_that_is_undone(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess, is_first: bool, is_more: bool
) -> None:
    async with database.sessions() as session:
        if not is_first:
            session.add(Note(id="before", title="a"))
            await session.flush()
        with suppress(ValueError):
            async with session.begin_nested():
                session.add(Note(id="within", title="b"))
                await session.flush()
                raise ValueError
        if is_more:
            session.add(Note(id="behind", title="c"))
        await session.commit()
    await check(database, own_pocketbase)
    wanted = [name for name, there in (("before", not is_first), ("behind", is_more)) if there]
    assert sorted(row["id"] for row in await database.rows("note")) == wanted


async def test_a_row_that_somebody_else_has_changed_is_refused_with_all_others(
    mirror: Mirror, database: StockDatabase, client: PocketBaseClient, own_pocketbase: PocketBaseProcess
) -> None:
    one, two = await insert("one"), await insert("two")
    with own_pocketbase.admin() as admin:
        admin.send("PATCH", f"/api/collections/owui_notes/records/{one.id}", {"title": "theirs"})
    async with database.sessions() as session:
        await session.execute(update(Note).where(Note.id == two.id).values(title="ours"))
        await session.execute(update(Note).where(Note.id == one.id).values(title="ours"))
        with pytest.raises(ConflictError):
            await session.commit()
        await session.rollback()
    assert {row["title"] for row in await database.rows("note")} == {"one", "two"}
    assert mirror.is_behind.is_set()
    await mirror.catch_up()
    assert {row["title"] for row in await database.rows("note")} == {"theirs", "two"}
    await check(database, own_pocketbase)
    assert await Notes.update_note_by_id(one.id, NoteUpdateForm(title="ours"))
    await check(database, own_pocketbase)


async def test_what_others_changed_in_other_rows_does_not_matter(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    one, two = await insert("one"), await insert("two")
    with own_pocketbase.admin() as admin:
        admin.send("PATCH", f"/api/collections/owui_notes/records/{one.id}", {"title": "theirs"})
    assert await Notes.update_note_by_id(two.id, NoteUpdateForm(title="ours"))
    assert mirror.is_behind.is_set()
    await mirror.catch_up()
    assert {row["title"] for row in await database.rows("note")} == {"theirs", "ours"}
    await check(database, own_pocketbase)


async def test_nothing_is_committed_while_pocketbase_does_not_answer(
    through: Through,
    mirror: Mirror,
    database: StockDatabase,
    own_pocketbase: PocketBaseProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    note = await insert()

    async def silent(*_: Any, **__: Any) -> None:
        await asyncio.sleep(60)

    with monkeypatch.context() as patch:
        patch.setattr(mirror, "submit", silent)
        patch.setattr(through, "_patience", 0.1)
        async with database.sessions() as session:
            await session.execute(update(Note).values(title="b"))
            with pytest.raises(UnavailableError, match=r"within 0\.1 seconds"):
                await session.commit()
    assert [row["title"] for row in await database.rows("note")] == ["a"]
    assert await Notes.update_note_by_id(note.id, NoteUpdateForm(title="c"))
    await check(database, own_pocketbase)


async def test_pocketbase_is_right_if_the_commit_fails(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    await insert()
    engine = database.engine.sync_engine

    def fail(raw: Any) -> None:
        raw.rollback()
        raise OperationalError("COMMIT", None, Exception("the disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(engine.dialect, "do_commit", fail)
        async with database.sessions() as session:
            await session.execute(update(Note).values(title="b"))
            with pytest.raises(OperationalError):
                await session.commit()
    assert [row["title"] for row in await database.rows("note")] == ["a"]
    assert mirror.is_behind.is_set()
    await mirror.catch_up()
    assert [row["title"] for row in await database.rows("note")] == ["b"]
    await check(database, own_pocketbase)


async def test_a_commit_that_is_cancelled_is_done_or_not(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    note = await insert()
    for number in range(20):
        saving = asyncio.create_task(Notes.update_note_by_id(note.id, NoteUpdateForm(title=str(number))))
        await asyncio.sleep(0.001 * number)
        saving.cancel()
        await asyncio.wait([saving])
    await asyncio.sleep(0.1)
    await mirror.catch_up()
    await check(database, own_pocketbase)


async def test_others_cannot_write_the_tables(mirror: Mirror, database: StockDatabase) -> None:
    note = await insert()
    with pytest.raises(IntegrityError, match="takes no changes"), database.plain_engine.begin() as connection:
        connection.execute(update(Note).values(title="b"))
    assert [row["title"] for row in await database.rows("note")] == ["a"]
    assert await Notes.update_note_by_id(note.id, NoteUpdateForm(title="c"))


async def test_many_commits_at_once_leave_both_sides_equal(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    """The mirror copies meanwhile what somebody else does."""
    theirs, *notes = [await insert(str(number)) for number in range(9)]

    async def save(note: Any) -> None:
        for number in range(10):
            with suppress(OperationalError):  # SQLite: locked, as without us
                await Notes.update_note_by_id(note.id, NoteUpdateForm(title=f"{note.id} {number}"))

    async def disturb() -> None:
        path = f"/api/collections/owui_notes/records/{theirs.id}"
        with own_pocketbase.admin() as admin:
            for number in range(10):
                await asyncio.to_thread(admin.send, "PATCH", path, {"title": f"theirs {number}"})
                await mirror.catch_up()

    await asyncio.gather(disturb(), *map(save, notes))
    await mirror.catch_up()
    await check(database, own_pocketbase)
    titles = {row["id"]: row["title"] for row in await database.rows("note")}
    assert titles.pop(theirs.id) == "theirs 9"
    assert all(title.endswith(" 9") for title in titles.values()) or database.is_sqlite


async def test_an_older_page_of_the_feed_undoes_nothing(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has been read before the host wrote a row again."""
    theirs, note = await insert("theirs"), await insert("a")
    with own_pocketbase.admin() as admin:
        admin.send("PATCH", f"/api/collections/owui_notes/records/{theirs.id}", {"title": "changed"})
    assert await Notes.update_note_by_id(note.id, NoteUpdateForm(title="b"))
    read, pages = mirror.source.page, []

    async def page(cursor: str) -> Any:
        pages.append(await read(cursor))
        if len(pages) == 1:
            assert await Notes.update_note_by_id(note.id, NoteUpdateForm(title="c"))
        return pages[-1]

    monkeypatch.setattr(mirror.source, "page", page)
    await mirror.catch_up()
    assert {row["title"] for row in await database.rows("note")} == {"changed", "c"}
    await mirror.catch_up()
    await check(database, own_pocketbase)


async def test_what_somebody_else_changes_within_a_transaction_is_refused_at_its_commit(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess
) -> None:
    """Other methods of the host, within its transactions, bring the copies up to date."""
    note, other = await insert("a"), await insert("b")
    for changed in (note, other):
        with own_pocketbase.admin() as admin:
            admin.send("PATCH", f"/api/collections/owui_notes/records/{changed.id}", {"title": "theirs"})
        async with database.sessions() as session:
            await session.execute(update(Note).where(Note.id == note.id).values(title="ours"))
            token = open_transaction.set(session)
            await mirror.catch_up()
            open_transaction.reset(token)
            assert mirror.is_behind.is_set()
            with pytest.raises(ConflictError) if changed is note else nullcontext():
                await session.commit()
        await mirror.catch_up()
        titles = {row["id"]: row["title"] for row in await database.rows("note")}
        assert titles == (
            {note.id: "theirs", other.id: "b"} if changed is note else {note.id: "ours", other.id: "theirs"}
        )
        await check(database, own_pocketbase)


async def test_an_older_page_of_the_feed_waits_for_a_commit_that_is_under_way(
    mirror: Mirror, database: StockDatabase, own_pocketbase: PocketBaseProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, note = await insert("theirs"), await insert("a")
    cursor = (await mirror.source.position()).cursor
    with own_pocketbase.admin() as admin:
        admin.send("PATCH", f"/api/collections/owui_notes/records/{theirs.id}", {"title": "changed"})
    assert await Notes.update_note_by_id(note.id, NoteUpdateForm(title="b"))
    pages, read, submit = [await mirror.source.page(cursor)], mirror.source.page, mirror.submit
    is_sent, may_go_on = asyncio.Event(), asyncio.Event()

    async def page(cursor: str) -> Any:
        return pages.pop() if pages else await read(cursor)

    async def held(*arguments: Any, **more: Any) -> Any:
        reply = await submit(*arguments, **more)
        is_sent.set()
        await may_go_on.wait()
        return reply

    monkeypatch.setattr(mirror.source, "page", page)
    monkeypatch.setattr(mirror, "submit", held)
    saving = asyncio.create_task(Notes.update_note_by_id(note.id, NoteUpdateForm(title="c")))
    await is_sent.wait()
    copying = asyncio.create_task(mirror.catch_up())
    await asyncio.sleep(0.3)
    may_go_on.set()
    await asyncio.gather(saving, copying)
    assert {row["title"] for row in await database.rows("note")} == {"changed", "c"}
    await mirror.catch_up()
    await check(database, own_pocketbase)
