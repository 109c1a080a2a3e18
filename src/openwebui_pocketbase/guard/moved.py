"""The SQL tables of groups that are in PocketBase."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from openwebui_pocketbase.catalog import CATALOG, Group
from openwebui_pocketbase.exceptions import MovedTableError
from openwebui_pocketbase.schema.tables import TABLES

__all__ = ["MovedTable", "moved_tables"]

NAMES = {"access": "access grants"}
"""What a group's rows are called, where that is not its name."""

COMMANDS = {"users": " For passwords and roles there is: openwebui-pocketbase user."}
"""What people do in SQL without Open WebUI, and how they do it now."""


@dataclass(frozen=True)
class MovedTable:
    """An SQL table whose rows are in PocketBase.

    Attributes:
        name: The host's name of it.
        group: The group of data it belongs to.
        mirrored: Whether it has a copy of the rows, which may be read.
        through: Whether Open WebUI writes it through: with its commit PocketBase gets the rows.
        repository: Dotted name of the host's repository, which has the rows wherever they are.
    """

    name: str
    group: str
    mirrored: bool
    through: bool
    repository: str

    @property
    def rows(self) -> str:
        """What the group's rows are called."""
        return NAMES.get(self.group, self.group)

    @property
    def refusal(self) -> str:
        """What the database says to a writer: one line, without characters that SQL would have to quote."""
        return (
            f"openwebui-pocketbase: {self.rows} are in PocketBase, so the SQL table {self.name} takes no changes."
            " Start Open WebUI with openwebui-pocketbase and the settings that it had (openwebui-pocketbase doctor"
            " shows what is missing), or go back to SQL with openwebui-pocketbase leave. To let changes through:"
            f" openwebui-pocketbase guard remove.{COMMANDS.get(self.group, '')}"
        )

    def error(self, *, writes: bool, caller: str) -> MovedTableError:
        """Return the error of a statement in this process.

        Args:
            writes: Whether the statement writes the table.
            caller: Where it was executed.
        """
        done = "changed" if writes else "read"
        table = "a copy that only openwebui-pocketbase changes" if self.mirrored else "not where their rows are"
        return MovedTableError(
            f"openwebui-pocketbase: {caller} would have {done} the SQL table {self.name}. But {self.rows} are in"
            f" PocketBase, and this table is {table}.",
            hint=(
                f"Use {self.repository}, which has the rows wherever they are. To let such statements through with a"
                ' warning: tripwire = "warn".'
            ),
        )


def moved_tables(groups: Collection[str]) -> dict[str, MovedTable]:
    """Return the SQL tables of groups in PocketBase, by name."""
    return {
        name: MovedTable(
            name,
            group,
            mirrored=name in TABLES and TABLES[name].mirrored,
            through=name in TABLES and TABLES[name].through,
            repository=_repository_of(CATALOG[group], name),
        )
        for group in groups
        for name in CATALOG[group].tables
    }


def _repository_of(group: Group, table: str) -> str:
    specs = (spec for spec in group.all_repositories if table in spec.tables)
    return next((f"{spec.module}.{spec.name}" for spec in specs), "the code of the plugin that the table belongs to")
