// @ts-check
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 8) {
      return; // the schema was brought here, or further, over the admin API
    }
    if (!app.hasTable("owui_models")) {
      const collection = new Collection({
        name: "owui_models",
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
          { name: "user_id", type: "text", max: 1000000000 },
          { name: "base_model_id", type: "text", max: 1000000000 },
          { name: "name", type: "text", max: 1000000000 },
          { name: "version_id", type: "text", max: 1000000000 },
          { name: "is_active", type: "bool" },
          { name: "updated_at", type: "number" },
          { name: "created_at", type: "number" },
          { name: "base_model_id_folded", type: "text", max: 1000000000 },
          { name: "name_folded", type: "text", max: 1000000000 },
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
              pattern: "^[a-z0-9]+$",
              min: 15,
              max: 32,
              autogeneratePattern: "[a-z0-9]{32}",
            },
            { name: "key", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "base_model_id", type: "text", max: 1000000000 },
            { name: "name", type: "text", max: 1000000000 },
            { name: "version_id", type: "text", max: 1000000000 },
            { name: "is_active", type: "bool" },
            { name: "updated_at", type: "number" },
            { name: "created_at", type: "number" },
            { name: "params", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "base_model_id_folded", type: "text", max: 1000000000 },
            { name: "name_folded", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_models_key` ON `owui_models` (`key`)",
            "CREATE INDEX `idx_owui_models_created_at` ON `owui_models` (`created_at`)",
            "CREATE INDEX `idx_owui_models_user_id` ON `owui_models` (`user_id`)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_model_histories")) {
      const collection = new Collection({
        name: "owui_model_histories",
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
          { name: "model_id", type: "text", max: 1000000000 },
          { name: "parent_id", type: "text", max: 1000000000 },
          { name: "user_id", type: "text", max: 1000000000 },
          { name: "commit_message", type: "text", max: 1000000000 },
          { name: "created_at", type: "number" },
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
            { name: "model_id", type: "text", max: 1000000000 },
            { name: "parent_id", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "commit_message", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "snapshot", type: "json", maxSize: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_model_histories_model_id_created_at_id` ON `owui_model_histories` (`model_id`, `created_at` DESC, `id` DESC)",
            "CREATE INDEX `idx_owui_model_histories_model_id_parent_id` ON `owui_model_histories` (`model_id`, `parent_id`)",
            "CREATE UNIQUE INDEX `idx_owui_model_histories_id_nocase` ON `owui_model_histories` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    for (const sql of [
      "CREATE TRIGGER IF NOT EXISTS owui_models_create AFTER INSERT ON owui_models BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_models', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_models_update AFTER UPDATE ON owui_models BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_models', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_models_delete AFTER DELETE ON owui_models BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_models', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_model_histories_create AFTER INSERT ON owui_model_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_model_histories', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_model_histories_update AFTER UPDATE ON owui_model_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_model_histories', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_model_histories_delete AFTER DELETE ON owui_model_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_model_histories', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/models', '5ba7d22b269745c0dd80fa65c27041437c6a137bac53c18dad272a68bd2be0d7')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '8')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("owui_model_histories"));
    app.delete(app.findCollectionByNameOrId("owui_models"));
    for (const sql of [
      "DELETE FROM owui_meta WHERE key = 'digest/models'",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '7')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
