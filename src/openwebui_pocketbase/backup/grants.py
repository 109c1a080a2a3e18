"""Rights on PostgreSQL's tables: they are the server's, which has the roles, and no part of an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openwebui_pocketbase.backup.psql import ask

if TYPE_CHECKING:
    from pathlib import Path

    from openwebui_pocketbase.backup.places import Database

__all__ = ["given_again", "keep_grants"]

_GRANTS = """
SELECT coalesce(json_agg(json_build_object('name', format('%I.%I', n.nspname, c.relname), 'grants', ARRAY(
  SELECT format('GRANT %s%s ON %s%I.%I TO %s%s', e.privilege_type, given.columns,
    CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END, n.nspname, c.relname,
    CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE e.grantee::regrole::text END,
    CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM (
    SELECT c.relacl, ''
    UNION ALL
    SELECT a.attacl, format(' (%I)', a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
  ) AS given (acl, columns), aclexplode(given.acl) AS e
  WHERE e.grantee <> c.relowner
))), '[]')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_setting('owui.schema') AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f');
"""

_AGAIN = """
DO $$
DECLARE each record; given text;
BEGIN
  FOR each IN SELECT k.* FROM json_to_recordset(current_setting('owui.grants')::json) AS k (name text, grants json)
    WHERE to_regclass(k.name) IS NOT NULL
  LOOP
    -- New tables have what ALTER DEFAULT PRIVILEGES gives, which may have been taken from the old ones.
    FOR given IN SELECT DISTINCT CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE e.grantee::regrole::text END
      FROM pg_class c, aclexplode(c.relacl) AS e WHERE c.oid = to_regclass(each.name) AND e.grantee <> c.relowner
    LOOP
      EXECUTE format('REVOKE ALL ON %s FROM %s', each.name, given);
    END LOOP;
    FOR given IN SELECT * FROM json_array_elements_text(each.grants) LOOP
      BEGIN
        EXECUTE given;
      EXCEPTION WHEN undefined_object OR undefined_column OR wrong_object_type THEN
        NULL; -- of a role that was dropped since, or a column that the archive has not
      END;
    END LOOP;
  END LOOP;
END $$;
"""


def keep_grants(database: Database, dump: Path) -> None:
    """Write who may do what with the tables beside the dump of them."""
    _beside(dump).write_text(ask(database, _GRANTS), encoding="utf-8")


def given_again(dump: Path) -> str:
    """Return statements that give these rights on tables that have replaced those of then.

    Args:
        dump: The dump beside which they were kept.
    """
    path = _beside(dump)
    if not path.exists():  # a version that did not keep them has begun this
        return ""
    kept = path.read_text(encoding="utf-8").replace("'", "''")
    return f"SELECT set_config('owui.grants', '{kept}', true);\n{_AGAIN}"


def _beside(dump: Path) -> Path:
    return dump.with_name(f"{dump.name}.grants")
