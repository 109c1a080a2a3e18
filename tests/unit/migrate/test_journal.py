"""The journal of a move, the report, and who may write them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.migrate.items import UNITS, Note
from openwebui_pocketbase.migrate.journal import (
    Journal,
    Report,
    ask_for_handover,
    is_handover_wanted,
    journal_lock,
)
from openwebui_pocketbase.migrate.permission import require_permission
from openwebui_pocketbase.migrate.status import states
from tests.support.memory_store import MemoryStore, tag


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert Journal.read(tmp_path) is None
    journal = Journal.begin("sql", "pb").with_groups(["tags"], to="pocketbase", state="copying")
    journal.write(tmp_path)
    assert Journal.read(tmp_path) == journal
    assert (tmp_path / "openwebui-pocketbase").stat().st_mode & 0o077 == 0


def test_the_journal_of_another_run_is_refused() -> None:
    journal = Journal.begin("sql", "pb")
    journal.require("sql", "pb")
    journal.require("sql, revision 2", "pb")
    with pytest.raises(ConfigurationError, match="--new-run"):
        journal.require("sql", "another pb")


@pytest.mark.parametrize("content", ["", "{", '{"version": 7}', "[]"])
def test_a_damaged_journal_is_named(tmp_path: Path, content: str) -> None:
    Journal.begin("sql", "pb").write(tmp_path)
    (tmp_path / "openwebui-pocketbase" / "migrate.json").write_text(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        Journal.read(tmp_path)


def test_a_report_has_what_it_was_given_by_table(tmp_path: Path) -> None:
    notes = [Note("tag", "u/a", "why", is_left_out=True), Note("user", "\ufffd", "ü")]
    report = Report(tmp_path, "pocketbase")
    assert list(report) == []
    report.write(["tag", "user"], notes)
    assert list(report) == notes
    assert report.left_out() == {"tag": {"u/a"}}
    report.write(["user"], [])
    assert list(report) == notes[:1]
    assert list(Report(tmp_path, "sqlalchemy")) == []
    assert report.path.stat().st_mode & 0o077 == 0


def test_groups_that_went_at_different_times_are_followed_from_the_first() -> None:
    journal = Journal.begin("sql", "pb")
    journal = journal.with_groups(["tags"], to="sqlalchemy", state="copied", cursor="20/update/x/y")
    journal = journal.with_groups(["chats"], to="sqlalchemy", state="copied", cursor="9/update/x/y")
    assert journal.cursor(["tags", "chats"]) == "9/update/x/y"
    assert journal.cursor(["tags"]) == "20/update/x/y"
    assert journal.with_groups(["chats"], cursor="").cursor(["tags", "chats"]) == ""


def test_two_do_not_move_at_once(tmp_path: Path) -> None:
    refused: list[bool] = []

    def try_it() -> None:
        with pytest.raises(ConfigurationError, match="Another"), journal_lock(tmp_path):
            pass
        refused.append(True)

    with journal_lock(tmp_path):
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    assert refused == [True]
    with journal_lock(tmp_path):
        pass


def test_a_handover_is_asked_for_once(tmp_path: Path) -> None:
    assert not is_handover_wanted(tmp_path)
    ask_for_handover(tmp_path)
    assert is_handover_wanted(tmp_path)
    assert not is_handover_wanted(tmp_path)


async def test_a_target_in_use_is_not_overwritten() -> None:
    journal = Journal.begin("sql", "pb")
    with pytest.raises(ConfigurationError, match="--only-missing"):
        await require_permission(
            MemoryStore("pocketbase"), [UNITS["tag"]], journal, {"tags": "pocketbase"}, replace=True
        )


async def test_rows_that_no_copy_has_made_are_not_deleted_unasked() -> None:
    target, units, in_force = MemoryStore("pocketbase", tag("theirs")), [UNITS["tag"]], {"tags": "sqlalchemy"}
    journal = Journal.begin("sql", "pb")
    with pytest.raises(ConfigurationError, match="1 rows of tag already"):
        await require_permission(target, units, journal, in_force, replace=False)
    await require_permission(target, units, journal, in_force, replace=True)
    await require_permission(
        target, units, journal.with_groups(["tags"], to="pocketbase", state="copying"), in_force, replace=False
    )
    await require_permission(MemoryStore("pocketbase"), units, journal, in_force, replace=False)


def test_each_group_has_its_state(tmp_path: Path) -> None:
    def state(backend: str) -> str:
        return states(tmp_path, {"tags": backend, "chats": "sqlalchemy"})[0].state

    assert (state("sqlalchemy"), state("pocketbase"), state("memory")) == ("sqlalchemy", "pocketbase only", "memory")
    there = Journal.begin("sql", "pb")
    there.with_groups(["tags"], to="pocketbase", state="copying").write(tmp_path)
    assert (state("sqlalchemy"), state("pocketbase")) == ("copying", "pocketbase only")
    there.with_groups(["tags"], to="pocketbase", state="copied").write(tmp_path)
    assert state("sqlalchemy") == "copied"
    there.with_groups(["tags"], to="sqlalchemy", state="copied", cursor="1/i/t/r").write(tmp_path)
    assert (state("sqlalchemy"), state("pocketbase")) == ("sqlalchemy", "pocketbase only")


def test_a_follower_shows_for_ten_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1000.0)
    entry = {"to": "pocketbase", "state": "copied", "followed_at": 995.0, "waiting": 3, "lag": 0.5}
    Journal.begin("sql", "pb").with_groups(["tags"], **entry).write(tmp_path)
    found = states(tmp_path, {"tags": "sqlalchemy"})[0]
    assert (found.state, found.waiting, found.lag) == ("following", 3, 0.5)
    monkeypatch.setattr("time.time", lambda: 1006.0)
    assert states(tmp_path, {"tags": "sqlalchemy"})[0].state == "copied"
