"""Print the PocketBase migration that brings the tables of groups to this version, and back.

Usage: python tools/generate_migration.py GROUP[,GROUP...] VERSION [--from FILE] > assets/pb_migrations/<time>_<name>.js
       python tools/generate_migration.py --describe > FILE

The first migration of a group creates its tables. A later one changes them: FILE describes what the released version
has, and is printed there (`git worktree add ../released TAG`, then `--describe` in that directory). Released migrations
are frozen. Format the result with prettier.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from openwebui_pocketbase.schema.definitions import version_statement
from openwebui_pocketbase.schema.description import OURS, Description, digest_of, digest_statement
from openwebui_pocketbase.schema.fields import NEW_TYPE, changed_types, copy_statement, index_name, replacement
from openwebui_pocketbase.schema.objects import objects_of, units

TEMPLATE = """// @ts-check
migrate(
  (app) => {{
    const found = new DynamicModel({{ version: 0 }});
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {{any}} */ (found).version >= {version}) {{
      return; // the schema was brought here, or further, over the admin API
    }}
    {up}
  }},
  (app) => {{
    {down}
  }},
);
"""

RUN = """for (const sql of {statements}) {{
      app.db().newQuery(sql).execute();
    }}"""

CREATE = """if (!app.hasTable("{name}")) {{
      app.save(new Collection({collection}));
    }} // else it was created over the admin API"""

CREATE_IN_STEPS = """if (!app.hasTable("{name}")) {{
      const collection = new Collection({first});
      app.save(collection);
      for (const step of {steps}) {{
        unmarshal(step, collection); // the columns of new fields are behind the others
        app.save(collection);
      }}
    }} // else it was created over the admin API"""

CHANGE = """{{
      const collection = app.findCollectionByNameOrId("{name}");
      {steps}
    }}"""

DELETE = 'app.delete(app.findCollectionByNameOrId("{name}"));'

SAVE = "app.save(collection);"

# A field that an administrator has removed comes back over the admin API.
ALTER = 'unmarshal({options}, collection.fields.getByName("{name}") || {{}});'

ORDER = """for (const name of "{names}".split(" ").reverse()) {{
        const field = collection.fields.getByName(name);
        if (field) {{
          collection.fields.addAt(0, field);
        }}
      }}"""


def run(statements: Iterable[str]) -> str:
    listed = list(statements)
    return RUN.format(statements=json.dumps(listed)) if listed else ""


def creation(new: Description) -> str:
    if not new.first:
        return CREATE.format(name=new.collection, collection=json.dumps(new.definition))
    first, *further = new.first
    steps = [{name: each[name] for name in ("fields", "indexes")} for each in (*further, new.definition)]
    return CREATE_IN_STEPS.format(name=new.collection, first=json.dumps(first), steps=json.dumps(steps))


Fields = dict[str, dict[str, Any]]


def alterations(before: Fields, after: Fields) -> Iterator[str]:
    """Yield the steps for fields that keep their type: only what differs, as administrators may have set the rest."""
    for name, field in after.items():
        found = before.get(name, field)
        if found == field or found["type"] != field["type"]:
            continue
        # An option that is not given is empty.
        gone = {key: type(value)() for key, value in found.items() if key not in field}
        options = gone | {key: value for key, value in field.items() if value != found.get(key)}
        yield ALTER.format(options=json.dumps(options), name=name)


def additions(before: Fields, after: Fields) -> Iterator[str]:
    """Yield the steps for new fields, and for those that take the place of a field with another type."""
    changed = changed_types(list(before.values()), list(after.values()))
    added = [field for name, field in after.items() if name not in before]
    for field in [*added, *(replacement(field) for _, field in changed.values())]:
        yield f"collection.fields.add(new Field({json.dumps(field)}));"


def change(old: Description, new: Description) -> Iterator[str]:
    """Yield the steps that change a collection."""
    before = {field["name"]: field for field in old.definition["fields"]}
    after = {field["name"]: field for field in new.definition["fields"]}
    changed = changed_types(list(before.values()), list(after.values()))
    removed = [name for name in before if name not in after]
    indexes = new.definition["indexes"]
    missing = [index for index in indexes if index not in old.definition["indexes"]]
    unwanted = [index_name(index) for index in old.definition["indexes"] if index not in indexes]
    first = [f'collection.removeIndex("{name}");' for name in unwanted]
    first += [*alterations(before, after), *additions(before, after)]
    yield from first
    if changed:
        yield SAVE
        yield run([copy_statement(new.collection, changed, new.types)])
    for name in (*changed, *removed):
        yield f'collection.fields.removeByName("{name}");'
    if changed and not missing:
        yield SAVE
    for name in changed:
        yield f'collection.fields.getByName("{name}{NEW_TYPE}").setName("{name}");'
    if missing:
        yield f"collection.indexes = [...collection.indexes, ...{json.dumps(missing)}];"
    is_arranged = not changed and [name for name in (before | after) if name in after] == list(after)
    if not is_arranged:
        yield ORDER.format(names=" ".join(after))
    if first or removed or missing or not is_arranged:
        yield SAVE


def drops_columns(old: Description, new: Description) -> bool:
    """Return whether a collection's change removes columns, those of fields with another type among them."""
    before, after = (
        {(field["name"], field["type"]) for field in description.definition["fields"]} for description in (old, new)
    )
    return not before <= after


def rows_of(descriptions: Iterable[Description], kinds: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        {"name": item.name, "sql": item.sql, "type": item.kind}
        for description in descriptions
        for item in objects_of(description)
        if item.kind in kinds
    ]


def steps(groups: list[str], old: list[Description], new: list[Description], version: int) -> str:
    """Return JavaScript that brings the tables of groups from one description to another."""
    there, wanted = ({d.collection: d for d in descriptions} for descriptions in (old, new))
    both = [name for name in wanted if name in there]
    changes = {name: list(change(there[name], wanted[name])) for name in both}
    # PocketBase cannot remove a column that a trigger names; in a migration's transaction nobody misses triggers.
    without = [name for name in both if drops_columns(there[name], wanted[name])]
    lifted = [item for name in without for item in objects_of(there[name]) if item.kind == "TRIGGER"]
    # Triggers on other groups' collections do not go with a collection that is deleted.
    elsewhere = [
        item
        for name, description in there.items()
        if name not in wanted
        for item in objects_of(description)
        if item.kind == "TRIGGER" and f" ON {name} " not in item.sql
    ]
    found = [
        *rows_of((there[name] for name in both if name not in without), ("TRIGGER",)),
        *rows_of((there[name] for name in both), ("INDEX",)),
        *rows_of(old, ("VIRTUAL TABLE",)),
    ]
    own_tables = {row["name"] for row in rows_of(new, ("TABLE",))}
    gone = [row["name"] for row in rows_of(old, ("TABLE",)) if row["name"] not in own_tables]
    result = [
        *(creation(wanted[name]) for name in wanted if name not in there),
        run(item.drop for item in lifted),
        *(CHANGE.format(name=name, steps="\n      ".join(steps)) for name, steps in changes.items() if steps),
        run(item.drop for item in elsewhere),
        *(DELETE.format(name=name) for name in reversed(there) if name not in wanted),
        run(
            [
                *(f"DROP TABLE {name}" for name in gone),
                *(statement for unit in units(new, found) for statement in unit),
                *(digest_statement(group, digest_of_group(group, new)) for group in groups),
                version_statement(version),
            ]
        ),
    ]
    return "\n    ".join(step for step in result if step)


def digest_of_group(group: str, tables: Iterable[Description]) -> str:
    """Return the digest of a group's tables; "" if there are none."""
    some = [table for table in tables if table.group == group]
    return digest_of(some) if some else ""


def migration(
    names: str, version: int, released: Iterable[Description], wanted: Iterable[Description] = OURS.tables
) -> str:
    """Return the migration of groups from one description of all tables to another."""
    groups = names.split(",")
    old, new = ([table for table in tables if table.group in groups] for tables in (released, wanted))
    up, down = steps(groups, old, new, version), steps(groups, new, old, version - 1)
    return TEMPLATE.format(version=version, up=up, down=down)


def loaded(path: Path) -> list[Description]:
    described: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return [Description(**description) for description in described]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="?")
    parser.add_argument("version", nargs="?", type=int)
    parser.add_argument("--from", dest="released", type=Path, help="what the released version has")
    parser.add_argument("--describe", action="store_true", help="print what this version has")
    arguments = parser.parse_args()
    if arguments.describe:
        print(json.dumps([asdict(description) for description in OURS.tables], indent=1))
    elif arguments.groups is None or arguments.version is None:
        parser.error("GROUP and VERSION, or --describe")
    else:
        released = loaded(arguments.released) if arguments.released else []
        print(migration(arguments.groups, arguments.version, released), end="")


if __name__ == "__main__":
    main()
