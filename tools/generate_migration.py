"""Print the PocketBase migration that creates a declared table; migrations are frozen once released.

Usage: python tools/generate_migration.py TABLE VERSION > assets/pb_migrations/<time>_<group>.js
"""

from __future__ import annotations

import json
import sys

from openwebui_pocketbase.schema.definitions import change_triggers, collection, version_statement
from openwebui_pocketbase.schema.tables import TABLES

TEMPLATE = """// @ts-check
migrate(
  (app) => {{
    if (!app.hasTable("{name}")) {{
      app.save(new Collection({collection}));
    }} // else it was created over the admin API
    for (const sql of {statements}) {{
      app.db().newQuery(sql).execute();
    }}
  }},
  (app) => {{
    app.delete(app.findCollectionByNameOrId("{name}"));
    app.db().newQuery("{previous}").execute();
  }},
);
"""


def main(table_name: str, version: int) -> None:
    definition = collection(TABLES[table_name])
    print(
        TEMPLATE.format(
            collection=json.dumps(definition),
            statements=json.dumps([*change_triggers(definition["name"]), version_statement(version)]),
            name=definition["name"],
            previous=version_statement(version - 1),
        ),
        end="",
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
