"""``init``: a config file with every setting, made from the settings themselves."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from openwebui_pocketbase.config_file import CONFIG_FILE
from openwebui_pocketbase.exceptions import ConfigurationError
from openwebui_pocketbase.settings import GROUPS, Settings, environment_names

__all__ = ["init", "template"]

WIDTH = 100
HEADER = """\
# Settings of openwebui-pocketbase.
#
# Looked for: the file that OPENWEBUI_POCKETBASE_CONFIG names, else openwebui-pocketbase.toml in Open WebUI's
# data directory, else in the working directory. The variable after each description wins over this file.
# Lines like "#name = value" show defaults; lines like "# name = ..." show what has none.
"""
IN_FORCE = {("storage_backend",): "pocketbase"}
"""What a new file sets; everything else is only shown."""


def init(
    path: Annotated[Path, typer.Option(dir_okay=False, help="File to write.")] = Path(CONFIG_FILE),
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Write a config file that shows every setting."""
    creation = os.O_TRUNC if force else os.O_EXCL
    try:
        # It may get a password, so it is private from the first moment.
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | creation, 0o600)
    except FileExistsError:
        raise ConfigurationError(f"{path} exists already.", hint="Overwrite it with --force.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        os.fchmod(fd, 0o600)
        file.write(template())
    typer.echo(f"Wrote {path}. It moves every group of data to PocketBase; edit it to choose otherwise.")


def template() -> str:
    """Return the text of a new config file."""
    variables = {keys: name for name, keys in environment_names().items()}
    return "\n".join([HEADER, *_section(Settings, (), variables)])


def _section(model: type[BaseModel], path: tuple[str, ...], variables: dict[tuple[str, ...], str]) -> Iterator[str]:
    tables: list[Iterator[str]] = []  # TOML wants them after the values
    for name, field in model.model_fields.items():
        keys = (*path, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            tables.append(_table(keys, field.annotation.__doc__ or "", _section(field.annotation, keys, variables)))
        elif keys == ("groups",):
            examples = (f'# {group} = "pocketbase"  # {variables[*keys, group]}' for group in GROUPS)
            tables.append(_table(keys, field.description or "", [*examples, ""]))
        else:
            yield from _setting(keys, field, variables[keys])
    for table in tables:
        yield from table


def _table(keys: tuple[str, ...], description: str, lines: Iterator[str] | list[str]) -> Iterator[str]:
    yield from _comment(description)
    yield f"[{'.'.join(keys)}]"
    yield from lines


def _setting(keys: tuple[str, ...], field: FieldInfo, variable: str) -> Iterator[str]:
    yield from _comment(f"{field.description} ({variable})")
    if keys in IN_FORCE:
        yield f"{keys[-1]} = {_toml(IN_FORCE[keys])}"
    elif field.default is None:
        yield f"# {keys[-1]} = ..."
    else:
        yield f"#{keys[-1]} = {_toml(field.default)}"
    yield ""


def _comment(text: str) -> Iterator[str]:
    yield from (f"# {line}" for line in textwrap.wrap(text.replace("``", "`"), WIDTH, break_on_hyphens=False))


def _toml(value: Any) -> str:
    # Strings, numbers and booleans are written in TOML as in JSON.
    return json.dumps(value)
