"""Keeping files that are written once, although others may delete them; and following symbolic links."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from openwebui_pocketbase.backup.names import printable

__all__ = ["files_below", "hold", "notes_of_links", "size_of"]

LISTED = 5
"""So many names are in a note."""


def hold(root: Path, held: Path) -> None:
    """Link every file below a directory into another one, but for those that are linked there already.

    A link costs no room, and a file that has one stays when its own name is removed. Where links are not to be had,
    files are copied.

    Args:
        root: The directory; nothing is done if there is none.
        held: Where to, on the same disk.
    """
    for path in files_below(root):
        link = held / path.relative_to(root)
        if link.exists():
            continue
        link.parent.mkdir(0o700, parents=True, exist_ok=True)
        try:
            os.link(os.path.realpath(path) if path.is_symlink() else path, link, follow_symlinks=False)
        except FileNotFoundError:
            continue  # deleted meanwhile
        except OSError:
            try:
                shutil.copy2(path, link)
            except FileNotFoundError:
                continue


def files_below(root: Path, *, follow: bool = True) -> Iterator[Path]:
    """Give the files below a directory, in order; nothing but files and directories is looked at.

    Args:
        root: The directory.
        follow: Whether what symbolic links lead to counts, as for whoever opens a file by such a path.
    """
    yield from _files_below(str(root), (os.path.realpath(root),), follow=follow)


def notes_of_links(trees: Iterable[tuple[str, Path]]) -> list[str]:
    """Tell what symbolic links are in directories: a restore makes files of them.

    Args:
        trees: Name in an archive, and directory.
    """
    found: dict[bool, list[str]] = {True: [], False: []}
    for tree, root in trees:
        for path, leads in _links_below(str(root)):
            found[leads].append(printable(f"{tree}/{Path(path).relative_to(root).as_posix()}"))
    texts = {
        True: "Symbolic links, of which it has what they lead to",
        False: "Symbolic links to nothing, not in it",
    }
    return [f"{texts[leads]}: {_listed(names)}." for leads, names in found.items() if names]


def size_of(path: Path, *, follow: bool = True) -> int:
    """Return the size of a file, or of all files below a directory; of what is gone by now, nothing."""
    if path.is_file():
        return path.stat().st_size
    total = 0
    for file in files_below(path, follow=follow):
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            continue
    return total


def _files_below(root: str, above: tuple[str, ...], *, follow: bool) -> Iterator[Path]:
    for entry in _entries(root):
        if entry.is_symlink() and not follow:
            continue
        mode = _mode_of(entry)
        if stat.S_ISREG(mode):
            yield Path(entry.path)
        elif stat.S_ISDIR(mode):
            real = os.path.realpath(entry.path) if entry.is_symlink() else f"{above[-1]}/{entry.name}"
            if real not in above:  # else it leads to where it is
                yield from _files_below(entry.path, (*above, real), follow=follow)


def _links_below(root: str) -> Iterator[tuple[str, bool]]:
    for entry in _entries(root):
        if entry.is_symlink():
            mode = _mode_of(entry)
            yield entry.path, stat.S_ISREG(mode) or stat.S_ISDIR(mode)
        elif entry.is_dir():
            yield from _links_below(entry.path)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _entries(root: str) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(root), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _mode_of(entry: os.DirEntry[str]) -> int:
    """Return what an entry, or what it leads to, is; 0 if that is nothing."""
    try:
        return entry.stat().st_mode
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            return 0
        raise
