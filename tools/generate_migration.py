"""Print the PocketBase migration that creates a group's tables; migrations are frozen once released.

Usage: python tools/generate_migration.py GROUP VERSION > assets/pb_migrations/<time>_<group>.js
"""

from __future__ import annotations

import json
import sys

from openwebui_pocketbase.schema.definitions import (
    collection,
    drops_of,
    small_collection,
    statements_of,
    version_statement,
)
from openwebui_pocketbase.schema.tables import TABLES, Table

TEMPLATE = """// @ts-check
migrate(
  (app) => {{
    {create}
    for (const sql of {statements}) {{
      app.db().newQuery(sql).execute();
    }}
  }},
  (app) => {{
    {delete}
    for (const sql of {undo}) {{
      app.db().newQuery(sql).execute();
    }}
  }},
);
"""

CREATE = """if (!app.hasTable("{name}")) {{
      app.save(new Collection({collection}));
    }} // else it was created over the admin API"""

CREATE_IN_TWO_STEPS = """if (!app.hasTable("{name}")) {{
      const collection = new Collection({small});
      app.save(collection);
      unmarshal({rest}, collection); // the columns of new fields are behind the others
      app.save(collection);
    }} // else it was created over the admin API"""


def creation(table: Table) -> str:
    definition, small = collection(table), small_collection(table)
    if small is None:
        return CREATE.format(name=table.collection, collection=json.dumps(definition))
    rest = {name: definition[name] for name in ("fields", "indexes")}
    return CREATE_IN_TWO_STEPS.format(name=table.collection, small=json.dumps(small), rest=json.dumps(rest))


def main(group: str, version: int) -> None:
    tables = [table for table in TABLES.values() if table.group == group]
    names = [table.collection for table in reversed(tables)]  # those with relations to others go first
    triggers = [statement for table in tables for statement in statements_of(table)]
    print(
        TEMPLATE.format(
            create="\n    ".join(creation(table) for table in tables),
            statements=json.dumps([*triggers, version_statement(version)]),
            delete="\n    ".join(f'app.delete(app.findCollectionByNameOrId("{name}"));' for name in names),
            undo=json.dumps([*(drop for table in tables for drop in drops_of(table)), version_statement(version - 1)]),
        ),
        end="",
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
