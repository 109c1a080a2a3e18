"""Which copy this is, and how far it has come: a file in Open WebUI's data directory, always whole."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TextIO

from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.last_start import JOURNAL
from openwebui_pocketbase.migrate.items import Note
from openwebui_pocketbase.server.locks import FileLock

__all__ = ["Entry", "Journal", "Report", "State", "ask_for_handover", "is_handover_wanted", "journal_lock"]

DIRECTORY, FILE = JOURNAL.split("/")
REPORT = "migrate-report-{to}.jsonl"
LOCK = ".owui-migrate.lock"
HANDOVER = "migrate.handover"
REVISION = ", revision "
"""What comes before the revision in the identity of an SQL database."""

State = Literal["copying", "copied", "switching"]


@dataclass(frozen=True)
class Entry:
    """How far a group is.

    Attributes:
        to: Backend that it is copied to.
        state: Whether all was copied; ``switching`` while it is decided that the target is used.
        cursor: Where the changes that were not applied yet begin, if the source is PocketBase; empty if nobody knows.
        ended_at: When all was copied last, seconds since 1970; 0 if that has not happened yet.
        followed_at: When changes were applied last; 0 if nothing is followed.
        waiting: How many changes waited then.
        lag: For how many seconds there had never been none waiting.
    """

    to: str
    state: State
    cursor: str = ""
    ended_at: float = 0
    followed_at: float = 0
    waiting: int = 0
    lag: float = 0


@dataclass(frozen=True)
class Journal:
    """What is copied between two stores; see `Entry`.

    Attributes:
        run: Names it.
        sql: Identity of the SQL database.
        pocketbase: Identity of PocketBase.
        groups: Group -> how far it is.
    """

    run: str
    sql: str
    pocketbase: str
    groups: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def begin(cls, sql: str, pocketbase: str) -> Journal:
        """Return the journal of a new run."""
        return cls(secrets.token_hex(8), sql, pocketbase)

    @classmethod
    def read(cls, data_dir: Path) -> Journal | None:
        """Return the journal of a data directory, if it has one.

        Raises:
            ConfigurationError: It is damaged, or of a later version.
        """
        path = data_dir / DIRECTORY / FILE
        try:
            values = json.loads(path.read_bytes())
            groups = {group: Entry(**entry) for group, entry in values.pop("groups").items()}
            return cls(**values, groups=groups)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ConfigurationError(
                f"The journal {path} is damaged, or of another version.",
                hint="Remove it, and copy again: what is there already is only compared.",
            ) from None

    def write(self, data_dir: Path) -> None:
        """Replace the journal of a data directory; whenever this is cut off, the old or the new one is there."""
        directory = _directory(data_dir)
        temporary = directory / f"{FILE}.new"
        with _private(temporary) as file:
            json.dump(asdict(self), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(directory / FILE)

    def with_groups(self, groups: Collection[str], **changes: Any) -> Journal:
        """Return it with other values of the entries of some groups; ``to`` and ``state`` make new ones."""
        made = {
            group: replace(self.groups[group], **changes) if group in self.groups else Entry(**changes)
            for group in groups
        }
        return replace(self, groups={**self.groups, **made})

    def entries(self, groups: Collection[str], to: str) -> list[Entry]:
        """Return the entries of those of the groups that are copied to a backend."""
        found = [self.groups[group] for group in groups if group in self.groups]
        return [entry for entry in found if entry.to == to]

    def cursor(self, groups: Collection[str]) -> str:
        """Return where the changes of some groups begin that were not applied yet; empty if nobody knows."""
        cursors = [self.groups[group].cursor for group in groups]
        return min(cursors, key=lambda cursor: int(cursor.partition("/")[0] or 0), default="")

    def require(self, sql: str, pocketbase: str) -> None:
        """Refuse to go on between other stores; a later revision of the SQL database's schema is no other one.

        Raises:
            ConfigurationError: They are others.
        """
        here, there = sql.partition(REVISION)[0], pocketbase
        if (self.sql.partition(REVISION)[0], self.pocketbase) == (here, there):
            return
        raise ConfigurationError(
            f"The journal is of another copy: between {self.sql} and {self.pocketbase}. This one is between {sql} and"
            f" {pocketbase}.",
            hint="If that one is over, forget it with: openwebui-pocketbase migrate copy --new-run",
        )


class Report:
    """The rows that could not be moved as they are: one JSON object per line, in a file beside the journal.

    Args:
        data_dir: Open WebUI's data directory.
        to: Backend that they were to be copied to.
    """

    def __init__(self, data_dir: Path, to: str) -> None:
        self.path = data_dir / DIRECTORY / REPORT.format(to=to)

    def write(self, tables: Collection[str], notes: Iterable[Note]) -> None:
        """Replace what the report has of some tables."""
        others = [note for note in self if note.table not in tables]
        _directory(self.path.parent.parent)
        temporary = self.path.with_suffix(".new")
        with _private(temporary) as file:
            file.writelines(json.dumps(asdict(note)) + "\n" for note in (*others, *notes))
        temporary.replace(self.path)

    def add(self, notes: Iterable[Note]) -> None:
        """Add notes of rows that are not in the report yet."""
        known = list(self)
        if new := [note for note in notes if note not in known]:
            self.write((), new)

    def left_out(self) -> dict[str, set[str]]:
        """Return the keys of the rows that the last copy has left out, by table."""
        keys: dict[str, set[str]] = {}
        for note in self:
            if note.is_left_out:
                keys.setdefault(note.table, set()).add(note.key)
        return keys

    def __iter__(self) -> Iterator[Note]:
        """Give what the last copy has noted."""
        with contextlib.suppress(FileNotFoundError), self.path.open(encoding="utf-8") as file:
            yield from (Note(**json.loads(line)) for line in file)


@contextmanager
def journal_lock(data_dir: Path) -> Iterator[None]:
    """Be the only one who moves anything of a data directory.

    Raises:
        ConfigurationError: Somebody else is at it.
    """
    if (lock := FileLock.take(data_dir / LOCK)) is None:
        raise ConfigurationError(
            "Another `migrate` command is running on this data directory.",
            hint="Wait for its end, or stop it: it can be taken up again.",
        )
    with lock:
        yield


def ask_for_handover(data_dir: Path) -> None:
    """Ask the command that follows changes to end, so that another one can go on."""
    (_directory(data_dir) / HANDOVER).touch()


def is_handover_wanted(data_dir: Path) -> bool:
    """Return whether somebody asked for it since the last time."""
    path = data_dir / DIRECTORY / HANDOVER
    if not path.exists():
        return False
    path.unlink(missing_ok=True)
    return True


def _private(path: Path) -> TextIO:
    """Open a file to write it anew; nobody else can read it."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")


def _directory(data_dir: Path) -> Path:
    directory = data_dir / DIRECTORY
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory
