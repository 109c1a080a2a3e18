"""Who may read the files: their owner alone, as far as the system allows that."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Owner", "make_directory", "open_private", "owner_to_become", "tighten", "tighten_tree"]

OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Owner:
    """A user and a group, by their numbers; neither needs a name."""

    uid: int
    gid: int


def tighten(path: Path) -> str:
    """Take the rights of others from a file or directory, if they have any and it is ours.

    Returns:
        Why others keep rights, or ``""``. Some systems manage the modes themselves: a volume that a container gets
        with a group, a mount that knows no modes.
    """
    try:
        found = path.lstat()
        if not found.st_mode & OTHERS or not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            return ""
        if os.geteuid() not in {0, found.st_uid}:
            return f"{path} belongs to uid {found.st_uid}"
        path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)
        return f"the file system of {path} keeps its mode" if path.lstat().st_mode & OTHERS else ""
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{path}: {error.strerror}"


def tighten_tree(root: Path) -> list[str]:
    """Take the rights of others from a directory and everything below, without following links.

    Returns:
        Why others keep rights, one entry for each file or directory of which they do.
    """
    # The directory first: what is below is then out of reach already.
    return [reason for path in (root, *_below(root)) if (reason := tighten(path))]


def _below(directory: Path) -> Iterator[Path]:
    try:
        entries = list(directory.iterdir())
    except OSError:  # not ours to read, so not ours to change; or gone by now
        return
    for entry in entries:
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _below(entry)


def owner_to_become(directory: Path) -> Owner | None:
    """Return whom root has to become to work in a directory of another user; None for everybody else.

    What root leaves there would be root's, and out of the reach of the service that runs as that user.
    """
    if os.geteuid() != 0:
        return None
    found = directory.stat()
    return Owner(found.st_uid, found.st_gid) if found.st_uid else None


def make_directory(directory: Path, mode: int = 0o777) -> None:
    """Make a directory if need be, and those above it; what root makes gets the owner of the directory above.

    Raises:
        OSError: It cannot be made, or is something else.
    """
    if directory.is_dir():
        return
    make_directory(directory.parent)
    directory.mkdir(mode, exist_ok=True)
    if (owner := owner_to_become(directory.parent)) is not None:
        os.chown(directory, owner.uid, owner.gid, follow_symlinks=False)


def open_private(path: Path, flags: int) -> int:
    """Open a file, for its owner alone if it has to be made; root's gets the owner of its directory.

    Links are not followed: a file of that name elsewhere would be read, or written, in its place.

    Returns:
        The file descriptor.

    Raises:
        OSError: The file cannot be opened.
    """
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        fd = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags | os.O_CREAT, 0o600)
    if (owner := owner_to_become(path.parent)) is not None:
        os.fchown(fd, owner.uid, owner.gid)
    return fd
