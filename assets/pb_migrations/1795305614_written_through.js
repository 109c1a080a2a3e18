// @ts-check
migrate(
  (app) => {
    const found = new DynamicModel({ version: 0 });
    app
      .db()
      .newQuery("SELECT CAST(max(value) AS INTEGER) AS version FROM owui_meta WHERE key = 'schema'")
      .one(found);
    if (/** @type {any} */ (found).version >= 15) {
      return; // the schema was brought here, or further, over the admin API
    }
    if (!app.hasTable("owui_notes")) {
      const collection = new Collection({
        name: "owui_notes",
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
          { name: "meta", type: "json", maxSize: 1000000000 },
          { name: "created_at", type: "text", max: 1000000000 },
          { name: "updated_at", type: "text", max: 1000000000 },
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
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "updated_at", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_notes_user_id` ON `owui_notes` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_notes_id_nocase` ON `owui_notes` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_pinned_notes")) {
      app.save(
        new Collection({
          name: "owui_pinned_notes",
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
              name: "note_id",
              type: "relation",
              collectionId: "pbc_1768674422",
              cascadeDelete: true,
              maxSelect: 1,
            },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_pinned_notes_user_id_note_id` ON `owui_pinned_notes` (`user_id`, `note_id`)",
            "CREATE INDEX `idx_owui_pinned_notes_note_id` ON `owui_pinned_notes` (`note_id`)",
            "CREATE UNIQUE INDEX `idx_owui_pinned_notes_id_nocase` ON `owui_pinned_notes` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_prompts")) {
      const collection = new Collection({
        name: "owui_prompts",
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
          { name: "command", type: "text", max: 1000000000 },
          { name: "user_id", type: "text", max: 1000000000 },
          { name: "name", type: "text", max: 1000000000 },
          { name: "data", type: "json", maxSize: 1000000000 },
          { name: "meta", type: "json", maxSize: 1000000000 },
          { name: "tags", type: "json", maxSize: 1000000000 },
          { name: "is_active", type: "bool" },
          { name: "version_id", type: "text", max: 1000000000 },
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
            { name: "command", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "name", type: "text", max: 1000000000 },
            { name: "content", type: "text", max: 1000000000 },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "tags", type: "json", maxSize: 1000000000 },
            { name: "is_active", type: "bool" },
            { name: "version_id", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_prompts_command` ON `owui_prompts` (`command`) WHERE `command` != ''",
            "CREATE INDEX `idx_owui_prompts_user_id` ON `owui_prompts` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_prompts_id_nocase` ON `owui_prompts` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_prompt_histories")) {
      const collection = new Collection({
        name: "owui_prompt_histories",
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
          { name: "prompt_id", type: "text", max: 1000000000 },
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
            { name: "prompt_id", type: "text", max: 1000000000 },
            { name: "parent_id", type: "text", max: 1000000000 },
            { name: "snapshot", type: "json", maxSize: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "commit_message", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_prompt_histories_prompt_id` ON `owui_prompt_histories` (`prompt_id`)",
            "CREATE INDEX `idx_owui_prompt_histories_parent_id` ON `owui_prompt_histories` (`parent_id`)",
            "CREATE INDEX `idx_owui_prompt_histories_user_id` ON `owui_prompt_histories` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_prompt_histories_id_nocase` ON `owui_prompt_histories` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_tools")) {
      const collection = new Collection({
        name: "owui_tools",
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
          { name: "version_id", type: "text", max: 1000000000 },
          { name: "user_id", type: "text", max: 1000000000 },
          { name: "name", type: "text", max: 1000000000 },
          { name: "meta", type: "json", maxSize: 1000000000 },
          { name: "updated_at", type: "number" },
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
              pattern: "^[a-z0-9_-]+$",
              min: 1,
              max: 100,
              autogeneratePattern: "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
            },
            { name: "version_id", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "name", type: "text", max: 1000000000 },
            { name: "content", type: "text", max: 1000000000 },
            { name: "specs", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "valves", type: "json", maxSize: 1000000000, hidden: true },
            { name: "updated_at", type: "number" },
            { name: "created_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_tools_user_id` ON `owui_tools` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_tools_id_nocase` ON `owui_tools` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_tool_histories")) {
      const collection = new Collection({
        name: "owui_tool_histories",
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
          { name: "tool_id", type: "text", max: 1000000000 },
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
            { name: "tool_id", type: "text", max: 1000000000 },
            { name: "parent_id", type: "text", max: 1000000000 },
            { name: "snapshot", type: "json", maxSize: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "commit_message", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_tool_histories_tool_id` ON `owui_tool_histories` (`tool_id`)",
            "CREATE INDEX `idx_owui_tool_histories_parent_id` ON `owui_tool_histories` (`parent_id`)",
            "CREATE INDEX `idx_owui_tool_histories_user_id` ON `owui_tool_histories` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_tool_histories_id_nocase` ON `owui_tool_histories` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_functions")) {
      const collection = new Collection({
        name: "owui_functions",
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
          { name: "version_id", type: "text", max: 1000000000 },
          { name: "user_id", type: "text", max: 1000000000 },
          { name: "name", type: "text", max: 1000000000 },
          { name: "type", type: "text", max: 1000000000 },
          { name: "meta", type: "json", maxSize: 1000000000 },
          { name: "is_active", type: "bool" },
          { name: "is_global", type: "bool" },
          { name: "updated_at", type: "number" },
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
              pattern: "^[a-z0-9_-]+$",
              min: 1,
              max: 100,
              autogeneratePattern: "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
            },
            { name: "version_id", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "name", type: "text", max: 1000000000 },
            { name: "type", type: "text", max: 1000000000 },
            { name: "content", type: "text", max: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "valves", type: "json", maxSize: 1000000000, hidden: true },
            { name: "is_active", type: "bool" },
            { name: "is_global", type: "bool" },
            { name: "updated_at", type: "number" },
            { name: "created_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_functions_user_id` ON `owui_functions` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_functions_id_nocase` ON `owui_functions` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_function_histories")) {
      const collection = new Collection({
        name: "owui_function_histories",
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
          { name: "function_id", type: "text", max: 1000000000 },
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
            { name: "function_id", type: "text", max: 1000000000 },
            { name: "parent_id", type: "text", max: 1000000000 },
            { name: "snapshot", type: "json", maxSize: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "commit_message", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_function_histories_function_id` ON `owui_function_histories` (`function_id`)",
            "CREATE INDEX `idx_owui_function_histories_parent_id` ON `owui_function_histories` (`parent_id`)",
            "CREATE INDEX `idx_owui_function_histories_user_id` ON `owui_function_histories` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_function_histories_id_nocase` ON `owui_function_histories` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_skills")) {
      const collection = new Collection({
        name: "owui_skills",
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
          { name: "name", type: "text", max: 1000000000 },
          { name: "description", type: "text", max: 1000000000 },
          { name: "data", type: "json", maxSize: 1000000000 },
          { name: "version_id", type: "text", max: 1000000000 },
          { name: "meta", type: "json", maxSize: 1000000000 },
          { name: "is_active", type: "bool" },
          { name: "updated_at", type: "number" },
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
              pattern: "^[a-z0-9_-]+$",
              min: 1,
              max: 100,
              autogeneratePattern: "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
            },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "name", type: "text", max: 1000000000 },
            { name: "description", type: "text", max: 1000000000 },
            { name: "content", type: "text", max: 1000000000 },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "version_id", type: "text", max: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "is_active", type: "bool" },
            { name: "updated_at", type: "number" },
            { name: "created_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_skills_name` ON `owui_skills` (`name`) WHERE `name` != ''",
            "CREATE INDEX `idx_owui_skills_user_id` ON `owui_skills` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_skills_id_nocase` ON `owui_skills` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_skill_histories")) {
      const collection = new Collection({
        name: "owui_skill_histories",
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
          { name: "skill_id", type: "text", max: 1000000000 },
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
            { name: "skill_id", type: "text", max: 1000000000 },
            { name: "parent_id", type: "text", max: 1000000000 },
            { name: "snapshot", type: "json", maxSize: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "commit_message", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_skill_histories_skill_id` ON `owui_skill_histories` (`skill_id`)",
            "CREATE INDEX `idx_owui_skill_histories_parent_id` ON `owui_skill_histories` (`parent_id`)",
            "CREATE INDEX `idx_owui_skill_histories_user_id` ON `owui_skill_histories` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_skill_histories_id_nocase` ON `owui_skill_histories` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_knowledge")) {
      app.save(
        new Collection({
          name: "owui_knowledge",
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
            { name: "description", type: "text", max: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_knowledge_user_id` ON `owui_knowledge` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_knowledge_id_nocase` ON `owui_knowledge` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_knowledge_directories")) {
      const collection = new Collection({
        name: "owui_knowledge_directories",
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
            name: "knowledge_id",
            type: "relation",
            collectionId: "pbc_1291842684",
            cascadeDelete: true,
            maxSelect: 1,
          },
          { name: "name", type: "text", max: 1000000000 },
          { name: "user_id", type: "text", max: 1000000000 },
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
              name: "knowledge_id",
              type: "relation",
              collectionId: "pbc_1291842684",
              cascadeDelete: true,
              maxSelect: 1,
            },
            {
              name: "parent_id",
              type: "relation",
              collectionId: "pbc_421113325",
              cascadeDelete: true,
              maxSelect: 1,
            },
            { name: "name", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_knowledge_directories_knowledge_id_parent_id_name` ON `owui_knowledge_directories` (`knowledge_id`, `parent_id`, `name`) WHERE `parent_id` != ''",
            "CREATE INDEX `idx_owui_knowledge_directories_parent_id` ON `owui_knowledge_directories` (`parent_id`)",
            "CREATE INDEX `idx_owui_knowledge_directories_user_id` ON `owui_knowledge_directories` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_knowledge_directories_id_nocase` ON `owui_knowledge_directories` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_knowledge_files")) {
      app.save(
        new Collection({
          name: "owui_knowledge_files",
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
              name: "knowledge_id",
              type: "relation",
              collectionId: "pbc_1291842684",
              cascadeDelete: true,
              maxSelect: 1,
            },
            {
              name: "file_id",
              type: "relation",
              collectionId: "pbc_1850028707",
              cascadeDelete: true,
              maxSelect: 1,
            },
            { name: "directory_id", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_knowledge_files_knowledge_id_file_id` ON `owui_knowledge_files` (`knowledge_id`, `file_id`)",
            "CREATE INDEX `idx_owui_knowledge_files_file_id` ON `owui_knowledge_files` (`file_id`)",
            "CREATE INDEX `idx_owui_knowledge_files_directory_id` ON `owui_knowledge_files` (`directory_id`)",
            "CREATE INDEX `idx_owui_knowledge_files_user_id` ON `owui_knowledge_files` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_knowledge_files_id_nocase` ON `owui_knowledge_files` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_memories")) {
      const collection = new Collection({
        name: "owui_memories",
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
          { name: "path", type: "text", max: 1000000000 },
          { name: "meta", type: "json", maxSize: 1000000000 },
          { name: "updated_at", type: "number" },
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
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "type", type: "text", max: 1000000000 },
            { name: "path", type: "text", max: 1000000000 },
            { name: "content", type: "text", max: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "updated_at", type: "number" },
            { name: "created_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_memories_user_id` ON `owui_memories` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_memories_id_nocase` ON `owui_memories` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_feedbacks")) {
      const collection = new Collection({
        name: "owui_feedbacks",
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
          { name: "version", type: "number" },
          { name: "type", type: "text", max: 1000000000 },
          { name: "meta", type: "json", maxSize: 1000000000 },
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
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "version", type: "number" },
            { name: "type", type: "text", max: 1000000000 },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "snapshot", type: "json", maxSize: 1000000000 },
            { name: "created_at", type: "number" },
            { name: "updated_at", type: "number" },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_feedbacks_user_id` ON `owui_feedbacks` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_feedbacks_id_nocase` ON `owui_feedbacks` (`id` COLLATE NOCASE)",
          ],
        },
        collection,
      ); // the columns of new fields are behind the others
      app.save(collection);
    } // else it was created over the admin API
    if (!app.hasTable("owui_automations")) {
      app.save(
        new Collection({
          name: "owui_automations",
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
            { name: "folder_id", type: "text", max: 1000000000 },
            { name: "name", type: "text", max: 1000000000 },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "is_active", type: "bool" },
            { name: "last_run_at", type: "text", max: 1000000000 },
            { name: "next_run_at", type: "text", max: 1000000000 },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "updated_at", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_automations_user_id` ON `owui_automations` (`user_id`)",
            "CREATE INDEX `idx_owui_automations_folder_id` ON `owui_automations` (`folder_id`)",
            "CREATE UNIQUE INDEX `idx_owui_automations_id_nocase` ON `owui_automations` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_automation_runs")) {
      app.save(
        new Collection({
          name: "owui_automation_runs",
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
            { name: "automation_id", type: "text", max: 1000000000 },
            { name: "chat_id", type: "text", max: 1000000000 },
            { name: "status", type: "text", max: 1000000000 },
            { name: "error", type: "text", max: 1000000000 },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_automation_runs_automation_id` ON `owui_automation_runs` (`automation_id`)",
            "CREATE INDEX `idx_owui_automation_runs_chat_id` ON `owui_automation_runs` (`chat_id`)",
            "CREATE UNIQUE INDEX `idx_owui_automation_runs_id_nocase` ON `owui_automation_runs` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_calendars")) {
      app.save(
        new Collection({
          name: "owui_calendars",
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
            { name: "color", type: "text", max: 1000000000 },
            { name: "is_default", type: "bool" },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "updated_at", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_calendars_user_id` ON `owui_calendars` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_calendars_id_nocase` ON `owui_calendars` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_calendar_events")) {
      app.save(
        new Collection({
          name: "owui_calendar_events",
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
            { name: "calendar_id", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "title", type: "text", max: 1000000000 },
            { name: "description", type: "text", max: 1000000000 },
            { name: "start_at", type: "text", max: 1000000000 },
            { name: "end_at", type: "text", max: 1000000000 },
            { name: "all_day", type: "bool" },
            { name: "rrule", type: "text", max: 1000000000 },
            { name: "color", type: "text", max: 1000000000 },
            { name: "location", type: "text", max: 1000000000 },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "is_cancelled", type: "bool" },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "updated_at", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE INDEX `idx_owui_calendar_events_calendar_id` ON `owui_calendar_events` (`calendar_id`)",
            "CREATE INDEX `idx_owui_calendar_events_user_id` ON `owui_calendar_events` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_calendar_events_id_nocase` ON `owui_calendar_events` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_calendar_event_attendees")) {
      app.save(
        new Collection({
          name: "owui_calendar_event_attendees",
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
            { name: "event_id", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "status", type: "text", max: 1000000000 },
            { name: "meta", type: "json", maxSize: 1000000000 },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "updated_at", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_calendar_event_attendees_event_id_user_id` ON `owui_calendar_event_attendees` (`event_id`, `user_id`)",
            "CREATE INDEX `idx_owui_calendar_event_attendees_user_id` ON `owui_calendar_event_attendees` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_calendar_event_attendees_id_nocase` ON `owui_calendar_event_attendees` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    if (!app.hasTable("owui_apps")) {
      app.save(
        new Collection({
          name: "owui_apps",
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
            { name: "slug", type: "text", max: 1000000000 },
            { name: "name", type: "text", max: 1000000000 },
            { name: "user_id", type: "text", max: 1000000000 },
            { name: "is_active", type: "bool" },
            { name: "data", type: "json", maxSize: 1000000000 },
            { name: "api_key", type: "text", max: 1000000000, hidden: true },
            { name: "created_at", type: "text", max: 1000000000 },
            { name: "updated_at", type: "text", max: 1000000000 },
            { name: "nulls", type: "json", maxSize: 1000000000 },
            { name: "created", type: "autodate", onCreate: true, onUpdate: false },
            { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
          ],
          indexes: [
            "CREATE UNIQUE INDEX `idx_owui_apps_slug` ON `owui_apps` (`slug`)",
            "CREATE INDEX `idx_owui_apps_user_id` ON `owui_apps` (`user_id`)",
            "CREATE UNIQUE INDEX `idx_owui_apps_id_nocase` ON `owui_apps` (`id` COLLATE NOCASE)",
          ],
        }),
      );
    } // else it was created over the admin API
    for (const sql of [
      "CREATE TRIGGER IF NOT EXISTS owui_notes_create AFTER INSERT ON owui_notes BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_notes', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_notes_update AFTER UPDATE ON owui_notes BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_notes', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_notes_delete AFTER DELETE ON owui_notes BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_notes', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_pinned_notes_create AFTER INSERT ON owui_pinned_notes BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_pinned_notes', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_pinned_notes_update AFTER UPDATE ON owui_pinned_notes BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_pinned_notes', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_pinned_notes_delete AFTER DELETE ON owui_pinned_notes BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_pinned_notes', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_prompts_create AFTER INSERT ON owui_prompts BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_prompts', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_prompts_update AFTER UPDATE ON owui_prompts BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_prompts', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_prompts_delete AFTER DELETE ON owui_prompts BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_prompts', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_prompt_histories_create AFTER INSERT ON owui_prompt_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_prompt_histories', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_prompt_histories_update AFTER UPDATE ON owui_prompt_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_prompt_histories', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_prompt_histories_delete AFTER DELETE ON owui_prompt_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_prompt_histories', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_tools_create AFTER INSERT ON owui_tools BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_tools', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_tools_update AFTER UPDATE ON owui_tools BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_tools', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_tools_delete AFTER DELETE ON owui_tools BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_tools', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_tool_histories_create AFTER INSERT ON owui_tool_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_tool_histories', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_tool_histories_update AFTER UPDATE ON owui_tool_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_tool_histories', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_tool_histories_delete AFTER DELETE ON owui_tool_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_tool_histories', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_functions_create AFTER INSERT ON owui_functions BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_functions', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_functions_update AFTER UPDATE ON owui_functions BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_functions', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_functions_delete AFTER DELETE ON owui_functions BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_functions', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_function_histories_create AFTER INSERT ON owui_function_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_function_histories', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_function_histories_update AFTER UPDATE ON owui_function_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_function_histories', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_function_histories_delete AFTER DELETE ON owui_function_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_function_histories', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_skills_create AFTER INSERT ON owui_skills BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_skills', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_skills_update AFTER UPDATE ON owui_skills BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_skills', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_skills_delete AFTER DELETE ON owui_skills BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_skills', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_skill_histories_create AFTER INSERT ON owui_skill_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_skill_histories', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_skill_histories_update AFTER UPDATE ON owui_skill_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_skill_histories', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_skill_histories_delete AFTER DELETE ON owui_skill_histories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_skill_histories', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_knowledge_create AFTER INSERT ON owui_knowledge BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_knowledge', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_knowledge_update AFTER UPDATE ON owui_knowledge BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_knowledge', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_knowledge_delete AFTER DELETE ON owui_knowledge BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_knowledge', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_knowledge_directories_create AFTER INSERT ON owui_knowledge_directories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_knowledge_directories', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_knowledge_directories_update AFTER UPDATE ON owui_knowledge_directories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_knowledge_directories', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_knowledge_directories_delete AFTER DELETE ON owui_knowledge_directories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_knowledge_directories', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_knowledge_files_create AFTER INSERT ON owui_knowledge_files BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_knowledge_files', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_knowledge_files_update AFTER UPDATE ON owui_knowledge_files BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_knowledge_files', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_knowledge_files_delete AFTER DELETE ON owui_knowledge_files BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_knowledge_files', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_memories_create AFTER INSERT ON owui_memories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_memories', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_memories_update AFTER UPDATE ON owui_memories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_memories', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_memories_delete AFTER DELETE ON owui_memories BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_memories', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_feedbacks_create AFTER INSERT ON owui_feedbacks BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_feedbacks', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_feedbacks_update AFTER UPDATE ON owui_feedbacks BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_feedbacks', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_feedbacks_delete AFTER DELETE ON owui_feedbacks BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_feedbacks', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_automations_create AFTER INSERT ON owui_automations BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_automations', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_automations_update AFTER UPDATE ON owui_automations BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_automations', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_automations_delete AFTER DELETE ON owui_automations BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_automations', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_automation_runs_create AFTER INSERT ON owui_automation_runs BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_automation_runs', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), ''); END",
      "CREATE TRIGGER IF NOT EXISTS owui_automation_runs_update AFTER UPDATE ON owui_automation_runs BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_automation_runs', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), ''); END",
      "CREATE TRIGGER IF NOT EXISTS owui_automation_runs_delete AFTER DELETE ON owui_automation_runs BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_automation_runs', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), ''); END",
      "CREATE TRIGGER IF NOT EXISTS owui_calendars_create AFTER INSERT ON owui_calendars BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_calendars', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_calendars_update AFTER UPDATE ON owui_calendars BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_calendars', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_calendars_delete AFTER DELETE ON owui_calendars BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_calendars', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_calendar_events_create AFTER INSERT ON owui_calendar_events BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_calendar_events', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_calendar_events_update AFTER UPDATE ON owui_calendar_events BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_calendar_events', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_calendar_events_delete AFTER DELETE ON owui_calendar_events BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_calendar_events', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_calendar_event_attendees_create AFTER INSERT ON owui_calendar_event_attendees BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_calendar_event_attendees', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_calendar_event_attendees_update AFTER UPDATE ON owui_calendar_event_attendees BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_calendar_event_attendees', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_calendar_event_attendees_delete AFTER DELETE ON owui_calendar_event_attendees BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_calendar_event_attendees', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_apps_create AFTER INSERT ON owui_apps BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_apps', NEW.id, 'create', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(NEW.user_id)); END",
      "CREATE TRIGGER IF NOT EXISTS owui_apps_update AFTER UPDATE ON owui_apps BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_apps', NEW.id, 'update', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), iif(OLD.user_id IS NEW.user_id, json_array(NEW.user_id), json_array(NEW.user_id, OLD.user_id))); END",
      "CREATE TRIGGER IF NOT EXISTS owui_apps_delete AFTER DELETE ON owui_apps BEGIN INSERT INTO owui_changes (collection, record_id, op, at, concerned) VALUES ('owui_apps', OLD.id, 'delete', CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER), json_array(OLD.user_id)); END",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/notes', 'b51d96f850f570bd977f578ae75ed77f1729e1702fab29252330ba4ceeadac8a')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/prompts', 'fc25d03425ea48f575df5f8139ca9eaca02a220865887750f08385bc66543ddb')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/tools', 'd02c613584d5975950edccf04afbbc76c252ebcdc16fd2433fb5348920dd73d2')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/functions', 'fd1c0a586cd2f8edfeabd0351226f4ff6811583c72e0e1ab0f3c25161509a3ac')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/skills', '47a6ec3554934fecdd92422ddcb8655f0c0084f8e3ea87039d9c2ec32d1c2b51')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/knowledge', 'baaa8cd15d0ff8e53c00a590f7ef62e333fc85823f0bdb43c48e9e6c4f271f99')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/memories', '70b56a4260fd67a3b9bf237cf331c27f1d2646a6c8434c83b1e72626d7ff7c6d')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/feedbacks', 'da60e7b323af6937370b71e78db682ddb4e25ddc085c5de875843034d3228f6a')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/automations', '3f5faa3e387e7e9b1ff4bb042bbb33796921ac6008276dd84dd4ef3ea131d366')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/calendar', 'ebd47cba1fdb084752ffbd3f204bb69f07ac8a40ee2ca8f0ad9584e359a0247c')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('digest/apps', '7e605aba307fdc2478a0f550f84ac7937874e8006c6dccaba62febed09bacb21')",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '15')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
  (app) => {
    app.delete(app.findCollectionByNameOrId("owui_apps"));
    app.delete(app.findCollectionByNameOrId("owui_calendar_event_attendees"));
    app.delete(app.findCollectionByNameOrId("owui_calendar_events"));
    app.delete(app.findCollectionByNameOrId("owui_calendars"));
    app.delete(app.findCollectionByNameOrId("owui_automation_runs"));
    app.delete(app.findCollectionByNameOrId("owui_automations"));
    app.delete(app.findCollectionByNameOrId("owui_feedbacks"));
    app.delete(app.findCollectionByNameOrId("owui_memories"));
    app.delete(app.findCollectionByNameOrId("owui_knowledge_files"));
    app.delete(app.findCollectionByNameOrId("owui_knowledge_directories"));
    app.delete(app.findCollectionByNameOrId("owui_knowledge"));
    app.delete(app.findCollectionByNameOrId("owui_skill_histories"));
    app.delete(app.findCollectionByNameOrId("owui_skills"));
    app.delete(app.findCollectionByNameOrId("owui_function_histories"));
    app.delete(app.findCollectionByNameOrId("owui_functions"));
    app.delete(app.findCollectionByNameOrId("owui_tool_histories"));
    app.delete(app.findCollectionByNameOrId("owui_tools"));
    app.delete(app.findCollectionByNameOrId("owui_prompt_histories"));
    app.delete(app.findCollectionByNameOrId("owui_prompts"));
    app.delete(app.findCollectionByNameOrId("owui_pinned_notes"));
    app.delete(app.findCollectionByNameOrId("owui_notes"));
    for (const sql of [
      "DELETE FROM owui_meta WHERE key = 'digest/notes'",
      "DELETE FROM owui_meta WHERE key = 'digest/prompts'",
      "DELETE FROM owui_meta WHERE key = 'digest/tools'",
      "DELETE FROM owui_meta WHERE key = 'digest/functions'",
      "DELETE FROM owui_meta WHERE key = 'digest/skills'",
      "DELETE FROM owui_meta WHERE key = 'digest/knowledge'",
      "DELETE FROM owui_meta WHERE key = 'digest/memories'",
      "DELETE FROM owui_meta WHERE key = 'digest/feedbacks'",
      "DELETE FROM owui_meta WHERE key = 'digest/automations'",
      "DELETE FROM owui_meta WHERE key = 'digest/calendar'",
      "DELETE FROM owui_meta WHERE key = 'digest/apps'",
      "INSERT OR REPLACE INTO owui_meta (key, value) VALUES ('schema', '14')",
    ]) {
      app.db().newQuery(sql).execute();
    }
  },
);
