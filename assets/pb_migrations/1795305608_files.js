// @ts-check
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 9) {
      return; // the schema was brought here, or further, over the admin API
    }
    if (!app.hasTable("owui_files")) {
      const collection = new Collection({
        name: "owui_files",
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
          { name: "user_id", type: "text", max: 1000000000 },
          { name: "hash", type: "text", max: 1000000000 },
          { name: "filename", type: "text", max: 1000000000 },
          { name: "path", type: "text", max: 1000000000 },
          { name: "created_at", type: "number" },
          { name: "updated_at", type: "number" },
          { name: "meta", type: "json", maxSize: 1000000000 },
          { name: "filename_folded", type: "text", max: 1000000000 },
          { name: "pending", type: "bool" },
          { name: "contents", type: "file", maxSelect: 1, maxSize: 1099511627776, protected: true },
          { name: "sha256", type: "text", max: 1000000000 },
          { name: "nulls", type: "json", maxSize: 1000000000 },
          { name: "created", type: "autodate", onCreate: true, onUpdate: false },
          { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
        ],
        indexes: [],
      });
      app.save(collection);
      unmarshal(
        {
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
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "hash", type: "text", max: 1000000000 },
            { name: "filename", type: "text", max: 1000000000 },
            { name: "path", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "filename_folded", type: "text", max: 1000000000 },
            { name: "pending", type: "bool" },
            { name: "contents", type: "file", maxSelect: 1, maxSize: 1099511627776, protected: true },
            { name: "sha256", type: "text", max: 1000000000 },
            { name: "text", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_files_user_id_updated_at_id` ON `owui_files` (`user_id`, `updated_at` DESC, `id` DESC) WHERE `pending` = FALSE",
            "CREATE INDEX `idx_owui_files_updated_at_id` ON `owui_files` (`updated_at` DESC, `id` DESC) WHERE `pending` = FALSE",
            "CREATE INDEX `idx_owui_files_created_at_id` ON `owui_files` (`created_at` DESC, `id` DESC) WHERE `pending` = FALSE",
            "CREATE INDEX `idx_owui_files_user_id_created_at_id` ON `owui_files` (`user_id`, `created_at` DESC, `id` DESC) WHERE `pending` = FALSE",
            "CREATE INDEX `idx_owui_files_pending` ON `owui_files` (`pending`) WHERE `pending` = TRUE",
            "CREATE UNIQUE INDEX `idx_owui_files_id_nocase` ON `owui_files` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    for (const sql of [
      "CREATE TRIGGER IF NOT EXISTS owui_files_create AFTER INSERT ON owui_files BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_files', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_files_update AFTER UPDATE ON owui_files BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_files', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_files_delete AFTER DELETE ON owui_files BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_files', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/files', '18c258ff983eb60a612f53bf8f3ac2aa692e4b16162d91b88543b7359d666f43')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '9')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("owui_files"));
    for (const sql of [
      "DELETE FROM owui_meta WHERE key = 'digest/files'",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '8')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
