// @ts-check
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 3) {
      return; // the schema was brought here, or further, over the admin API
    }
    if (!app.hasTable("owui_folders")) {
      const collection = new Collection({
        name: "owui_folders",
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
          { name: "name", type: "text", max: 1000000000 },
          { name: "items", type: "json", maxSize: 1000000000 },
          { name: "meta", type: "json", maxSize: 1000000000 },
          { name: "data", type: "json", maxSize: 1000000000 },
          { name: "is_expanded", type: "bool" },
          { name: "created_at", type: "number" },
          { name: "updated_at", type: "number" },
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
            {
              name: "parent_id",
              type: "relation",
              collectionId: "pbc_2926551640",
              cascadeDelete: false,
              maxSelect: 1,
            },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "name", type: "text", max: 1000000000 },
            { name: "items", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "is_expanded", type: "bool" },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_folders_user_id_parent_id` ON `owui_folders` (`user_id`, `parent_id`)",
            "CREATE INDEX `idx_owui_folders_parent_id` ON `owui_folders` (`parent_id`)",
            "CREATE UNIQUE INDEX `idx_owui_folders_id_nocase` ON `owui_folders` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    for (const sql of [
      "CREATE TRIGGER IF NOT EXISTS owui_folders_create AFTER INSERT ON owui_folders BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_folders', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_folders_update AFTER UPDATE ON owui_folders BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_folders', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_folders_delete AFTER DELETE ON owui_folders BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_folders', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/folders', 'ee894328675b66d70ef596e6b86e37949e1ae859235b0a8431a9c7b47eeb0d99')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '3')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("owui_folders"));
    for (const sql of [
      "DELETE FROM owui_meta WHERE key = 'digest/folders'",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '2')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
