"""``assets export``: hooks and migrations for a PocketBase that somebody else runs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

import typer

from openwebui_pocketbase import __version__
from openwebui_pocketbase.assets import HOOKS_DIR, MIGRATIONS_DIR, left_over
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.joining import join_plugins
from openwebui_pocketbase.schema.tables import files_of_plugins

__all__ = ["app", "export_assets"]

RECORD = ".openwebui-pocketbase.json"
"""Remembers what was written, so that the next version can tell its own files from others."""

app = typer.Typer(no_args_is_help=True, help="Hooks and migrations for a PocketBase server of your own.")


@app.callback()
def main() -> None:
    """Keep ``export`` a command of its own."""


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, show_default=False)],
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that were not written by us.")] = False,
) -> None:
    """Write pb_hooks and pb_migrations into DIR.

    Files of an earlier export are removed if they are as they were written; others of earlier versions are named.
    """
    join_plugins()
    try:
        written, old = export_assets(directory, force=force)
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename} cannot be written: {error.strerror}.", hint="Take another directory."
        ) from None
    typer.echo(f"{directory.absolute()} has the {written} files of openwebui-pocketbase {__version__}.")
    if old:
        typer.echo(f"Of an earlier version, and not needed any more; remove from pb_hooks: {', '.join(old)}")
    typer.echo(
        "Next:\n"
        "  1. Copy pb_hooks/owui.pb.js and the folder pb_hooks/owui into that server's pb_hooks. pb_migrations is\n"
        "     optional: Open WebUI's start makes the schema.\n"
        "  2. Make a superuser for Open WebUI there: pocketbase superuser upsert EMAIL PASSWORD\n"
        "  3. Restart the server; OWUI_KEY in its environment is optional and makes it prove its identity.\n"
        "  4. Set [pocketbase] url, identity, password and key here, and run: openwebui-pocketbase doctor\n"
        "     It names files that an earlier version has left on that server."
    )


def export_assets(directory: Path, *, force: bool) -> tuple[int, tuple[str, ...]]:
    """Write hooks and migrations, and remove those of an earlier export which are no more.

    Returns:
        The number of files of this version, and the hooks of earlier ones that are still there.

    Raises:
        ConfigurationError: A file is in the way which is not, or no longer, as we wrote it.
        OSError: The directory cannot be written to.
    """
    files = {
        f"{folder}/{source.relative_to(sources).as_posix()}": source.read_bytes()
        for folder, sources in (("pb_hooks", HOOKS_DIR), ("pb_migrations", MIGRATIONS_DIR))
        for source in sorted(sources.rglob("*"))
        if source.is_file()
    }
    files |= {f"pb_hooks/{name}": text.encode() for name, text in files_of_plugins().items()}
    earlier = _read_record(directory / RECORD)
    foreign = [name for name, content in files.items() if not _is_ours(directory / name, content, earlier.get(name))]
    if foreign and not force:
        raise ConfigurationError(
            f"These files in {directory} are not as this package wrote them: {', '.join(foreign)}.",
            hint="Take another directory, or overwrite them with --force.",
        )
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name in earlier.keys() - files.keys():
        # Two versions of a hook under two names would both be loaded.
        path = directory / name
        if path.is_file() and _digest(path.read_bytes()) == earlier[name]:
            path.unlink()
    record = {name: _digest(content) for name, content in files.items()}
    (directory / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    hooks = directory / "pb_hooks"
    there = [path.relative_to(hooks).as_posix() for path in (*hooks.glob("*.js*"), *hooks.glob("owui/**/*.js*"))]
    return len(files), left_over(there, {name.removeprefix("pb_hooks/") for name in files})


def _is_ours(path: Path, content: bytes, earlier: str | None) -> bool:
    if not path.exists():
        return True
    found = path.read_bytes()
    return found == content or _digest(found) == earlier


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_record(path: Path) -> dict[str, str]:
    try:
        values = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(values, dict):
        return {}
    # Names are joined to the directory and files of these names may be removed: none may lead out of it.
    return {
        name: digest
        for name, digest in values.items()
        if isinstance(digest, str) and ".." not in Path(name).parts and not Path(name).is_absolute()
    }
