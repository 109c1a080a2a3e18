// @ts-check
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 16) {
      return; // the schema was brought here, or further, over the admin API
    }
    {
      const collection = app.findCollectionByNameOrId("owui_tags");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name user_id id key meta nulls created updated".split(" ").reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_config");
      unmarshal({ presentable: true }, collection.fields.getByName("key") || {});
      for (const name of "key value updated_at id nulls created updated".split(" ").reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_folders");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name user_id parent_id updated_at id items meta data is_expanded created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_users");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name email role last_active_at created_at id username profile_image_url profile_banner_image_url bio gender date_of_birth timezone presence_state status_emoji status_message status_expires_at info variables settings oauth scim updated_at email_folded name_folded nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_api_keys");
      for (const name of "user_id created_at last_used_at expires_at id key data updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_auths");
      unmarshal({ presentable: true }, collection.fields.getByName("email") || {});
      for (const name of "email active id password mfa session_stamp nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_oauth_sessions");
      for (const name of "user_id provider created_at expires_at id token updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_groups");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name description user_id parent_group_id created_at id data meta permissions updated_at name_folded nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_group_members");
      for (const name of "group_id user_id created_at id updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_access_grants");
      for (const name of "resource_type resource_id permission principal_type principal_id created_at id nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_chats");
      unmarshal({ presentable: true }, collection.fields.getByName("title") || {});
      for (const name of "title user_id tags updated_at created_at folder_id pinned archived id last_read_at share_id current_message_id timer_at summary meta variables tasks chat title_folded version tidy legacy_folded doc nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_chat_messages");
      for (const name of "role content chat_id user_id model_id created_at done id key parent_id updated_at context_summary usage output files sources embeds meta status_history error position has_row waits same entry content_folded doc nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_shared_chats");
      unmarshal({ presentable: true }, collection.fields.getByName("title") || {});
      for (const name of "title user_id chat_id created_at updated_at id chat title_folded text_folded nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_chat_files");
      for (const name of "file_id chat_id user_id message_id created_at id updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_models");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name key base_model_id is_active user_id updated_at id version_id created_at params meta base_model_id_folded name_folded nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_model_histories");
      for (const name of "model_id commit_message user_id created_at id parent_id snapshot nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_files");
      unmarshal({ presentable: true }, collection.fields.getByName("filename") || {});
      for (const name of "filename user_id contents created_at updated_at id hash path meta data filename_folded pending sha256 text nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_channels");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name description type is_private user_id created_at id data meta updated_at updated_by archived_at archived_by deleted_at deleted_by nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_channel_members");
      for (const name of "channel_id user_id role status is_active joined_at id app_id is_channel_muted is_channel_pinned data meta invited_at invited_by left_at last_read_at created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_channel_files");
      for (const name of "file_id channel_id user_id message_id created_at id updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_channel_webhooks");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name channel_id user_id last_used_at created_at id profile_image_url token updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_messages");
      unmarshal({ presentable: true }, collection.fields.getByName("content") || {});
      for (const name of "content channel_id user_id created_at is_pinned id app_id reply_to_id parent_id pinned_at pinned_by updated_at meta data content_folded waits doc nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_message_reactions");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name message_id user_id created_at id nulls created updated".split(" ").reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_notes");
      unmarshal({ presentable: true }, collection.fields.getByName("title") || {});
      for (const name of "title user_id updated_at created_at id data meta nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_pinned_notes");
      for (const name of "note_id user_id created_at id nulls created updated".split(" ").reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_prompts");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "command name content tags is_active user_id updated_at id data meta version_id created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_prompt_histories");
      for (const name of "prompt_id commit_message user_id created_at id parent_id snapshot nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_tools");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name user_id updated_at created_at id version_id content specs meta valves nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_tool_histories");
      for (const name of "tool_id commit_message user_id created_at id parent_id snapshot nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_functions");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name type is_active is_global user_id updated_at id version_id content meta valves created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_function_histories");
      for (const name of "function_id commit_message user_id created_at id parent_id snapshot nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_skills");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name description is_active user_id updated_at id content data version_id meta created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_skill_histories");
      for (const name of "skill_id commit_message user_id created_at id parent_id snapshot nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_knowledge");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name description user_id updated_at created_at id meta nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_knowledge_directories");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name knowledge_id parent_id user_id created_at id updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_knowledge_files");
      for (const name of "file_id knowledge_id directory_id user_id created_at id updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_memories");
      for (const name of "content type path user_id updated_at id meta created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_feedbacks");
      for (const name of "type user_id data created_at id version meta snapshot updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_automations");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name is_active next_run_at last_run_at user_id folder_id id data meta created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_automation_runs");
      for (const name of "automation_id status error chat_id created_at id nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_calendars");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name color is_default user_id created_at id data meta updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_calendar_events");
      unmarshal({ presentable: true }, collection.fields.getByName("title") || {});
      for (const name of "title start_at end_at all_day location calendar_id user_id id description rrule color data meta is_cancelled created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_calendar_event_attendees");
      for (const name of "event_id user_id status created_at id meta updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_apps");
      unmarshal({ presentable: true }, collection.fields.getByName("name") || {});
      for (const name of "name slug is_active user_id updated_at id data api_key created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    for (const sql of [
      "CREATE TABLE IF NOT EXISTS owui_chat_tags (user_id TEXT NOT NULL, tag TEXT NOT NULL, chat_id TEXT NOT NULL, PRIMARY KEY (user_id, tag, chat_id)) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_stale_tags (chat_id TEXT PRIMARY KEY, is_new BOOLEAN NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_chat_locks (chat_id TEXT PRIMARY KEY, token TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_data_urls (name TEXT PRIMARY KEY, parts INTEGER NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_data_url_parts (name TEXT NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (name, part))",
      "CREATE TABLE IF NOT EXISTS owui_data_url_uses (owner TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (owner, name)) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_data_url_unsure (owner TEXT PRIMARY KEY, since INTEGER NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/tags', '46ab1bc6a4b96e7e89d4462305a60e8d63c456e5f456f22122c987ffa664847f')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/config', '2e21a561707c4cb222ae400ce04391b6ac215e129566beb49c0f68ea036e1135')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/folders', 'a3acf96b17a1afd920bf585ee617bfe711286aa4de757e6dbb5a05e6ff3f03e4')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/users', '82f58d2078259878e545f4341be26a816542bbd8600111a2e11123cf0f73d540')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/groups', 'f618ef47b7080737199248fd5df1d61922011b2f929d768b7b278510eb6f0fc9')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/access', '12d38c15f54b91d3fb4c2064d8f0c753b7dcbb921daef3703935e5aa8eb42ce6')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/chats', 'df3065475c3b898f78de06d39c32d120a37572f0b511be05d1ba15adc8c2c17b')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/models', 'e793e1fcad79920115926bc9086a063de906e039e0830337aebd55d4aa68b3c6')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/files', '21a533f8fb4ba4ecea695fe0f8a79af913d104ceb3c40caeadc8d8434acf3a40')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/messages', 'e08df0a4c76e3f8645e292b814029a81c507775d623485d37504be4fcee1ec80')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/notes', '3ff2d40403b6d2c21d52721b9b49982e3497a0ce5d2d9f8c23ee2c5a9b1109ce')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/prompts', 'd5291fe9f8d6eb4a0544ce6baf4f794129d0b6c98602eb04eb8e5028b9d087bb')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/tools', 'cd1cc62d72e232c67fa01eade1109057503f8017d1601cf1f8132dd6bae667ae')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/functions', '8fcad3f44cfc54b920d19fc7ca905826e8e947522b8e9cfa3c90749a9bd1f298')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/skills', 'ee1919bf2976529d8f6c40a17ffa0b3f864ddd386eff081b4e5b8903fa702ab4')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/knowledge', '0bf85232ec2cf7eeef41c25ca7e0ca2fb0d25dcf5383f52acc905c4ad93476c9')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/memories', 'ec9691a69f6877baf8a408b2f00b925ab7ba86ebaf2d787460a871cc8a51957f')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/feedbacks', '674ed2050f626aa5011342da42b44f7fa9607c90e6e2c6512defcb257f2de136')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/automations', 'c2669de14aeb1cc7336af39a0a2fdf0285b3343ae0bafcff51bf82774d533ec3')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/calendar', 'e98a68c7d44f51136cec9699aaafba5504b57290a61235e55a8934587761d9b4')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/apps', '7bb1d3aeb644404a2ea93379f0e4f20be5b112d433b77a7fafce9f35c44a7583')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '16')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    {
      const collection = app.findCollectionByNameOrId("owui_tags");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id key name user_id meta nulls created updated".split(" ").reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_config");
      unmarshal({ presentable: false }, collection.fields.getByName("key") || {});
      for (const name of "id key value updated_at nulls created updated".split(" ").reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_folders");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id parent_id user_id name items meta data is_expanded created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_users");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id email username role name profile_image_url profile_banner_image_url bio gender date_of_birth timezone presence_state status_emoji status_message status_expires_at info variables settings oauth scim last_active_at updated_at created_at email_folded name_folded nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_api_keys");
      for (const name of "id user_id key data expires_at last_used_at created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_auths");
      unmarshal({ presentable: false }, collection.fields.getByName("email") || {});
      for (const name of "id email password active mfa session_stamp nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_oauth_sessions");
      for (const name of "id user_id provider token expires_at created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_groups");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id parent_group_id user_id name description data meta permissions created_at updated_at name_folded nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_group_members");
      for (const name of "id group_id user_id created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_access_grants");
      for (const name of "id resource_type resource_id principal_type principal_id permission created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_chats");
      unmarshal({ presentable: false }, collection.fields.getByName("title") || {});
      for (const name of "id user_id title created_at updated_at last_read_at share_id archived pinned folder_id current_message_id timer_at summary meta variables tasks chat title_folded version tidy tags legacy_folded doc nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_chat_messages");
      for (const name of "id key chat_id user_id role parent_id model_id done created_at updated_at context_summary usage content output files sources embeds meta status_history error position has_row waits same entry content_folded doc nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_shared_chats");
      unmarshal({ presentable: false }, collection.fields.getByName("title") || {});
      for (const name of "id chat_id user_id title created_at updated_at chat title_folded text_folded nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_chat_files");
      for (const name of "id user_id chat_id message_id file_id created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_models");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id key user_id base_model_id name version_id is_active updated_at created_at params meta base_model_id_folded name_folded nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_model_histories");
      for (const name of "id model_id parent_id user_id commit_message created_at snapshot nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_files");
      unmarshal({ presentable: false }, collection.fields.getByName("filename") || {});
      for (const name of "id user_id hash filename path created_at updated_at meta data filename_folded pending contents sha256 text nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_channels");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id user_id type name description is_private data meta created_at updated_at updated_by archived_at archived_by deleted_at deleted_by nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_channel_members");
      for (const name of "id channel_id user_id app_id role status is_active is_channel_muted is_channel_pinned data meta invited_at invited_by joined_at left_at last_read_at created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_channel_files");
      for (const name of "id user_id channel_id message_id file_id created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_channel_webhooks");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id channel_id user_id name profile_image_url token last_used_at created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_messages");
      unmarshal({ presentable: false }, collection.fields.getByName("content") || {});
      for (const name of "id user_id app_id channel_id reply_to_id parent_id is_pinned pinned_at pinned_by created_at updated_at meta content data content_folded waits doc nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_message_reactions");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id user_id message_id name created_at nulls created updated".split(" ").reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_notes");
      unmarshal({ presentable: false }, collection.fields.getByName("title") || {});
      for (const name of "id user_id title data meta created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_pinned_notes");
      for (const name of "id user_id note_id created_at nulls created updated".split(" ").reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_prompts");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id command user_id name content data meta tags is_active version_id created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_prompt_histories");
      for (const name of "id prompt_id parent_id snapshot user_id commit_message created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_tools");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id version_id user_id name content specs meta valves updated_at created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_tool_histories");
      for (const name of "id tool_id parent_id snapshot user_id commit_message created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_functions");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id version_id user_id name type content meta valves is_active is_global updated_at created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_function_histories");
      for (const name of "id function_id parent_id snapshot user_id commit_message created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_skills");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id user_id name description content data version_id meta is_active updated_at created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_skill_histories");
      for (const name of "id skill_id parent_id snapshot user_id commit_message created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_knowledge");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id user_id name description meta created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_knowledge_directories");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id knowledge_id parent_id name user_id created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_knowledge_files");
      for (const name of "id knowledge_id file_id directory_id user_id created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_memories");
      for (const name of "id user_id type path content meta updated_at created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_feedbacks");
      for (const name of "id user_id version type data meta snapshot created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_automations");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id user_id folder_id name data meta is_active last_run_at next_run_at created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_automation_runs");
      for (const name of "id automation_id chat_id status error created_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_calendars");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id user_id name color is_default data meta created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_calendar_events");
      unmarshal({ presentable: false }, collection.fields.getByName("title") || {});
      for (const name of "id calendar_id user_id title description start_at end_at all_day rrule color location data meta is_cancelled created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_calendar_event_attendees");
      for (const name of "id event_id user_id status meta created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    {
      const collection = app.findCollectionByNameOrId("owui_apps");
      unmarshal({ presentable: false }, collection.fields.getByName("name") || {});
      for (const name of "id slug name user_id is_active data api_key created_at updated_at nulls created updated"
        .split(" ")
        .reverse()) {
        const field = collection.fields.getByName(name);
        if (field) {
          collection.fields.addAt(0, field);
        }
      }
      app.save(collection);
    }
    for (const sql of [
      "CREATE TABLE IF NOT EXISTS owui_chat_tags (user_id TEXT NOT NULL, tag TEXT NOT NULL, chat_id TEXT NOT NULL, PRIMARY KEY (user_id, tag, chat_id)) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_stale_tags (chat_id TEXT PRIMARY KEY, is_new BOOLEAN NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_chat_locks (chat_id TEXT PRIMARY KEY, token TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_data_urls (name TEXT PRIMARY KEY, parts INTEGER NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_data_url_parts (name TEXT NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (name, part))",
      "CREATE TABLE IF NOT EXISTS owui_data_url_uses (owner TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (owner, name)) WITHOUT ROWID",
      "CREATE TABLE IF NOT EXISTS owui_data_url_unsure (owner TEXT PRIMARY KEY, since INTEGER NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/tags', '8e20664c59ca342ba83c89376dc30ff930aca3d0566e1fc4f20716428a0a6f22')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/config', '3535e61916a68cf8b4d8b56dd1082ad376c89b18f62a754e49162dac7c402969')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/folders', 'c0a9dd9336d5d0dc4374f5a8fdbbfa8671936fe116e47b588bf07a0cc233b7c0')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/users', 'ed76115415c0fdc19b558d7841d85497e23f4d5ca337932786da58234ef79ba5')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/groups', '440e230a652c0e5dafb159cccde53c311d3f6880cb41cf7e0990c4e221522b16')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/access', 'e12cb798e756fa35f66e3e20636d4e25d7adbc308a48ed24bdedc67f31b02650')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/chats', '5bc6ca5e7bda7417e9972fafaf0eba0500b4b99fbea8d995373007805dcf998a')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/models', 'fa39ab3464803e4fa7c4fe025d827f65ef21fadb7db4f52d4cc384cf7d976114')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/files', '4cde8709d2e68cbd980d5de090c2838d7ecaee1f7bc2c8125600a50f74e12bc8')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/messages', '586f536e86a930d2a8a6e73f524095f8b786f67f1900a2b24363e4bda885ebaa')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/notes', '3a1577f2b1b3e88b8b0569a5c0ba5d7cc231d484f31fad8c3266f4da7736c201')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/prompts', '256c97013c60c6d48a2b488a57cc96a2cf612613472fc767d7e71b2780d6d888')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/tools', '1452aa78381371b2cd95b84662f286d51bbc752ef04e04677bc29d69362892b1')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/functions', '8fac4d6e84260e6118a962f2e23918b51dace555583fa0deda273b6d06383e68')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/skills', 'c4a80ea25f9d937841fc85c9c8404404a6c28404350619ceb6a44cec5ec8c361')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/knowledge', '871f2f81c432b51d521af91767e9b8b7ad325238d8018fcd814259ee472c9301')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/memories', '7d9a4138b16777fbd4bede798e2403bd7808fab9319a9a148780bc21806cbdea')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/feedbacks', '556660105d13d1225adc9e53b9a8ef41c2898049a2d05e5bb720c6d02389553b')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/automations', 'd2a51c704b75883a32bb72260e2d4a64f5015704e29416fe35bef98277075cd6')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/calendar', '736fafcaea0dba61245cd0c6f5dc92c79dff1b7aca0271ac002ce265d0edf575')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/apps', 'fa36d7e49ebf98bc6a2bc105245aa2d29f45ad538c56de697b5501f20bec86b1')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '15')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
