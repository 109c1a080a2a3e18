// @ts-check
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 10) {
      return; // the schema was brought here, or further, over the admin API
    }
    if (!app.hasTable("owui_channels")) {
      app.save(
        new Collection({
          name: "owui_channels",
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
            { name: "type", type: "text", max: 1000000000 },
            { name: "name", type: "text", max: 1000000000 },
            { name: "description", type: "text", max: 1000000000 },
            { name: "is_private", type: "bool" },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "updated_at", type: "text", max: 1000000000 },
            { name: "updated_by", type: "text", max: 1000000000 },
            { name: "archived_at", type: "text", max: 1000000000 },
            { name: "archived_by", type: "text", max: 1000000000 },
            { name: "deleted_at", type: "text", max: 1000000000 },
            { name: "deleted_by", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_channels_type` ON `owui_channels` (`type`) WHERE `type` != 'group' AND `type` != 'dm'",
            "CREATE UNIQUE INDEX `idx_owui_channels_id_nocase` ON `owui_channels` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_channel_members")) {
      app.save(
        new Collection({
          name: "owui_channel_members",
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
              name: "channel_id",
              type: "relation",
              collectionId: "pbc_105610896",
              cascadeDelete: true,
              maxSelect: 1,
            },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "app_id", type: "text", max: 1000000000 },
            { name: "role", type: "text", max: 1000000000 },
            { name: "status", type: "text", max: 1000000000 },
            { name: "is_active", type: "bool" },
            { name: "is_channel_muted", type: "bool" },
            { name: "is_channel_pinned", type: "bool" },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "invited_at", type: "text", max: 1000000000 },
            { name: "invited_by", type: "text", max: 1000000000 },
            { name: "joined_at", type: "text", max: 1000000000 },
            { name: "left_at", type: "text", max: 1000000000 },
            { name: "last_read_at", type: "text", max: 1000000000 },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "updated_at", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_channel_members_channel_id_user_id` ON `owui_channel_members` (`channel_id`, `user_id`)",
            "CREATE INDEX `idx_owui_channel_members_user_id_channel_id` ON `owui_channel_members` (`user_id`, `channel_id`)",
            "CREATE UNIQUE INDEX `idx_owui_channel_members_channel_id_app_id` ON `owui_channel_members` (`channel_id`, `app_id`) WHERE `app_id` != ''",
            "CREATE INDEX `idx_owui_channel_members_app_id` ON `owui_channel_members` (`app_id`) WHERE `app_id` != ''",
            "CREATE UNIQUE INDEX `idx_owui_channel_members_id_nocase` ON `owui_channel_members` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_channel_files")) {
      app.save(
        new Collection({
          name: "owui_channel_files",
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
            {
              name: "channel_id",
              type: "relation",
              collectionId: "pbc_105610896",
              cascadeDelete: true,
              maxSelect: 1,
            },
            { name: "message_id", type: "text", max: 1000000000 },
            { name: "file_id", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_channel_files_channel_id_file_id` ON `owui_channel_files` (`channel_id`, `file_id`)",
            "CREATE INDEX `idx_owui_channel_files_file_id` ON `owui_channel_files` (`file_id`)",
            "CREATE UNIQUE INDEX `idx_owui_channel_files_id_nocase` ON `owui_channel_files` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_channel_webhooks")) {
      app.save(
        new Collection({
          name: "owui_channel_webhooks",
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
              name: "channel_id",
              type: "relation",
              collectionId: "pbc_105610896",
              cascadeDelete: true,
              maxSelect: 1,
            },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "name", type: "text", max: 1000000000 },
            { name: "profile_image_url", type: "text", max: 1000000000 },
            { name: "token", type: "text", max: 1000000000, hidden: true },
            { name: "last_used_at", type: "text", max: 1000000000 },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "updated_at", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_channel_webhooks_channel_id` ON `owui_channel_webhooks` (`channel_id`)",
            "CREATE UNIQUE INDEX `idx_owui_channel_webhooks_id_nocase` ON `owui_channel_webhooks` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_messages")) {
      const collection = new Collection({
        name: "owui_messages",
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
          { name: "app_id", type: "text", max: 1000000000 },
          {
            name: "channel_id",
            type: "relation",
            collectionId: "pbc_105610896",
            cascadeDelete: true,
            maxSelect: 1,
          },
          { name: "reply_to_id", type: "text", max: 1000000000 },
          { name: "parent_id", type: "text", max: 1000000000 },
          { name: "is_pinned", type: "bool" },
          { name: "pinned_at", type: "text", max: 1000000000 },
          { name: "pinned_by", type: "text", max: 1000000000 },
          { name: "created_at", type: "text", max: 1000000000 },
          { name: "updated_at", type: "text", max: 1000000000 },
          { name: "waits", type: "bool" },
          { name: "doc", type: "number" },
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
            { name: "app_id", type: "text", max: 1000000000 },
            {
              name: "channel_id",
              type: "relation",
              collectionId: "pbc_105610896",
              cascadeDelete: true,
              maxSelect: 1,
            },
            { name: "reply_to_id", type: "text", max: 1000000000 },
            { name: "parent_id", type: "text", max: 1000000000 },
            { name: "is_pinned", type: "bool" },
            { name: "pinned_at", type: "text", max: 1000000000 },
            { name: "pinned_by", type: "text", max: 1000000000 },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "updated_at", type: "text", max: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "content", type: "text", max: 1000000000 },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "content_folded", type: "text", max: 1000000000 },
            { name: "waits", type: "bool" },
            { name: "doc", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_messages_channel_id_created_at` ON `owui_messages` (`channel_id`, `created_at` DESC)",
            "CREATE INDEX `idx_owui_messages_top_level` ON `owui_messages` (`channel_id`, `created_at` DESC, `user_id`) WHERE `parent_id` = '' AND (coalesce(`nulls`, 'null') = 'null' OR instr(`nulls`, '\"parent_id\"'))",
            "CREATE INDEX `idx_owui_messages_parent_id_created_at_id` ON `owui_messages` (`parent_id`, `created_at` DESC, `id` DESC)",
            "CREATE INDEX `idx_owui_messages_channel_id_pinned_at` ON `owui_messages` (`channel_id`, `pinned_at` DESC) WHERE `is_pinned` = TRUE",
            "CREATE INDEX `idx_owui_messages_by_change` ON `owui_messages` (`channel_id`, substr(updated_at, 1, 10) DESC, `id`, `user_id`)",
            "CREATE INDEX `idx_owui_messages_places` ON `owui_messages` (`doc`, `channel_id`, `created_at`, substr(updated_at, 1, 10), `id`) WHERE `doc` > 0",
            "CREATE INDEX `idx_owui_messages_not_indexed` ON `owui_messages` (`channel_id`) WHERE `doc` < 0",
            "CREATE INDEX `idx_owui_messages_waits` ON `owui_messages` (`waits`) WHERE `waits` = TRUE",
            "CREATE UNIQUE INDEX `idx_owui_messages_doc` ON `owui_messages` (`doc`) WHERE `doc` != 0",
            "CREATE UNIQUE INDEX `idx_owui_messages_id_nocase` ON `owui_messages` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_message_reactions")) {
      app.save(
        new Collection({
          name: "owui_message_reactions",
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
            {
              name: "message_id",
              type: "relation",
              collectionId: "pbc_777880240",
              cascadeDelete: true,
              maxSelect: 1,
            },
            { name: "name", type: "text", max: 1000000000 },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_message_reactions_message_id_user_id` ON `owui_message_reactions` (`message_id`, `user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_message_reactions_id_nocase` ON `owui_message_reactions` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    for (const sql of [
      "CREATE TRIGGER IF NOT EXISTS owui_channels_create AFTER INSERT ON owui_channels BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_channels', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_channels_update AFTER UPDATE ON owui_channels BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_channels', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_channels_delete AFTER DELETE ON owui_channels BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_channels', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_channel_members_create AFTER INSERT ON owui_channel_members BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_channel_members', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_channel_members_update AFTER UPDATE ON owui_channel_members BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_channel_members', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_channel_members_delete AFTER DELETE ON owui_channel_members BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_channel_members', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_channel_files_create AFTER INSERT ON owui_channel_files BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_channel_files', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_channel_files_update AFTER UPDATE ON owui_channel_files BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_channel_files', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_channel_files_delete AFTER DELETE ON owui_channel_files BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_channel_files', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_channel_webhooks_create AFTER INSERT ON owui_channel_webhooks BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_channel_webhooks', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_channel_webhooks_update AFTER UPDATE ON owui_channel_webhooks BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_channel_webhooks', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_channel_webhooks_delete AFTER DELETE ON owui_channel_webhooks BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_channel_webhooks', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_messages_search USING fts5 (text, tokenize = 'ascii', content = '', contentless_delete = 1, detail = none)",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_messages_words USING fts5vocab (owui_messages_search, instance)",
      "UPDATE owui_messages SET doc = -doc, waits = TRUE WHERE doc > 0",
      "CREATE TRIGGER IF NOT EXISTS owui_messages_update AFTER UPDATE ON owui_messages BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_messages', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_messages_search_update AFTER UPDATE OF content_folded, doc ON owui_messages WHEN OLD.content_folded IS NOT NEW.content_folded OR OLD.doc IS NOT NEW.doc BEGIN DELETE FROM owui_messages_search WHERE rowid = OLD.doc AND OLD.doc > 0; UPDATE owui_messages SET doc = -doc WHERE id = NEW.id AND doc > 0 AND doc = OLD.doc; END",
      "CREATE TRIGGER IF NOT EXISTS owui_messages_search_delete AFTER DELETE ON owui_messages BEGIN DELETE FROM owui_messages_search WHERE rowid = OLD.doc AND OLD.doc > 0; END",
      "CREATE TRIGGER IF NOT EXISTS owui_messages_create AFTER INSERT ON owui_messages BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_messages', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_messages_delete AFTER DELETE ON owui_messages BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_messages', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_message_reactions_create AFTER INSERT ON owui_message_reactions BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_message_reactions', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_message_reactions_update AFTER UPDATE ON owui_message_reactions BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_message_reactions', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_message_reactions_delete AFTER DELETE ON owui_message_reactions BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_message_reactions', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/messages', 'e9e2ebf444a572cadb304cf90a347f9f844cff51db04f248162ac50ff51b94d1')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '10')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("owui_message_reactions"));
    app.delete(app.findCollectionByNameOrId("owui_messages"));
    app.delete(app.findCollectionByNameOrId("owui_channel_webhooks"));
    app.delete(app.findCollectionByNameOrId("owui_channel_files"));
    app.delete(app.findCollectionByNameOrId("owui_channel_members"));
    app.delete(app.findCollectionByNameOrId("owui_channels"));
    for (const sql of [
      "DROP TABLE IF EXISTS owui_messages_search",
      "DROP TABLE IF EXISTS owui_messages_words",
      "DELETE FROM owui_meta WHERE key = 'digest/messages'",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '9')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
