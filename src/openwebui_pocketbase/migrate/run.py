"""One run of ``migrate copy``: what may be written, in which order, and what the journal has of it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openwebui_pocketbase.migrate.comparison import Comparison
from openwebui_pocketbase.migrate.copy import Copied, Copy
from openwebui_pocketbase.migrate.follow import Follower, Progress
from openwebui_pocketbase.migrate.items import UNITS, Note, Unit
from openwebui_pocketbase.migrate.journal import Journal, Report, is_handover_wanted
from openwebui_pocketbase.migrate.permission import require_permission
from openwebui_pocketbase.migrate.sides import POCKETBASE, SQLALCHEMY, Sides

__all__ = ["Options", "Run"]

FILES = 100
"""Files whose contents are brought back together."""

BETWEEN = 1.0
"""Seconds between two entries of a follower into the journal."""


@dataclass(frozen=True)
class Options:
    """How to copy.

    Attributes:
        follow: Whether to go on with what changes.
        replace: Whether the target loses what the source does not have, whoever made it.
        only_missing: Whether it keeps everything, and gets only what it does not have.
        stop: Whether the first row that cannot be moved ends it.
        workers: How many batches are read ahead.
        new_run: Whether another run's journal is forgotten.
        compare: Whether all is compared, though it was copied before and its changes are known.
    """

    follow: bool = False
    replace: bool = False
    only_missing: bool = False
    stop: bool = False
    workers: int = 2
    new_run: bool = False
    compare: bool = False


class Run:
    """One run.

    Args:
        sides: Both stores.
        data_dir: Open WebUI's data directory.
        units: What to copy, what others refer to first.
        in_force: Backend of each group, as the settings are.
        options: How to copy.

    Attributes:
        units: What is copied.
        source: Where it comes from.
        target: Where it goes to.
        journal: How far it is.
        left_out: Table -> keys of rows that the target did not take before this run.
        notes: What was not moved as it is.
    """

    def __init__(
        self,
        sides: Sides,
        data_dir: Path,
        units: Collection[Unit],
        in_force: Mapping[str, str],
        options: Options,
    ) -> None:
        self.units = units
        self.notes: list[Note] = []
        self.source = sides.source
        self.target = sides.target
        self._sides = sides
        self._data_dir = data_dir
        self._in_force = in_force
        self._options = options
        self._groups = sorted({unit.group for unit in units})
        self._kept: Mapping[str, Collection[str]] = {}
        self.left_out: Mapping[str, Collection[str]] = {}

    async def begin(self) -> bool:
        """Take up the journal, or begin one; return whether all was copied before, so that following is enough.

        Raises:
            ConfigurationError: The journal is of another run, or the target has what no copy has made.
        """
        sides, options = self._sides, self._options
        identities = await sides.sql.identity(), await sides.pocketbase.identity()
        found = None if options.new_run else Journal.read(self._data_dir)
        if found is not None:
            found.require(*identities)
        self.journal = found or Journal.begin(*identities)
        self._take_up_switch()
        # On the way back, what never came to the source stays at the target.
        self._kept = Report(self._data_dir, POCKETBASE).left_out() if sides.to != POCKETBASE else {}
        self.left_out = Report(self._data_dir, sides.to).left_out()
        if options.only_missing:
            return False
        await require_permission(sides.target, self.units, self.journal, self._in_force, replace=options.replace)
        entries = self.journal.entries(self._groups, sides.to)
        is_whole = len(entries) == len(self._groups) and all(entry.state == "copied" for entry in entries)
        return (
            options.follow
            and not options.compare
            and is_whole
            and await sides.is_followed(self.units, self.journal.cursor(self._groups))
        )

    def _take_up_switch(self) -> None:
        """Have the journal say what has become of groups whose switch was cut off.

        One that was moved by hand is no such group: its sides may differ.
        """
        other = {POCKETBASE: SQLALCHEMY, SQLALCHEMY: POCKETBASE}
        for group, entry in self.journal.groups.items():
            if entry.state != "switching":
                continue
            made: dict[str, Any] = {"state": "copied"}
            if self._in_force[group] == entry.to:
                made |= {"to": other[entry.to], "cursor": "", "followed_at": 0}
            self.journal = self.journal.with_groups([group], **made)

    async def copy(self) -> AsyncGenerator[Copied, None]:
        """Copy everything; give what became of it, some items at a time."""
        options, to = self._options, self._sides.to
        # PocketBase has no reading of one moment: what changes meanwhile is copied once more; see `catch_up`.
        is_noted = options.follow or to != POCKETBASE
        cursor = await self._sides.begin_to_note(self.units) if is_noted else await self._sides.end_to_note(self.units)
        self._write(to=to, state="copying", cursor="", followed_at=0)
        async with self._sides.comparison(ahead=options.workers, snapshot=True, kept=self._kept) as comparison:
            copy = self._copy(comparison)
            for unit in self.units:
                async with aclosing(copy.of_unit(unit)) as all_copied:
                    async for copied in all_copied:
                        self.notes += copied.notes
                        yield copied
                self.notes += comparison.source.skipped(unit)
        if not options.only_missing:
            Report(self._data_dir, to).write([name for unit in self.units for name in unit.tables], self.notes)
        self._write(state="copied", cursor=cursor, ended_at=time.time())

    async def index(self) -> AsyncGenerator[int, None]:
        """Have all that was copied found by searches at once; give numbers of messages."""
        if self._sides.to == POCKETBASE:
            async for number in self._sides.pocketbase.index():
                yield number

    @asynccontextmanager
    async def follower(self) -> AsyncIterator[Follower]:
        """Give what copies changes from where the journal ends."""
        async with self._sides.comparison(ahead=self._options.workers, kept=self._kept) as comparison:
            changes = self._sides.changes(self.units, self.journal.cursor(self._groups))
            yield Follower(self._copy(comparison), changes, self.units)

    async def catch_up(self) -> AsyncGenerator[Progress, None]:
        """Copy what has changed while all was copied, until nothing waits."""
        if self._options.only_missing or not (self._options.follow or self._sides.to != POCKETBASE):
            return
        async with self.follower() as follower, aclosing(follower.catch_up()) as steps:
            async for progress in steps:
                self.take(progress)
                self._note_cursor(progress)
                yield progress
        await self.bring_files_back()

    async def refresh(self) -> None:
        """On the way back, look at all files: the mirror has changed their rows in SQL, and no feed tells of that."""
        if self._sides.to == SQLALCHEMY and "files" in self._groups:
            async with self._sides.comparison(ahead=self._options.workers, kept=self._kept) as comparison:
                async for _ in self._copy(comparison).of_unit(UNITS["file"]):
                    pass

    async def bring_files_back(self) -> None:
        """On the way back, have all files lead to contents that are there without PocketBase."""
        if self._sides.to != SQLALCHEMY or "files" not in self._groups:
            return
        if keys := await self._sides.sql.files_with_contents_elsewhere():
            async with self._sides.comparison(kept=self._kept) as comparison:
                for start in range(0, len(keys), FILES):
                    await self._copy(comparison).of_keys(UNITS["file"], keys[start : start + FILES])

    async def follow(self) -> AsyncGenerator[Progress, None]:
        """Copy what changes, until another command wants to go on."""
        noted_at = 0.0
        is_indexed = False
        is_handover_wanted(self._data_dir)  # by whoever gave up before
        async with self.follower() as follower, aclosing(follower.run()) as steps:
            async for progress in steps:
                self.take(progress)
                is_indexed = is_indexed and not progress.copied
                if not (progress.waiting or is_indexed):
                    is_indexed = True
                    async for _ in self.index():
                        pass
                is_wanted = is_handover_wanted(self._data_dir)
                if is_wanted or time.monotonic() - noted_at >= BETWEEN:
                    noted_at = time.monotonic()
                    await self.bring_files_back()
                    self.note(progress)
                yield progress
                if is_wanted:
                    return

    def take(self, progress: Progress) -> None:
        """Have the report know what a follower could not carry over: it stays at the source, also on the way back."""
        notes = [note for copied in progress.copied for note in copied.notes]
        if notes:
            self.notes += notes
            Report(self._data_dir, self._sides.to).add(notes)

    def about_to_turn(self) -> None:
        """Have the journal know that it is being decided which side is used."""
        self._write(state="switching")

    def stay(self) -> None:
        """Have the journal know that it was decided against it."""
        self._write(state="copied")

    async def turn(self, cursor: str) -> None:
        """Have the journal begin the way back: the target is the one that is used from now on, and both are equal.

        Args:
            cursor: Where changes of the target begin, if that is PocketBase.
        """
        self._write(to=self.source.name, state="copied", cursor=cursor, ended_at=time.time(), followed_at=0)
        await self._sides.end_to_note(self.units)

    async def epoch(self) -> str:
        """Return what names the data in PocketBase; running workers say which they are connected to."""
        return await self._sides.pocketbase.epoch()

    async def cursor_of_target(self) -> str:
        """Return where changes of the target begin; empty if that is the SQL database."""
        return await self._sides.position() if self._sides.to == POCKETBASE else ""

    def note(self, progress: Progress) -> None:
        """Have the journal know how far a follower is."""
        self._note_cursor(progress)
        self._write(followed_at=time.time(), waiting=progress.waiting, lag=progress.lag)

    def _note_cursor(self, progress: Progress) -> None:
        if progress.cursor:
            self._write(cursor=progress.cursor)

    def _copy(self, comparison: Comparison) -> Copy:
        options = self._options
        return Copy(comparison, self._sides.contents, options.only_missing, options.stop)

    def _write(self, **changes: Any) -> None:
        """Change the entries of the groups in the journal; a copy of what is missing is no part of any move."""
        if not self._options.only_missing:
            self.journal = self.journal.with_groups(self._groups, **changes)
            self.journal.write(self._data_dir)
