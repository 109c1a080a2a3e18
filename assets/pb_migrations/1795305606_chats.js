// @ts-check
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 7) {
      return; // the schema was brought here, or further, over the admin API
    }
    if (!app.hasTable("owui_chats")) {
      const collection = new Collection({
        name: "owui_chats",
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
          { name: "title", type: "text", max: 1000000000 },
          { name: "created_at", type: "number" },
          { name: "updated_at", type: "number" },
          { name: "last_read_at", type: "number" },
          { name: "share_id", type: "text", max: 1000000000 },
          { name: "archived", type: "bool" },
          { name: "pinned", type: "bool" },
          { name: "folder_id", type: "text", max: 1000000000 },
          { name: "current_message_id", type: "text", max: 1000000000 },
          { name: "timer_at", type: "text", max: 1000000000 },
          { name: "summary", type: "text", max: 1000000000 },
          { name: "meta", type: "json", maxSize: 1000000000 },
          { name: "variables", type: "json", maxSize: 1000000000 },
          { name: "title_folded", type: "text", max: 1000000000 },
          { name: "version", type: "number" },
          { name: "tidy", type: "bool" },
          {
            name: "tags",
            type: "relation",
            collectionId: "pbc_3263010548",
            cascadeDelete: false,
            maxSelect: 1000000000,
          },
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
            { name: "title", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "last_read_at", type: "number" },
            { name: "share_id", type: "text", max: 1000000000 },
            { name: "archived", type: "bool" },
            { name: "pinned", type: "bool" },
            { name: "folder_id", type: "text", max: 1000000000 },
            { name: "current_message_id", type: "text", max: 1000000000 },
            { name: "timer_at", type: "text", max: 1000000000 },
            { name: "summary", type: "text", max: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "variables", type: "json", maxSize: 1000000000 },
            { name: "tasks", type: "json", maxSize: 1000000000 },
            { name: "chat", type: "json", maxSize: 1000000000 },
            { name: "title_folded", type: "text", max: 1000000000 },
            { name: "version", type: "number" },
            { name: "tidy", type: "bool" },
            {
              name: "tags",
              type: "relation",
              collectionId: "pbc_3263010548",
              cascadeDelete: false,
              maxSelect: 1000000000,
            },
            { name: "legacy_folded", type: "text", max: 1000000000 },
            { name: "doc", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_chats_user_id_updated_at_id` ON `owui_chats` (`user_id`, `updated_at` DESC, `id`)",
            "CREATE INDEX `idx_owui_chats_user_id_folder_id_archived_updated_at_last_read_at_id` ON `owui_chats` (`user_id`, `folder_id`, `archived`, `updated_at`, `last_read_at`, `id`)",
            "CREATE INDEX `idx_owui_chats_folder_id_updated_at_id` ON `owui_chats` (`folder_id`, `updated_at` DESC, `id`)",
            "CREATE UNIQUE INDEX `idx_owui_chats_share_id` ON `owui_chats` (`share_id`) WHERE `share_id` != ''",
            "CREATE INDEX `idx_owui_chats_user_id_pinned` ON `owui_chats` (`user_id`, `pinned`) WHERE `pinned` = TRUE",
            "CREATE INDEX `idx_owui_chats_user_id_archived` ON `owui_chats` (`user_id`, `archived`) WHERE `archived` = TRUE",
            "CREATE INDEX `idx_owui_chats_timer_at` ON `owui_chats` (`timer_at`) WHERE `timer_at` != ''",
            "CREATE INDEX `idx_owui_chats_user_id_timer_at` ON `owui_chats` (`user_id`, `timer_at`) WHERE `timer_at` != ''",
            "CREATE UNIQUE INDEX `idx_owui_chats_doc` ON `owui_chats` (`doc`) WHERE `doc` != 0",
            "CREATE UNIQUE INDEX `idx_owui_chats_id_nocase` ON `owui_chats` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_chat_messages")) {
      const collection = new Collection({
        name: "owui_chat_messages",
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
          {
            name: "chat_id",
            type: "relation",
            collectionId: "pbc_1159228149",
            cascadeDelete: true,
            maxSelect: 1,
          },
          { name: "user_id", type: "text", max: 1000000000 },
          { name: "role", type: "text", max: 1000000000 },
          { name: "parent_id", type: "text", max: 1000000000 },
          { name: "model_id", type: "text", max: 1000000000 },
          { name: "done", type: "bool" },
          { name: "created_at", type: "number" },
          { name: "updated_at", type: "number" },
          { name: "context_summary", type: "text", max: 1000000000 },
          { name: "usage", type: "json", maxSize: 1000000000 },
          { name: "position", type: "number" },
          { name: "has_row", type: "bool" },
          { name: "waits", type: "bool" },
          { name: "same", type: "json", maxSize: 1000000000 },
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
              pattern: "^[a-z0-9]+$",
              min: 15,
              max: 32,
              autogeneratePattern: "[a-z0-9]{32}",
            },
            { name: "key", type: "text", max: 1000000000 },
            {
              name: "chat_id",
              type: "relation",
              collectionId: "pbc_1159228149",
              cascadeDelete: true,
              maxSelect: 1,
            },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "role", type: "text", max: 1000000000 },
            { name: "parent_id", type: "text", max: 1000000000 },
            { name: "model_id", type: "text", max: 1000000000 },
            { name: "done", type: "bool" },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "context_summary", type: "text", max: 1000000000 },
            { name: "usage", type: "json", maxSize: 1000000000 },
            { name: "content", type: "json", maxSize: 1000000000 },
            { name: "output", type: "json", maxSize: 1000000000 },
            { name: "files", type: "json", maxSize: 1000000000 },
            { name: "sources", type: "json", maxSize: 1000000000 },
            { name: "embeds", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "status_history", type: "json", maxSize: 1000000000 },
            { name: "error", type: "json", maxSize: 1000000000 },
            { name: "position", type: "number" },
            { name: "has_row", type: "bool" },
            { name: "waits", type: "bool" },
            { name: "same", type: "json", maxSize: 1000000000 },
            { name: "entry", type: "json", maxSize: 1000000000 },
            { name: "content_folded", type: "text", max: 1000000000 },
            { name: "doc", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_chat_messages_key` ON `owui_chat_messages` (`key`)",
            "CREATE INDEX `idx_owui_chat_messages_chat_id_position` ON `owui_chat_messages` (`chat_id`, `position`)",
            "CREATE INDEX `idx_owui_chat_messages_waits` ON `owui_chat_messages` (`waits`) WHERE `waits` = TRUE",
            "CREATE INDEX `idx_owui_chat_messages_chat_id` ON `owui_chat_messages` (`chat_id`) WHERE `has_row` = TRUE AND `role` = 'assistant' AND `done` = FALSE",
            "CREATE INDEX `idx_owui_chat_messages_user_id_created_at` ON `owui_chat_messages` (`user_id`, `created_at`) WHERE `has_row` = TRUE",
            "CREATE INDEX `idx_owui_chat_messages_model_id_created_at` ON `owui_chat_messages` (`model_id`, `created_at`) WHERE `has_row` = TRUE",
            "CREATE INDEX `idx_owui_chat_messages_created_at` ON `owui_chat_messages` (`created_at`) WHERE `has_row` = TRUE",
            "CREATE UNIQUE INDEX `idx_owui_chat_messages_doc` ON `owui_chat_messages` (`doc`) WHERE `doc` != 0",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_shared_chats")) {
      const collection = new Collection({
        name: "owui_shared_chats",
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
          { name: "chat_id", type: "text", max: 1000000000 },
          { name: "user_id", type: "text", max: 1000000000 },
          { name: "title", type: "text", max: 1000000000 },
          { name: "created_at", type: "number" },
          { name: "updated_at", type: "number" },
          { name: "title_folded", type: "text", max: 1000000000 },
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
            { name: "chat_id", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "title", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "chat", type: "json", maxSize: 1000000000 },
            { name: "title_folded", type: "text", max: 1000000000 },
            { name: "text_folded", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_shared_chats_chat_id_updated_at` ON `owui_shared_chats` (`chat_id`, `updated_at`)",
            "CREATE INDEX `idx_owui_shared_chats_user_id_updated_at` ON `owui_shared_chats` (`user_id`, `updated_at`)",
            "CREATE UNIQUE INDEX `idx_owui_shared_chats_id_nocase` ON `owui_shared_chats` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_chat_files")) {
      app.save(
        new Collection({
          name: "owui_chat_files",
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
            { name: "chat_id", type: "text", max: 1000000000 },
            { name: "message_id", type: "text", max: 1000000000 },
            { name: "file_id", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_chat_files_chat_id_file_id` ON `owui_chat_files` (`chat_id`, `file_id`)",
            "CREATE INDEX `idx_owui_chat_files_file_id` ON `owui_chat_files` (`file_id`)",
            "CREATE UNIQUE INDEX `idx_owui_chat_files_id_nocase` ON `owui_chat_files` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    for (const sql of [
      "CREATE TABLE IF NOT EXISTS owui_chat_tags (user_id TEXT NOT NULL, tag TEXT NOT NULL, chat_id TEXT NOT NULL, PRIMARY KEY (user_id, tag, chat_id)) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_chat_locks (chat_id TEXT PRIMARY KEY, token TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_chats_search USING fts5 (text, tokenize = 'trigram', content = '', contentless_delete = 1, detail = none)",
      "UPDATE owui_chats SET doc = -doc WHERE doc > 0",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_update AFTER UPDATE ON owui_chats WHEN NEW.updated IS NOT OLD.updated OR (NEW.meta IS OLD.meta AND NEW.tags IS OLD.tags) BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_chats', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_search_create AFTER INSERT ON owui_chats BEGIN INSERT INTO owui_chats_search (rowid, text) SELECT NEW.doc, NEW.title_folded || char(30) || NEW.legacy_folded WHERE NEW.doc > 0; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_search_update AFTER UPDATE OF title_folded, legacy_folded, doc ON owui_chats WHEN OLD.title_folded || char(30) || OLD.legacy_folded IS NOT NEW.title_folded || char(30) || NEW.legacy_folded OR OLD.doc IS NOT NEW.doc BEGIN DELETE FROM owui_chats_search WHERE rowid = OLD.doc AND OLD.doc > 0; INSERT INTO owui_chats_search (rowid, text) SELECT NEW.doc, NEW.title_folded || char(30) || NEW.legacy_folded WHERE NEW.doc > 0; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_search_delete AFTER DELETE ON owui_chats BEGIN DELETE FROM owui_chats_search WHERE rowid = OLD.doc AND OLD.doc > 0; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_create AFTER INSERT ON owui_chats BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_chats', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_delete AFTER DELETE ON owui_chats BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_chats', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE INDEX IF NOT EXISTS idx_owui_chat_tags_chat_id ON owui_chat_tags (chat_id)",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_tags_create AFTER INSERT ON owui_chats BEGIN INSERT OR IGNORE INTO owui_chat_tags (user_id, tag, chat_id) SELECT c.user_id, j.value, c.id FROM owui_chats c CROSS JOIN json_each(iif(json_valid(c.meta), c.meta, 'null'), '$.tags') j WHERE c.id = NEW.id AND j.type = 'text' AND NOT json_extract(iif(json_valid(c.meta), c.meta, 'null'), '$.internal') IS 1; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_tags_update AFTER UPDATE OF meta, user_id ON owui_chats WHEN OLD.meta IS NOT NEW.meta OR OLD.user_id IS NOT NEW.user_id BEGIN DELETE FROM owui_chat_tags WHERE chat_id = OLD.id; INSERT OR IGNORE INTO owui_chat_tags (user_id, tag, chat_id) SELECT c.user_id, j.value, c.id FROM owui_chats c CROSS JOIN json_each(iif(json_valid(c.meta), c.meta, 'null'), '$.tags') j WHERE c.id = NEW.id AND j.type = 'text' AND NOT json_extract(iif(json_valid(c.meta), c.meta, 'null'), '$.internal') IS 1; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_tags_delete AFTER DELETE ON owui_chats BEGIN DELETE FROM owui_chat_tags WHERE chat_id = OLD.id; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_tags_related AFTER INSERT ON owui_chats WHEN NEW.tags IS NOT '[]' OR json_type(iif(json_valid(NEW.meta), NEW.meta, 'null'), '$.tags') IS NOT NULL BEGIN UPDATE owui_chats SET meta = json_set(iif(json_type(iif(json_valid(NEW.meta), NEW.meta, 'null')) = 'object', NEW.meta, '{}'), '$.tags', json(w.tags)) FROM (SELECT (SELECT '[' || coalesce(group_concat(item, ','), '') || ']' FROM (SELECT 0 AS part, j.key AS place, NEW.meta -> j.fullkey AS item FROM json_each(iif(json_type(iif(json_valid(NEW.meta), NEW.meta, 'null'), '$.tags') = 'array', NEW.meta, 'null'), '$.tags') j WHERE j.type != 'text' OR NOT EXISTS (SELECT 1 FROM owui_tags t WHERE t.user_id = NEW.user_id AND t.key = j.value AND instr('[]', '\"' || t.id || '\"') AND NOT instr(NEW.tags, '\"' || t.id || '\"')) UNION ALL SELECT 1, min(a.key), json_quote(t.key) FROM json_each(iif(json_valid(NEW.tags), NEW.tags, '[]')) a CROSS JOIN owui_tags t ON t.id = a.value WHERE t.user_id = NEW.user_id AND NOT instr('[]', '\"' || t.id || '\"') AND t.key NOT IN (SELECT j.value FROM json_each(iif(json_type(iif(json_valid(NEW.meta), NEW.meta, 'null'), '$.tags') = 'array', NEW.meta, 'null'), '$.tags') j WHERE j.type = 'text') GROUP BY t.id ORDER BY part, place)) AS tags WHERE NEW.tags IS NOT '[]' AND CASE json_type(iif(json_valid(NEW.meta), NEW.meta, 'null')) WHEN 'object' THEN coalesce(json_type(NEW.meta, '$.tags'), 'array') = 'array' ELSE iif(json_valid(NEW.meta), NEW.meta, 'null') IN ('null', '[]', '\"\"', '0', 'false') END AND NOT json_extract(iif(json_valid(NEW.meta), NEW.meta, 'null'), '$.internal') IS 1) w WHERE id = NEW.id AND w.tags IS NOT coalesce(iif(json_valid(NEW.meta), NEW.meta, 'null') -> '$.tags', '[]'); UPDATE owui_chats SET tags = w.tags FROM (SELECT c.id, (SELECT json_group_array(id) FROM (SELECT t.id, min(j.key) AS place FROM json_each(iif(json_type(iif(json_valid(c.meta), c.meta, 'null'), '$.tags') = 'array', c.meta, 'null'), '$.tags') j CROSS JOIN owui_tags t ON t.user_id = c.user_id AND t.key = j.value WHERE j.type = 'text' AND NOT json_extract(iif(json_valid(c.meta), c.meta, 'null'), '$.internal') IS 1 GROUP BY t.id ORDER BY place)) AS tags FROM owui_chats c WHERE c.id = NEW.id) w WHERE owui_chats.id = w.id AND owui_chats.tags IS NOT w.tags; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_tags_relate AFTER UPDATE OF meta, tags, user_id ON owui_chats WHEN OLD.meta IS NOT NEW.meta OR OLD.tags IS NOT NEW.tags OR OLD.user_id IS NOT NEW.user_id BEGIN INSERT INTO owui_changes (collection, record_id, op, at) SELECT 'owui_chats', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER) WHERE NOT (NEW.updated IS NOT OLD.updated OR (NEW.meta IS OLD.meta AND NEW.tags IS OLD.tags)); UPDATE owui_chats SET meta = json_set(iif(json_type(iif(json_valid(NEW.meta), NEW.meta, 'null')) = 'object', NEW.meta, '{}'), '$.tags', json(w.tags)) FROM (SELECT (SELECT '[' || coalesce(group_concat(item, ','), '') || ']' FROM (SELECT 0 AS part, j.key AS place, NEW.meta -> j.fullkey AS item FROM json_each(iif(json_type(iif(json_valid(NEW.meta), NEW.meta, 'null'), '$.tags') = 'array', NEW.meta, 'null'), '$.tags') j WHERE j.type != 'text' OR NOT EXISTS (SELECT 1 FROM owui_tags t WHERE t.user_id = NEW.user_id AND t.key = j.value AND instr(OLD.tags, '\"' || t.id || '\"') AND NOT instr(NEW.tags, '\"' || t.id || '\"')) UNION ALL SELECT 1, min(a.key), json_quote(t.key) FROM json_each(iif(json_valid(NEW.tags), NEW.tags, '[]')) a CROSS JOIN owui_tags t ON t.id = a.value WHERE t.user_id = NEW.user_id AND NOT instr(OLD.tags, '\"' || t.id || '\"') AND t.key NOT IN (SELECT j.value FROM json_each(iif(json_type(iif(json_valid(NEW.meta), NEW.meta, 'null'), '$.tags') = 'array', NEW.meta, 'null'), '$.tags') j WHERE j.type = 'text') GROUP BY t.id ORDER BY part, place)) AS tags WHERE NEW.tags IS NOT OLD.tags AND CASE json_type(iif(json_valid(NEW.meta), NEW.meta, 'null')) WHEN 'object' THEN coalesce(json_type(NEW.meta, '$.tags'), 'array') = 'array' ELSE iif(json_valid(NEW.meta), NEW.meta, 'null') IN ('null', '[]', '\"\"', '0', 'false') END AND NOT json_extract(iif(json_valid(NEW.meta), NEW.meta, 'null'), '$.internal') IS 1) w WHERE id = NEW.id AND w.tags IS NOT coalesce(iif(json_valid(NEW.meta), NEW.meta, 'null') -> '$.tags', '[]'); UPDATE owui_chats SET tags = w.tags FROM (SELECT c.id, (SELECT json_group_array(id) FROM (SELECT t.id, min(j.key) AS place FROM json_each(iif(json_type(iif(json_valid(c.meta), c.meta, 'null'), '$.tags') = 'array', c.meta, 'null'), '$.tags') j CROSS JOIN owui_tags t ON t.user_id = c.user_id AND t.key = j.value WHERE j.type = 'text' AND NOT json_extract(iif(json_valid(c.meta), c.meta, 'null'), '$.internal') IS 1 GROUP BY t.id ORDER BY place)) AS tags FROM owui_chats c WHERE c.id = NEW.id) w WHERE owui_chats.id = w.id AND owui_chats.tags IS NOT w.tags; END",
      "CREATE TRIGGER IF NOT EXISTS owui_tags_chats_create AFTER INSERT ON owui_tags BEGIN UPDATE owui_chats SET tags = w.tags FROM (SELECT c.id, (SELECT json_group_array(id) FROM (SELECT t.id, min(j.key) AS place FROM json_each(iif(json_type(iif(json_valid(c.meta), c.meta, 'null'), '$.tags') = 'array', c.meta, 'null'), '$.tags') j CROSS JOIN owui_tags t ON t.user_id = c.user_id AND t.key = j.value WHERE j.type = 'text' AND NOT json_extract(iif(json_valid(c.meta), c.meta, 'null'), '$.internal') IS 1 GROUP BY t.id ORDER BY place)) AS tags FROM owui_chats c WHERE c.id IN (SELECT chat_id FROM owui_chat_tags WHERE user_id = NEW.user_id AND tag = NEW.key)) w WHERE owui_chats.id = w.id AND owui_chats.tags IS NOT w.tags; END",
      "CREATE TRIGGER IF NOT EXISTS owui_tags_chats_delete AFTER DELETE ON owui_tags BEGIN UPDATE owui_chats SET tags = w.tags FROM (SELECT c.id, (SELECT json_group_array(id) FROM (SELECT t.id, min(j.key) AS place FROM json_each(iif(json_type(iif(json_valid(c.meta), c.meta, 'null'), '$.tags') = 'array', c.meta, 'null'), '$.tags') j CROSS JOIN owui_tags t ON t.user_id = c.user_id AND t.key = j.value WHERE j.type = 'text' AND NOT json_extract(iif(json_valid(c.meta), c.meta, 'null'), '$.internal') IS 1 GROUP BY t.id ORDER BY place)) AS tags FROM owui_chats c WHERE c.id IN (SELECT chat_id FROM owui_chat_tags WHERE user_id = OLD.user_id AND tag = OLD.key)) w WHERE owui_chats.id = w.id AND owui_chats.tags IS NOT w.tags; END",
      "CREATE TRIGGER IF NOT EXISTS owui_tags_chats_update AFTER UPDATE OF key, user_id ON owui_tags WHEN OLD.key IS NOT NEW.key OR OLD.user_id IS NOT NEW.user_id BEGIN UPDATE owui_chats SET meta = json_set(meta, '$.tags', json((SELECT '[' || group_concat(iif(j.type = 'text' AND j.value = OLD.key, json_quote(NEW.key), meta -> j.fullkey), ',') || ']' FROM json_each(iif(json_type(iif(json_valid(owui_chats.meta), owui_chats.meta, 'null'), '$.tags') = 'array', owui_chats.meta, 'null'), '$.tags') j WHERE j.type != 'text' OR j.value != OLD.key OR NOT EXISTS (SELECT 1 FROM owui_chat_tags o WHERE o.user_id = NEW.user_id AND o.tag = NEW.key AND o.chat_id = owui_chats.id)))) WHERE NEW.user_id IS OLD.user_id AND id IN (SELECT chat_id FROM owui_chat_tags WHERE user_id = OLD.user_id AND tag = OLD.key) AND json_type(meta, '$.tags') = 'array'; UPDATE owui_chats SET tags = w.tags FROM (SELECT c.id, (SELECT json_group_array(id) FROM (SELECT t.id, min(j.key) AS place FROM json_each(iif(json_type(iif(json_valid(c.meta), c.meta, 'null'), '$.tags') = 'array', c.meta, 'null'), '$.tags') j CROSS JOIN owui_tags t ON t.user_id = c.user_id AND t.key = j.value WHERE j.type = 'text' AND NOT json_extract(iif(json_valid(c.meta), c.meta, 'null'), '$.internal') IS 1 GROUP BY t.id ORDER BY place)) AS tags FROM owui_chats c WHERE c.id IN (SELECT chat_id FROM owui_chat_tags WHERE user_id = OLD.user_id AND tag = OLD.key UNION SELECT chat_id FROM owui_chat_tags WHERE user_id = NEW.user_id AND tag = NEW.key)) w WHERE owui_chats.id = w.id AND owui_chats.tags IS NOT w.tags; END",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_chat_messages_search USING fts5 (text, tokenize = 'ascii', content = '', contentless_delete = 1, detail = none)",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_chat_messages_words USING fts5vocab (owui_chat_messages_search, instance)",
      "UPDATE owui_chat_messages SET doc = -doc, waits = TRUE WHERE doc > 0",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_update AFTER UPDATE ON owui_chat_messages BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_chat_messages', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_search_update AFTER UPDATE OF content_folded, entry, doc ON owui_chat_messages WHEN iif(OLD.content_folded != '', OLD.content_folded, lower(OLD.entry ->> '$.content')) IS NOT iif(NEW.content_folded != '', NEW.content_folded, lower(NEW.entry ->> '$.content')) OR OLD.doc IS NOT NEW.doc BEGIN DELETE FROM owui_chat_messages_search WHERE rowid = OLD.doc AND OLD.doc > 0; UPDATE owui_chat_messages SET doc = -doc WHERE id = NEW.id AND doc > 0 AND doc = OLD.doc; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_search_delete AFTER DELETE ON owui_chat_messages BEGIN DELETE FROM owui_chat_messages_search WHERE rowid = OLD.doc AND OLD.doc > 0; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_create AFTER INSERT ON owui_chat_messages BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_chat_messages', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_delete AFTER DELETE ON owui_chat_messages BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_chat_messages', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_shared_chats_create AFTER INSERT ON owui_shared_chats BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_shared_chats', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_shared_chats_update AFTER UPDATE ON owui_shared_chats BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_shared_chats', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_shared_chats_delete AFTER DELETE ON owui_shared_chats BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_shared_chats', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_files_create AFTER INSERT ON owui_chat_files BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_chat_files', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_files_update AFTER UPDATE ON owui_chat_files BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_chat_files', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_files_delete AFTER DELETE ON owui_chat_files BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_chat_files', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/chats', '6438c9e902bee37a7195190e730079a1b1ec7eff0b377e261273f70e54c2692e')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '7')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    for (const sql of [
      "DROP TRIGGER IF EXISTS owui_tags_chats_create",
      "DROP TRIGGER IF EXISTS owui_tags_chats_delete",
      "DROP TRIGGER IF EXISTS owui_tags_chats_update",
    ]) {
      app.db().newQuery(sql).execute();
    }
    app.delete(app.findCollectionByNameOrId("owui_chat_files"));
    app.delete(app.findCollectionByNameOrId("owui_shared_chats"));
    app.delete(app.findCollectionByNameOrId("owui_chat_messages"));
    app.delete(app.findCollectionByNameOrId("owui_chats"));
    for (const sql of [
      "DROP TABLE owui_chat_tags",
      "DROP TABLE owui_chat_locks",
      "DROP TABLE IF EXISTS owui_chats_search",
      "DROP TABLE IF EXISTS owui_chat_messages_search",
      "DROP TABLE IF EXISTS owui_chat_messages_words",
      "DELETE FROM owui_meta WHERE key = 'digest/chats'",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '6')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
