"""Objects that depend on PostgreSQL's tables: they would go with these, and a dump of one schema lacks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openwebui_pocketbase.backup.names import printable
from openwebui_pocketbase.backup.psql import ask
from openwebui_pocketbase.exceptions import UnchangedError

if TYPE_CHECKING:
    from openwebui_pocketbase.backup.places import Database

__all__ = ["DEPENDENTS", "require_no_dependents"]

MOST_NAMED = 30

DEPENDENTS = """
WITH RECURSIVE gone (classid, objid, objsubid) AS (
    SELECT own.classid, own.objid, 0
    FROM (
      SELECT 'pg_class'::regclass, c.oid, c.relnamespace FROM pg_class c
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      UNION ALL
      SELECT 'pg_proc'::regclass, p.oid, p.pronamespace FROM pg_proc p WHERE p.prokind IN ('f', 'p')
      UNION ALL
      SELECT 'pg_type'::regclass, t.oid, t.typnamespace FROM pg_type t WHERE t.typtype IN ('e', 'd')
    ) AS own (classid, objid, namespace) JOIN pg_namespace n ON n.oid = own.namespace
    WHERE n.nspname = current_setting('owui.schema') AND NOT EXISTS (
      SELECT 1 FROM pg_depend d WHERE d.classid = own.classid AND d.objid = own.objid AND d.deptype = 'e')
  UNION
    SELECT found.* FROM gone, LATERAL (
      SELECT d.classid::regclass, d.objid, d.objsubid FROM pg_depend d
      WHERE d.refclassid = gone.classid AND d.refobjid = gone.objid AND gone.objsubid IN (0, d.refobjsubid)
        AND d.deptype IN ('n', 'a', 'i', 'P', 'S')
      UNION ALL
      SELECT d.refclassid::regclass, d.refobjid, d.refobjsubid FROM pg_depend d
      WHERE d.classid = gone.classid AND d.objid = gone.objid AND d.deptype = 'i'
    ) AS found
)
SELECT o.type || ' ' || o.identity FROM gone g, pg_identify_object(g.classid, g.objid, g.objsubid) o
WHERE NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE d.classid = g.classid AND d.objid = g.objid AND d.deptype = 'i')
  AND o.type NOT LIKE '%view column' AND coalesce(o.schema, '') NOT LIKE 'pg_toast%'
  AND quote_ident(current_setting('owui.schema')) IS DISTINCT FROM coalesce(o.schema, (
    SELECT max(c.relnamespace::regnamespace::text) FROM pg_depend d JOIN pg_class c ON c.oid = d.refobjid
    WHERE d.classid = g.classid AND d.objid = g.objid AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a'
      AND g.classid <> 'pg_publication_rel'::regclass))
ORDER BY 1
"""
"""What DROP ... CASCADE of everything in the schema would drop outside of it.

A view hangs on the table by its rule, hence the way up from a part to its whole, whose parts are not listed.
Triggers, policies, defaults and rules have no schema but that of their table. A publication's entry is outside.
"""


def require_no_dependents(database: Database) -> None:
    """Look whether others have made something of the tables that cannot stay when these are replaced.

    Raises:
        UnchangedError: They have.
    """
    found = [printable(line) for line in ask(database, f"{DEPENDENTS};").splitlines()]
    if found:
        more = f" and {len(found) - MOST_NAMED:,} more" if len(found) > MOST_NAMED else ""
        raise UnchangedError(
            "Outside of Open WebUI's tables there is what depends on them, and it would be lost with them:"
            f" {', '.join(found[:MOST_NAMED])}{more}.",
            hint="Keep its definitions (pg_dump --schema-only), drop what is named here (not the table of a constraint,"
            " or of a default), run this again, and make it again afterwards. The database is as it was.",
        )
