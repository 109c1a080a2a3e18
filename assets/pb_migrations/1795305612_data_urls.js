// @ts-check

// Data URLs in chats are stored once, beside them.
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 13) {
      return; // the schema was brought here, or further, over the admin API
    }
    for (const sql of [
      "CREATE TABLE IF NOT EXISTS owui_chat_tags (user_id TEXT NOT NULL, tag TEXT NOT NULL, chat_id TEXT NOT NULL, PRIMARY KEY (user_id, tag, chat_id)) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_stale_tags (chat_id TEXT PRIMARY KEY, is_new BOOLEAN NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_chat_locks (chat_id TEXT PRIMARY KEY, token TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_data_urls (name TEXT PRIMARY KEY, parts INTEGER NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_data_url_parts (name TEXT NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (name, part))",
      "CREATE TABLE IF NOT EXISTS owui_data_url_uses (owner TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (owner, name)) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_data_url_unsure (owner TEXT PRIMARY KEY, since INTEGER NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID",
      "CREATE INDEX IF NOT EXISTS idx_owui_data_url_uses_name ON owui_data_url_uses (name)",
      "CREATE TRIGGER IF NOT EXISTS owui_data_url_parts_complete AFTER INSERT ON owui_data_url_parts WHEN (SELECT count(*) FROM owui_data_url_parts WHERE name = NEW.name) = NEW.parts BEGIN INSERT INTO owui_data_urls (name, parts, seen) VALUES (NEW.name, NEW.parts, NEW.at) ON CONFLICT (name) DO UPDATE SET seen = excluded.seen; END",
      "CREATE TRIGGER IF NOT EXISTS owui_data_url_parts_again AFTER UPDATE OF at ON owui_data_url_parts WHEN (SELECT count(*) FROM owui_data_url_parts WHERE name = NEW.name) = NEW.parts BEGIN INSERT INTO owui_data_urls (name, parts, seen) VALUES (NEW.name, NEW.parts, NEW.at) ON CONFLICT (name) DO UPDATE SET seen = excluded.seen; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_data_urls_create AFTER INSERT ON owui_chats WHEN instr(NEW.chat, 'owui-data-url:') BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES (NEW.id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12) ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_data_urls_update AFTER UPDATE OF chat ON owui_chats WHEN instr(NEW.chat, 'owui-data-url:') OR instr(OLD.chat, 'owui-data-url:') BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES (NEW.id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12) ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_data_urls_move AFTER UPDATE OF id ON owui_chats WHEN instr(NEW.chat, 'owui-data-url:') OR instr(OLD.chat, 'owui-data-url:') BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES (OLD.id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12), (NEW.id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12) ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chats_data_urls_delete AFTER DELETE ON owui_chats WHEN instr(OLD.chat, 'owui-data-url:') BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES (OLD.id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12) ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_data_urls_create AFTER INSERT ON owui_chat_messages WHEN instr(NEW.entry, 'owui-data-url:') OR instr(NEW.files, 'owui-data-url:') OR instr(NEW.output, 'owui-data-url:') OR instr(NEW.sources, 'owui-data-url:') OR instr(NEW.embeds, 'owui-data-url:') OR instr(NEW.meta, 'owui-data-url:') OR instr(NEW.status_history, 'owui-data-url:') OR instr(NEW.error, 'owui-data-url:') OR instr(NEW.usage, 'owui-data-url:') BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES (NEW.chat_id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12) ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_data_urls_update AFTER UPDATE OF entry, files, output, sources, embeds, meta, status_history, error, usage ON owui_chat_messages WHEN instr(NEW.entry, 'owui-data-url:') OR instr(NEW.files, 'owui-data-url:') OR instr(NEW.output, 'owui-data-url:') OR instr(NEW.sources, 'owui-data-url:') OR instr(NEW.embeds, 'owui-data-url:') OR instr(NEW.meta, 'owui-data-url:') OR instr(NEW.status_history, 'owui-data-url:') OR instr(NEW.error, 'owui-data-url:') OR instr(NEW.usage, 'owui-data-url:') OR instr(OLD.entry, 'owui-data-url:') OR instr(OLD.files, 'owui-data-url:') OR instr(OLD.output, 'owui-data-url:') OR instr(OLD.sources, 'owui-data-url:') OR instr(OLD.embeds, 'owui-data-url:') OR instr(OLD.meta, 'owui-data-url:') OR instr(OLD.status_history, 'owui-data-url:') OR instr(OLD.error, 'owui-data-url:') OR instr(OLD.usage, 'owui-data-url:') BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES (NEW.chat_id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12) ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_data_urls_move AFTER UPDATE OF chat_id ON owui_chat_messages WHEN instr(NEW.entry, 'owui-data-url:') OR instr(NEW.files, 'owui-data-url:') OR instr(NEW.output, 'owui-data-url:') OR instr(NEW.sources, 'owui-data-url:') OR instr(NEW.embeds, 'owui-data-url:') OR instr(NEW.meta, 'owui-data-url:') OR instr(NEW.status_history, 'owui-data-url:') OR instr(NEW.error, 'owui-data-url:') OR instr(NEW.usage, 'owui-data-url:') OR instr(OLD.entry, 'owui-data-url:') OR instr(OLD.files, 'owui-data-url:') OR instr(OLD.output, 'owui-data-url:') OR instr(OLD.sources, 'owui-data-url:') OR instr(OLD.embeds, 'owui-data-url:') OR instr(OLD.meta, 'owui-data-url:') OR instr(OLD.status_history, 'owui-data-url:') OR instr(OLD.error, 'owui-data-url:') OR instr(OLD.usage, 'owui-data-url:') BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES (OLD.chat_id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12), (NEW.chat_id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12) ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_data_urls_delete AFTER DELETE ON owui_chat_messages WHEN instr(OLD.entry, 'owui-data-url:') OR instr(OLD.files, 'owui-data-url:') OR instr(OLD.output, 'owui-data-url:') OR instr(OLD.sources, 'owui-data-url:') OR instr(OLD.embeds, 'owui-data-url:') OR instr(OLD.meta, 'owui-data-url:') OR instr(OLD.status_history, 'owui-data-url:') OR instr(OLD.error, 'owui-data-url:') OR instr(OLD.usage, 'owui-data-url:') BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES (OLD.chat_id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12) ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END",
      "CREATE TRIGGER IF NOT EXISTS owui_shared_chats_data_urls_create AFTER INSERT ON owui_shared_chats WHEN instr(NEW.chat, 'owui-data-url:') BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES (NEW.id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12) ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END",
      "CREATE TRIGGER IF NOT EXISTS owui_shared_chats_data_urls_update AFTER UPDATE OF chat ON owui_shared_chats WHEN instr(NEW.chat, 'owui-data-url:') OR instr(OLD.chat, 'owui-data-url:') BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES (NEW.id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12) ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END",
      "CREATE TRIGGER IF NOT EXISTS owui_shared_chats_data_urls_move AFTER UPDATE OF id ON owui_shared_chats WHEN instr(NEW.chat, 'owui-data-url:') OR instr(OLD.chat, 'owui-data-url:') BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES (OLD.id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12), (NEW.id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12) ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END",
      "CREATE TRIGGER IF NOT EXISTS owui_shared_chats_data_urls_delete AFTER DELETE ON owui_shared_chats WHEN instr(OLD.chat, 'owui-data-url:') BEGIN INSERT INTO owui_data_url_unsure (owner, since, version) VALUES (OLD.id, CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), random() >> 12) ON CONFLICT (owner) DO UPDATE SET version = excluded.version; END",
      "INSERT OR IGNORE INTO owui_meta (key, value) VALUES ('data_urls', lower(hex(randomblob(32))))",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/chats', 'ffb3a3becaee044e6c5051597a5d5cb0eb9e9f798a740e83654bc4ecfc1efd1a')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '13')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    const stored = new DynamicModel({ number: 0 });
    app.db().newQuery("SELECT count(*) AS number FROM owui_data_urls").one(stored);
    if (/** @type {any} */ (stored).number) {
      throw new Error("Data URLs of chats are stored beside them, which earlier versions cannot read.");
    }
    for (const sql of [
      "DELETE FROM owui_meta WHERE key = 'data_urls'",
      "DROP TABLE owui_data_urls",
      "DROP TABLE owui_data_url_parts",
      "DROP TABLE owui_data_url_uses",
      "DROP TABLE owui_data_url_unsure",
      "CREATE TABLE IF NOT EXISTS owui_chat_tags (user_id TEXT NOT NULL, tag TEXT NOT NULL, chat_id TEXT NOT NULL, PRIMARY KEY (user_id, tag, chat_id)) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_stale_tags (chat_id TEXT PRIMARY KEY, is_new BOOLEAN NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_chat_locks (chat_id TEXT PRIMARY KEY, token TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID",
      "DROP TRIGGER IF EXISTS owui_data_url_parts_complete",
      "DROP TRIGGER IF EXISTS owui_data_url_parts_again",
      "DROP TRIGGER IF EXISTS owui_chats_data_urls_create",
      "DROP TRIGGER IF EXISTS owui_chats_data_urls_update",
      "DROP TRIGGER IF EXISTS owui_chats_data_urls_move",
      "DROP TRIGGER IF EXISTS owui_chats_data_urls_delete",
      "DROP TRIGGER IF EXISTS owui_chat_messages_data_urls_create",
      "DROP TRIGGER IF EXISTS owui_chat_messages_data_urls_update",
      "DROP TRIGGER IF EXISTS owui_chat_messages_data_urls_move",
      "DROP TRIGGER IF EXISTS owui_chat_messages_data_urls_delete",
      "DROP TRIGGER IF EXISTS owui_shared_chats_data_urls_create",
      "DROP TRIGGER IF EXISTS owui_shared_chats_data_urls_update",
      "DROP TRIGGER IF EXISTS owui_shared_chats_data_urls_move",
      "DROP TRIGGER IF EXISTS owui_shared_chats_data_urls_delete",
      "DROP INDEX IF EXISTS idx_owui_data_url_uses_name",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/chats', '145a44f357d43edda2504a0e85cf7a52da11b93a778bddf861ca9d156fe7e172')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '12')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
