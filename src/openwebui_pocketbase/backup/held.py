"""Files of one moment that are kept until they are read, and the directories they are kept in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from openwebui_pocketbase.backup.links import files_below, hold
from openwebui_pocketbase.backup.partial import partial
from openwebui_pocketbase.backup.places import Places
from openwebui_pocketbase.backup.work import areas

__all__ = ["STORAGE", "Held", "working"]

STORAGE = "pocketbase/storage"


class Held:
    """Files of directories in which each is written once.

    Args:
        places: The site.
        own: The directories of links, one on the disk of each of `areas`.
    """

    def __init__(self, places: Places, own: list[Path]) -> None:
        self._trees = [
            (tree, root, (own[-1] if tree == STORAGE else own[0]) / tree.replace("/", "-"))
            for tree, root in places.trees()
        ]

    def hold(self) -> None:
        """Hold on to all that there is now; what was held before stays."""
        for _, root, held in self._trees:
            hold(root, held)

    def has(self, member: str) -> bool:
        """Tell whether a file is held, by its name in an archive."""
        return any(
            (held / member.removeprefix(f"{tree}/")).is_file()
            for tree, _, held in self._trees
            if member.startswith(f"{tree}/")
        )

    def files(self) -> Iterator[tuple[str, Path]]:
        """Give all files that are held, by their names in an archive."""
        for tree, _, held in self._trees:
            for path in files_below(held):
                yield f"{tree}/{path.relative_to(held).as_posix()}", path


@contextmanager
def working(places: Places, directory: Path) -> Iterator[tuple[Path, Held]]:
    """Give a directory for the archive in the making, and the held files; both go in any case."""
    with ExitStack() as stack:
        work, *own = (stack.enter_context(partial("backup", root)) for root in (directory, *areas(places)))
        yield work, Held(places, own)
