// @ts-check
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 5) {
      return; // the schema was brought here, or further, over the admin API
    }
    if (!app.hasTable("owui_groups")) {
      app.save(
        new Collection({
          name: "owui_groups",
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
            { name: "parent_group_id", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "name", type: "text", max: 1000000000 },
            { name: "description", type: "text", max: 1000000000 },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "permissions", type: "json", maxSize: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "name_folded", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_groups_parent_group_id` ON `owui_groups` (`parent_group_id`)",
            "CREATE INDEX `idx_owui_groups_name` ON `owui_groups` (`name`)",
            "CREATE UNIQUE INDEX `idx_owui_groups_id_nocase` ON `owui_groups` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_group_members")) {
      app.save(
        new Collection({
          name: "owui_group_members",
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
            {
              name: "group_id",
              type: "relation",
              collectionId: "pbc_2909622784",
              cascadeDelete: true,
              maxSelect: 1,
            },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_group_members_group_id_user_id` ON `owui_group_members` (`group_id`, `user_id`)",
            "CREATE INDEX `idx_owui_group_members_user_id_group_id` ON `owui_group_members` (`user_id`, `group_id`)",
            "CREATE UNIQUE INDEX `idx_owui_group_members_id_nocase` ON `owui_group_members` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    for (const sql of [
      "CREATE TRIGGER IF NOT EXISTS owui_groups_create AFTER INSERT ON owui_groups BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_groups', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_groups_update AFTER UPDATE ON owui_groups BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_groups', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_groups_delete AFTER DELETE ON owui_groups BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_groups', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_group_members_create AFTER INSERT ON owui_group_members BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_group_members', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_group_members_update AFTER UPDATE ON owui_group_members BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_group_members', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_group_members_delete AFTER DELETE ON owui_group_members BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_group_members', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/groups', '222366cd7b4c9c4c682118569677935e50c3d65c7e1c108de355771b97133e58')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '5')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("owui_group_members"));
    app.delete(app.findCollectionByNameOrId("owui_groups"));
    for (const sql of [
      "DELETE FROM owui_meta WHERE key = 'digest/groups'",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '4')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
