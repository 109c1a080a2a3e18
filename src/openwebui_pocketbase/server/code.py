"""The JavaScript that PocketBase runs: a private copy, which an upgrade of the package cannot change under it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openwebui_pocketbase.server.pocketbase import ServeOptions

__all__ = ["copy_code", "digest_of", "fingerprint"]


def copy_code(source: Path, target: Path, further: Mapping[str, str] = MappingProxyType({})) -> None:
    """Make ``target`` a copy of the files of ``source``, as it is now, with further ones: path -> text.

    PocketBase reads some files only when they are first needed; nothing must be using ``target`` now.

    Raises:
        OSError: The files cannot be read or written.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700)
    for file in _files(source):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(file, copy)  # not its mode: the package may be read-only
    for name, text in further.items():
        (target / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (target / name).write_text(text, encoding="utf-8")


def fingerprint(options: ServeOptions) -> str:
    """Return a text that is different as soon as the program, a hook or a migration is.

    Raises:
        OSError: The files cannot be read.
    """
    program = Path(options.binary).stat()
    code = (digest_of(Path(directory)) for directory in (options.hooks_dir, options.migrations_dir))
    further = hashlib.sha256(json.dumps(options.further_hooks, sort_keys=True).encode()).hexdigest()
    return " ".join([options.binary, str(program.st_ino), str(program.st_mtime_ns), *code, further])


def digest_of(directory: Path) -> str:
    """Return a text that is different as soon as a file's name or content is."""
    whole = hashlib.sha256()
    for file in _files(directory):
        whole.update(f"{file.relative_to(directory)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())
