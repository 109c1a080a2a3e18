"""Print the PocketBase migration that creates a group's tables; migrations are frozen once released.

Usage: python tools/generate_migration.py GROUP VERSION > assets/pb_migrations/<time>_<group>.js
"""

from __future__ import annotations

import json
import sys

from openwebui_pocketbase.schema.definitions import change_triggers, collection, version_statement
from openwebui_pocketbase.schema.tables import TABLES

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
    app.db().newQuery("{previous}").execute();
  }},
);
"""

CREATE = """if (!app.hasTable("{name}")) {{
      app.save(new Collection({collection}));
    }} // else it was created over the admin API"""


def main(group: str, version: int) -> None:
    definitions = [collection(table) for table in TABLES.values() if table.group == group]
    triggers = [statement for definition in definitions for statement in change_triggers(definition["name"])]
    print(
        TEMPLATE.format(
            create="\n    ".join(CREATE.format(name=d["name"], collection=json.dumps(d)) for d in definitions),
            statements=json.dumps([*triggers, version_statement(version)]),
            delete="\n    ".join(f'app.delete(app.findCollectionByNameOrId("{d["name"]}"));' for d in definitions),
            previous=version_statement(version - 1),
        ),
        end="",
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
