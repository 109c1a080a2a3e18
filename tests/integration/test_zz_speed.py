import time, statistics
import pytest
from open_webui.models.notes import Notes, NoteForm, NoteUpdateForm
from tests.integration.test_through import insert, Mirror, GROUPS, install_guard, Through
from tests.support.mirrors import client, database, no_sockets


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_speed(database, client):
    async def run(n=200):
        note = await insert()
        ts = []
        for i in range(n):
            t = time.perf_counter()
            await Notes.update_note_by_id(note.id, NoteUpdateForm(title=str(i), data={"content": {"md": "x" * 20000}}))
            ts.append(time.perf_counter() - t)
        return sorted(ts)[n // 10] * 1000, statistics.median(ts) * 1000

    a = await run()
    from open_webui.models.notes import Note
    from sqlalchemy import delete

    async with database.engine.begin() as c0:
        await c0.execute(delete(Note))
    m = Mirror(client, GROUPS)
    await m.start()
    await install_guard(GROUPS)
    t = Through(m, 3.0)
    t.start()
    b = await run()
    t.stop()
    await install_guard(())
    c = await run()
    # statements
    from sqlalchemy import event

    print("\nstock p10/median", a, c, "through", b)
