// @ts-check

// The configuration, and a version of it that changes with it.
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 14) {
      return; // the schema was brought here, or further, over the admin API
    }
    if (!app.hasTable("owui_config")) {
      app.save(
        new Collection({
          name: "owui_config",
          type: "base",
          listRule: null,
          viewRule: null,
          createRule: null,
          updateRule: null,
          deleteRule: null,
          fields: [
            {
              name: "id",
              type: "text",
              primaryKey: true,
              required: true,
              system: true,
              pattern: "^[a-z0-9]+$",
              min: 15,
              max: 32,
              autogeneratePattern: "[a-z0-9]{32}",
            },
            { name: "key", type: "text", max: 1000000000 },
            { name: "value", type: "json", maxSize: 1000000000, hidden: true },
            { name: "updated_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: ["CREATE UNIQUE INDEX `idx_owui_config_key` ON `owui_config` (`key`)"],
        }),
      );
    } // else it was created over the admin API
    for (const sql of [
      "CREATE TRIGGER IF NOT EXISTS owui_config_create AFTER INSERT ON owui_config BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_config', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), ''); END",
      "CREATE TRIGGER IF NOT EXISTS owui_config_update AFTER UPDATE ON owui_config BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_config', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), ''); END",
      "CREATE TRIGGER IF NOT EXISTS owui_config_delete AFTER DELETE ON owui_config BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_config', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), ''); END",
      "CREATE TRIGGER IF NOT EXISTS owui_config_version_insert AFTER INSERT ON owui_config BEGIN DELETE FROM owui_meta WHERE key = 'config'; INSERT INTO owui_meta (key, value) VALUES ('config', lower(hex(randomblob(8)))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_config_version_update AFTER UPDATE ON owui_config BEGIN DELETE FROM owui_meta WHERE key = 'config'; INSERT INTO owui_meta (key, value) VALUES ('config', lower(hex(randomblob(8)))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_config_version_delete AFTER DELETE ON owui_config BEGIN DELETE FROM owui_meta WHERE key = 'config'; INSERT INTO owui_meta (key, value) VALUES ('config', lower(hex(randomblob(8)))); END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/config', 'a9df9322a0fcce67980937e4483dd088031c97ecf2dfeb21832c451b23957ff5')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '14')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("owui_config"));
    for (const sql of [
      "DELETE FROM owui_meta WHERE key = 'config'",
      "DELETE FROM owui_meta WHERE key = 'digest/config'",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '13')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
