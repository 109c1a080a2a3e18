"""PocketBase's own files, where they are on our disk: a copy is then another name of the same file.

That is safe because PocketBase never writes to a file that is there: whatever replaces contents has another name, and
what deletes them removes one name.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["is_shared", "link"]


def is_shared(data_dir: Path | None, path: Path) -> bool:
    """Tell whether PocketBase can have a file of ours as its own: on the same disk, and for the same user.

    Args:
        data_dir: Directory of PocketBase's data, None if we do not see it.
        path: The file.
    """
    if data_dir is None:
        return False
    found = data_dir.stat()
    return (found.st_uid, found.st_dev) == (os.geteuid(), path.stat().st_dev)


def link(source: Path, target: Path) -> bool:
    """Give a file another name; tell whether it has it.

    Args:
        source: The file.
        target: The name, whose directory is made if need be.
    """
    try:
        for directory in reversed([each for each in target.parents if not each.exists()]):
            directory.mkdir(0o700, exist_ok=True)
        target.hardlink_to(source)
    except FileExistsError:
        return target.samefile(source)
    except OSError:  # the file is gone, or on another disk
        return False
    return True
