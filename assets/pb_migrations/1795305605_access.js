// @ts-check
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 6) {
      return; // the schema was brought here, or further, over the admin API
    }
    if (!app.hasTable("owui_access_grants")) {
      app.save(
        new Collection({
          name: "owui_access_grants",
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
              pattern: "^[a-z0-9-]+$",
              min: 1,
              max: 100,
              autogeneratePattern: "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
            },
            { name: "resource_type", type: "text", max: 1000000000 },
            { name: "resource_id", type: "text", max: 1000000000 },
            { name: "principal_type", type: "text", max: 1000000000 },
            { name: "principal_id", type: "text", max: 1000000000 },
            { name: "permission", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_access_grants_resource_type_resource_id_principal_type_principal_id_permission` ON `owui_access_grants` (`resource_type`, `resource_id`, `principal_type`, `principal_id`, `permission`)",
            "CREATE INDEX `idx_owui_access_grants_principal_type_principal_id` ON `owui_access_grants` (`principal_type`, `principal_id`)",
            "CREATE UNIQUE INDEX `idx_owui_access_grants_id_nocase` ON `owui_access_grants` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    for (const sql of [
      "CREATE TRIGGER IF NOT EXISTS owui_access_grants_create AFTER INSERT ON owui_access_grants BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_access_grants', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_access_grants_update AFTER UPDATE ON owui_access_grants BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_access_grants', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_access_grants_delete AFTER DELETE ON owui_access_grants BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_access_grants', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/access', '3dd5845387a1109d5f8f774e27ec1792b800bb070dceb228acd3a75f5b5a0802')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '6')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("owui_access_grants"));
    for (const sql of [
      "DELETE FROM owui_meta WHERE key = 'digest/access'",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '5')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
