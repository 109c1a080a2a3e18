// @ts-check

// Tables of our own beside the collections: versions, the change feed and the answers of writes already made.
migrate(
  (app) => {
    for (const sql of [
      "CREATE TABLE IF NOT EXISTS owui_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
      "INSERT OR IGNORE INTO owui_meta (key, value) VALUES ('epoch', lower(hex(randomblob(16))))",
      "CREATE TABLE IF NOT EXISTS owui_changes (seq INTEGER PRIMARY KEY, collection TEXT NOT NULL, record_id TEXT NOT NULL, op TEXT NOT NULL, at INTEGER NOT NULL)",
      "CREATE TABLE IF NOT EXISTS owui_idempotency (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID",
      "INSERT OR IGNORE INTO owui_meta (key, value) VALUES ('schema', '1')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    for (const table of ["owui_idempotency", "owui_changes", "owui_meta"]) {
      app.db().newQuery(`DROP TABLE ${table}`).execute();
    }
  },
);
