// @ts-check
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 4) {
      return; // the schema was brought here, or further, over the admin API
    }
    if (!app.hasTable("owui_users")) {
      app.save(
        new Collection({
          name: "owui_users",
          type: "auth",
          listRule: null,
          viewRule: null,
          createRule: null,
          updateRule: null,
          deleteRule: null,
          authRule: null,
          manageRule: null,
          passwordAuth: { enabled: false, identityFields: ["email"] },
          oauth2: { enabled: false },
          otp: { enabled: false },
          mfa: { enabled: false },
          authAlert: { enabled: false },
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
            { name: "email", type: "email", system: true, required: false },
            { name: "username", type: "text", max: 1000000000 },
            { name: "role", type: "text", max: 1000000000 },
            { name: "name", type: "text", max: 1000000000 },
            { name: "profile_image_url", type: "text", max: 1000000000 },
            { name: "profile_banner_image_url", type: "text", max: 1000000000 },
            { name: "bio", type: "text", max: 1000000000 },
            { name: "gender", type: "text", max: 1000000000 },
            { name: "date_of_birth", type: "text", max: 1000000000 },
            { name: "timezone", type: "text", max: 1000000000 },
            { name: "presence_state", type: "text", max: 1000000000 },
            { name: "status_emoji", type: "text", max: 1000000000 },
            { name: "status_message", type: "text", max: 1000000000 },
            { name: "status_expires_at", type: "number" },
            { name: "info", type: "json", maxSize: 1000000000 },
            { name: "variables", type: "json", maxSize: 1000000000 },
            { name: "settings", type: "json", maxSize: 1000000000 },
            { name: "oauth", type: "json", maxSize: 1000000000 },
            { name: "scim", type: "json", maxSize: 1000000000 },
            { name: "last_active_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "created_at", type: "number" },
            { name: "email_folded", type: "text", max: 1000000000 },
            { name: "name_folded", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_users_email` ON `owui_users` (`email` COLLATE NOCASE) WHERE `email` != ''",
            "CREATE INDEX `idx_owui_users_role` ON `owui_users` (`role`)",
            "CREATE INDEX `idx_owui_users_created_at` ON `owui_users` (`created_at`)",
            "CREATE INDEX `idx_owui_users_last_active_at` ON `owui_users` (`last_active_at`)",
            "CREATE INDEX `idx_owui_users_name` ON `owui_users` (`name`)",
            "CREATE UNIQUE INDEX `idx_owui_users_id_nocase` ON `owui_users` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_api_keys")) {
      app.save(
        new Collection({
          name: "owui_api_keys",
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
              pattern: "^[a-z0-9_-]+$",
              min: 1,
              max: 100,
              autogeneratePattern: "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
            },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "key", type: "text", max: 1000000000, hidden: true },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "expires_at", type: "number" },
            { name: "last_used_at", type: "number" },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_api_keys_key` ON `owui_api_keys` (`key`)",
            "CREATE INDEX `idx_owui_api_keys_user_id` ON `owui_api_keys` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_api_keys_id_nocase` ON `owui_api_keys` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_auths")) {
      app.save(
        new Collection({
          name: "owui_auths",
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
            { name: "email", type: "text", max: 1000000000 },
            { name: "password", type: "text", max: 1000000000, hidden: true },
            { name: "active", type: "bool" },
            { name: "mfa", type: "json", maxSize: 1000000000, hidden: true },
            { name: "session_stamp", type: "text", max: 1000000000, hidden: true },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_auths_email` ON `owui_auths` (`email`)",
            "CREATE UNIQUE INDEX `idx_owui_auths_id_nocase` ON `owui_auths` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_oauth_sessions")) {
      app.save(
        new Collection({
          name: "owui_oauth_sessions",
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
            { name: "provider", type: "text", max: 1000000000 },
            { name: "token", type: "text", max: 1000000000, hidden: true },
            { name: "expires_at", type: "number" },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_oauth_sessions_user_id_provider` ON `owui_oauth_sessions` (`user_id`, `provider`)",
            "CREATE INDEX `idx_owui_oauth_sessions_provider` ON `owui_oauth_sessions` (`provider`)",
            "CREATE UNIQUE INDEX `idx_owui_oauth_sessions_id_nocase` ON `owui_oauth_sessions` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    for (const sql of [
      "CREATE TRIGGER IF NOT EXISTS owui_users_create AFTER INSERT ON owui_users BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_users', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_users_update AFTER UPDATE ON owui_users BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_users', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_users_delete AFTER DELETE ON owui_users BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_users', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_api_keys_create AFTER INSERT ON owui_api_keys BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_api_keys', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_api_keys_update AFTER UPDATE ON owui_api_keys BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_api_keys', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_api_keys_delete AFTER DELETE ON owui_api_keys BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_api_keys', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_auths_create AFTER INSERT ON owui_auths BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_auths', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_auths_update AFTER UPDATE ON owui_auths BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_auths', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_auths_delete AFTER DELETE ON owui_auths BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_auths', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_oauth_sessions_create AFTER INSERT ON owui_oauth_sessions BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_oauth_sessions', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_oauth_sessions_update AFTER UPDATE ON owui_oauth_sessions BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_oauth_sessions', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_oauth_sessions_delete AFTER DELETE ON owui_oauth_sessions BEGIN INSERT INTO owui_changes (collection, record_id, op, at) VALUES ('owui_oauth_sessions', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)); END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/users', 'cf18c52aa890b327275a74ac0f2ac57905c6b7c291468d457cecc24d03e36de4')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '4')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("owui_oauth_sessions"));
    app.delete(app.findCollectionByNameOrId("owui_auths"));
    app.delete(app.findCollectionByNameOrId("owui_api_keys"));
    app.delete(app.findCollectionByNameOrId("owui_users"));
    for (const sql of [
      "DELETE FROM owui_meta WHERE key = 'digest/users'",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '3')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
