// @ts-check

// The indexes of words have sequences of two or three letters of scripts without spaces. They are made anew: all waits.
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 12) {
      return; // the schema was brought here, or further, over the admin API
    }
    for (const sql of [
      "CREATE TABLE IF NOT EXISTS owui_chat_tags (user_id TEXT NOT NULL, tag TEXT NOT NULL, chat_id TEXT NOT NULL, PRIMARY KEY (user_id, tag, chat_id)) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_stale_tags (chat_id TEXT PRIMARY KEY, is_new BOOLEAN NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_chat_locks (chat_id TEXT PRIMARY KEY, token TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID",
      "DROP TRIGGER IF EXISTS owui_chat_messages_update",
      "DROP TRIGGER IF EXISTS owui_chat_messages_search_update",
      "DROP TRIGGER IF EXISTS owui_chat_messages_search_delete",
      "DROP TABLE IF EXISTS owui_chat_messages_words",
      "DROP TABLE IF EXISTS owui_chat_messages_search",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_chat_messages_search USING fts5 (words, tokenize = 'ascii', content = '', contentless_delete = 1, detail = none)",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_chat_messages_words USING fts5vocab (owui_chat_messages_search, instance)",
      "UPDATE owui_chat_messages SET doc = -doc, waits = TRUE WHERE doc > 0",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_update AFTER UPDATE ON owui_chat_messages WHEN NEW.doc IS OLD.doc OR NEW.updated IS NOT OLD.updated BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_chat_messages', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.chat_id IS NEW.chat_id AND OLD.user_id IS NEW.user_id, json_array(NEW.chat_id, NEW.user_id), json_array(NEW.chat_id, NEW.user_id, OLD.chat_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_search_update AFTER UPDATE OF content_folded, entry, doc ON owui_chat_messages WHEN iif(OLD.content_folded != '', OLD.content_folded, lower(OLD.entry ->> '$.content')) IS NOT iif(NEW.content_folded != '', NEW.content_folded, lower(NEW.entry ->> '$.content')) OR OLD.doc IS NOT NEW.doc BEGIN DELETE FROM owui_chat_messages_search WHERE rowid = OLD.doc AND OLD.doc > 0; UPDATE owui_chat_messages SET doc = -doc WHERE id = NEW.id AND doc > 0 AND doc = OLD.doc; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_search_delete AFTER DELETE ON owui_chat_messages BEGIN DELETE FROM owui_chat_messages_search WHERE rowid = OLD.doc AND OLD.doc > 0; END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/chats', '145a44f357d43edda2504a0e85cf7a52da11b93a778bddf861ca9d156fe7e172')",
      "DROP TRIGGER IF EXISTS owui_messages_update",
      "DROP TRIGGER IF EXISTS owui_messages_search_update",
      "DROP TRIGGER IF EXISTS owui_messages_search_delete",
      "DROP TABLE IF EXISTS owui_messages_words",
      "DROP TABLE IF EXISTS owui_messages_search",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_messages_search USING fts5 (words, tokenize = 'ascii', content = '', contentless_delete = 1, detail = none)",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_messages_words USING fts5vocab (owui_messages_search, instance)",
      "UPDATE owui_messages SET doc = -doc, waits = TRUE WHERE doc > 0",
      "CREATE TRIGGER IF NOT EXISTS owui_messages_update AFTER UPDATE ON owui_messages WHEN NEW.doc IS OLD.doc OR NEW.updated IS NOT OLD.updated BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_messages', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.channel_id IS NEW.channel_id AND OLD.user_id IS NEW.user_id AND OLD.parent_id IS NEW.parent_id, json_array(NEW.channel_id, NEW.user_id, NEW.parent_id), json_array(NEW.channel_id, NEW.user_id, NEW.parent_id, OLD.channel_id, OLD.user_id, OLD.parent_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_messages_search_update AFTER UPDATE OF content_folded, doc ON owui_messages WHEN OLD.content_folded IS NOT NEW.content_folded OR OLD.doc IS NOT NEW.doc BEGIN DELETE FROM owui_messages_search WHERE rowid = OLD.doc AND OLD.doc > 0; UPDATE owui_messages SET doc = -doc WHERE id = NEW.id AND doc > 0 AND doc = OLD.doc; END",
      "CREATE TRIGGER IF NOT EXISTS owui_messages_search_delete AFTER DELETE ON owui_messages BEGIN DELETE FROM owui_messages_search WHERE rowid = OLD.doc AND OLD.doc > 0; END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/messages', '7a209011256ff5a7d12e39388751ed660dd3574cccadcdd27e24558c4e039249')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '12')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    for (const sql of [
      "DROP TRIGGER IF EXISTS owui_messages_update",
      "DROP TRIGGER IF EXISTS owui_messages_search_update",
      "DROP TRIGGER IF EXISTS owui_messages_search_delete",
      "DROP TABLE IF EXISTS owui_messages_words",
      "DROP TABLE IF EXISTS owui_messages_search",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_messages_search USING fts5 (text, tokenize = 'ascii', content = '', contentless_delete = 1, detail = none)",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_messages_words USING fts5vocab (owui_messages_search, instance)",
      "UPDATE owui_messages SET doc = -doc, waits = TRUE WHERE doc > 0",
      "CREATE TRIGGER IF NOT EXISTS owui_messages_update AFTER UPDATE ON owui_messages WHEN NEW.doc IS OLD.doc OR NEW.updated IS NOT OLD.updated BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_messages', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.channel_id IS NEW.channel_id AND OLD.user_id IS NEW.user_id AND OLD.parent_id IS NEW.parent_id, json_array(NEW.channel_id, NEW.user_id, NEW.parent_id), json_array(NEW.channel_id, NEW.user_id, NEW.parent_id, OLD.channel_id, OLD.user_id, OLD.parent_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_messages_search_update AFTER UPDATE OF content_folded, doc ON owui_messages WHEN OLD.content_folded IS NOT NEW.content_folded OR OLD.doc IS NOT NEW.doc BEGIN DELETE FROM owui_messages_search WHERE rowid = OLD.doc AND OLD.doc > 0; UPDATE owui_messages SET doc = -doc WHERE id = NEW.id AND doc > 0 AND doc = OLD.doc; END",
      "CREATE TRIGGER IF NOT EXISTS owui_messages_search_delete AFTER DELETE ON owui_messages BEGIN DELETE FROM owui_messages_search WHERE rowid = OLD.doc AND OLD.doc > 0; END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/messages', '01d1f5eda7be99617a5b35eda4499e8f6f43b1170762e4110b8906de8b85493c')",
      "CREATE TABLE IF NOT EXISTS owui_chat_tags (user_id TEXT NOT NULL, tag TEXT NOT NULL, chat_id TEXT NOT NULL, PRIMARY KEY (user_id, tag, chat_id)) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_stale_tags (chat_id TEXT PRIMARY KEY, is_new BOOLEAN NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_chat_locks (chat_id TEXT PRIMARY KEY, token TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID",
      "DROP TRIGGER IF EXISTS owui_chat_messages_update",
      "DROP TRIGGER IF EXISTS owui_chat_messages_search_update",
      "DROP TRIGGER IF EXISTS owui_chat_messages_search_delete",
      "DROP TABLE IF EXISTS owui_chat_messages_words",
      "DROP TABLE IF EXISTS owui_chat_messages_search",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_chat_messages_search USING fts5 (text, tokenize = 'ascii', content = '', contentless_delete = 1, detail = none)",
      "CREATE VIRTUAL TABLE IF NOT EXISTS owui_chat_messages_words USING fts5vocab (owui_chat_messages_search, instance)",
      "UPDATE owui_chat_messages SET doc = -doc, waits = TRUE WHERE doc > 0",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_update AFTER UPDATE ON owui_chat_messages WHEN NEW.doc IS OLD.doc OR NEW.updated IS NOT OLD.updated BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_chat_messages', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.chat_id IS NEW.chat_id AND OLD.user_id IS NEW.user_id, json_array(NEW.chat_id, NEW.user_id), json_array(NEW.chat_id, NEW.user_id, OLD.chat_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_search_update AFTER UPDATE OF content_folded, entry, doc ON owui_chat_messages WHEN iif(OLD.content_folded != '', OLD.content_folded, lower(OLD.entry ->> '$.content')) IS NOT iif(NEW.content_folded != '', NEW.content_folded, lower(NEW.entry ->> '$.content')) OR OLD.doc IS NOT NEW.doc BEGIN DELETE FROM owui_chat_messages_search WHERE rowid = OLD.doc AND OLD.doc > 0; UPDATE owui_chat_messages SET doc = -doc WHERE id = NEW.id AND doc > 0 AND doc = OLD.doc; END",
      "CREATE TRIGGER IF NOT EXISTS owui_chat_messages_search_delete AFTER DELETE ON owui_chat_messages BEGIN DELETE FROM owui_chat_messages_search WHERE rowid = OLD.doc AND OLD.doc > 0; END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/chats', 'c1644f3053a546c609878325a2204ad8d4145b10fafbabffcce714a2a75d3734')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '11')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
