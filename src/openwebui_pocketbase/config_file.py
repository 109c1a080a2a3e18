"""The config file: where it is looked for, whether it can be trusted, and what is in it."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit

from openwebui_pocketbase.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CONFIG_FILE",
    "CONFIG_VARIABLE",
    "PREFIX",
    "config_files",
    "find_config_file",
    "is_open_to_all",
    "read_config_file",
    "replace_file",
    "with_backends",
    "write_backends",
]

CONFIG_FILE = "openwebui-pocketbase.toml"
PREFIX = "OPENWEBUI_POCKETBASE_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"


def find_config_file(data_dir: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the config file in force, or None; see `config_files`."""
    return next(iter(config_files(data_dir, environ)), None)


def config_files(data_dir: Path | None, environ: Mapping[str, str]) -> list[Path]:
    """Return every config file that there is, the one in force first; the others are ignored.

    Args:
        data_dir: Open WebUI's data directory.
        environ: The environment variables that apply.

    Raises:
        ConfigurationError: The file that ``OPENWEBUI_POCKETBASE_CONFIG`` names does not exist; the data directory
            cannot be searched; or the file in force is in the working directory and may be a stranger's.
    """
    named = environ.get(CONFIG_VARIABLE)
    found = [_named(Path(named).expanduser())] if named else []
    if data_dir is not None:
        try:
            found += _in(data_dir)
        except OSError as error:
            raise ConfigurationError(
                f"The data directory {data_dir} cannot be searched for {CONFIG_FILE}: {error.strerror}.",
                hint="Run this as the user who runs Open WebUI, or correct DATA_DIR.",
            ) from None
    # A working directory that is gone, or closed to this user, has settings for nobody.
    with contextlib.suppress(OSError):
        local = _in(Path.cwd())
        if local and not found:
            _refuse_foreign(local[0])
        found += local
    return [path for number, path in enumerate(found) if not any(path.samefile(other) for other in found[:number])]


def read_config_file(path: Path) -> dict[str, Any]:
    """Return what is in a config file, unchecked.

    Raises:
        ConfigurationError: It cannot be read, or is no TOML.
    """
    try:
        # Editors on Windows put a byte order mark in front, which TOML does not know.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"Cannot read the config file {path}: {error}.",
            hint="Correct it, or write a new one with: openwebui-pocketbase init",
        ) from None


def with_backends(text: str, backends: Mapping[str, str]) -> str:
    """Return the text of a config file with other backends of some groups; all else stays, comments as well."""
    document = tomlkit.parse(text.removeprefix("\ufeff"))
    section = document.setdefault("groups", tomlkit.table())
    for group, backend in backends.items():
        section[group] = backend
    return tomlkit.dumps(document)


def write_backends(path: Path, backends: Mapping[str, str]) -> None:
    """Have a config file name other backends of some groups; it is made if there is none.

    Raises:
        OSError: It cannot be written.
    """
    before = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    after = with_backends(before, backends)
    if after != before:
        replace_file(path, after)


def replace_file(path: Path, text: str) -> None:
    """Write a config file: at any time the old or the new one is there; a new one is private.

    Raises:
        OSError: It cannot be written.
    """
    path = path.resolve()  # of a link what it leads to
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600
    fd, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(fd, "w", encoding="utf-8", newline="") as file:
            os.fchmod(fd, mode)
            file.write(text)
            file.flush()
            os.fsync(fd)
        try:
            Path(temporary).replace(path)
        except OSError:
            path.write_bytes(text.encode())  # a file that is mounted by itself cannot be replaced
    finally:
        Path(temporary).unlink(missing_ok=True)


def is_open_to_all(path: Path) -> bool:
    """Tell whether every user of the machine can write a file."""
    return bool(path.stat().st_mode & stat.S_IWOTH)


def _named(path: Path) -> Path:
    try:
        problem = "" if path.is_file() else "is not a file"
    except OSError as error:
        problem = f"cannot be looked at: {error.strerror}"
    if problem:
        raise ConfigurationError(
            f"{CONFIG_VARIABLE} names {path}, which {problem}.",
            hint="Correct the path, or create the file with: openwebui-pocketbase init",
        )
    return path


def _in(directory: Path) -> list[Path]:
    path = directory / CONFIG_FILE
    return [path] if path.is_file() else []


def _refuse_foreign(path: Path) -> None:
    """Refuse a file that somebody else may have put into the working directory: it names programs and servers.

    To ignore it would be as wrong: if it is the administrator's own, all data would silently go elsewhere.
    """
    status = path.stat()
    if os.name == "posix" and status.st_uid not in (0, os.geteuid()):
        problem = f"belongs to the user {status.st_uid}"
    elif is_open_to_all(path):
        problem = "can be written by every user"
    else:
        return
    raise ConfigurationError(
        f"The config file {path} was found in the working directory and {problem}, who would decide which program runs"
        " and where the data go.",
        hint=f"If it is yours, name it in {CONFIG_VARIABLE}, move it to Open WebUI's data directory, or correct its"
        " owner and mode. If it is not, start in another directory.",
    )
