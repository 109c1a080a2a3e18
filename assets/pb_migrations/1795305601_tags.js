// @ts-check
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 2) {
      return; // the schema was brought here, or further, over the admin API
    }
    if (!app.hasTable("owui_tags")) {
      app.save(
        new Collection({
          name: "owui_tags",
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
            { name: "name", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: ["CREATE UNIQUE INDEX `idx_owui_tags_user_id_key` ON `owui_tags` (`user_id`, `key`)"],
        }),
      );
    } // else it was created over the admin API
    for (const sql of [
      "CREATE TRIGGER IF NOT EXISTS owui_tags_create AFTER INSERT ON owui_tags BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_tags', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_tags_update AFTER UPDATE ON owui_tags BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_tags', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_tags_delete AFTER DELETE ON owui_tags BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_tags', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/tags', 'f7b9bda856c2fbe8caf63f8d15530c144d5676efae34c6a38cba642b02213f6e')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '2')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("owui_tags"));
    for (const sql of [
      "DELETE FROM owui_meta WHERE key = 'digest/tags'",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '1')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
