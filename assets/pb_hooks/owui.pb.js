// @ts-check

// Handlers see only their own scope (each runs in an isolated runtime), so each loads what it needs.

const { collections } = require(`${__hooks}/owui/dashboard.js`);

// Before all others, which see what the record becomes.
onRecordCreateRequest((e) => require(`${__hooks}/owui/dashboard.js`).made(e), ...collections);
onRecordUpdateRequest((e) => require(`${__hooks}/owui/dashboard.js`).edited(e), ...collections);

// Before all others of their kind: what is written already must not be written again.
onRecordCreateExecute(
  (e) => require(`${__hooks}/owui/changes/broadcast.js`).execute(e, "create"),
  ...collections,
);
onRecordUpdateExecute(
  (e) => require(`${__hooks}/owui/changes/broadcast.js`).execute(e, "update"),
  ...collections,
);
onRecordDeleteExecute(
  (e) => require(`${__hooks}/owui/changes/broadcast.js`).execute(e, "delete"),
  ...collections,
);

for (const written of [onRecordCreateRequest, onRecordUpdateRequest]) {
  written(
    (e) => require(`${__hooks}/owui/dashboard.js`).refold(e),
    "owui_users",
    "owui_groups",
    "owui_files",
    "owui_shared_chats",
    "owui_models",
  );
  written((e) => require(`${__hooks}/owui/dashboard.js`).emptied(e, "parent_id"), "owui_folders");
  written((e) => require(`${__hooks}/owui/chats/dashboard.js`).chat(e), "owui_chats");
  written((e) => require(`${__hooks}/owui/chats/dashboard.js`).message(e), "owui_chat_messages");
  written((e) => require(`${__hooks}/owui/chats/dashboard.js`).tag(e), "owui_tags");
}

for (const written of [onRecordCreateExecute, onRecordUpdateExecute]) {
  written((e) => require(`${__hooks}/owui/chats/dashboard.js`).writtenChat(e), "owui_chats");
  written(
    (e) => require(`${__hooks}/owui/channels/dashboard.js`).written(e),
    "owui_channels",
    "owui_channel_members",
    "owui_channel_files",
    "owui_channel_webhooks",
    "owui_messages",
    "owui_message_reactions",
  );
}

onRecordCreateExecute((e) => require(`${__hooks}/owui/chats/dashboard.js`).number(e, 1), "owui_chats");
onRecordCreateExecute(
  (e) => require(`${__hooks}/owui/chats/dashboard.js`).number(e, -1),
  "owui_chat_messages",
  "owui_messages",
);
onRecordUpdateRequest((e) => require(`${__hooks}/owui/storage/contents.js`).replaced(e), "owui_files");

onRecordDeleteRequest(
  (e) => require(`${__hooks}/owui/chats/dashboard.js`).deletedMessage(e),
  "owui_chat_messages",
);
onRecordDeleteRequest((e) => require(`${__hooks}/owui/chats/dashboard.js`).deletedTag(e), "owui_tags");
onRecordDeleteRequest((e) => require(`${__hooks}/owui/dashboard.js`).deletedFolder(e), "owui_folders");
onRecordDeleteRequest((e) => require(`${__hooks}/owui/models/dashboard.js`).deletedModel(e), "owui_models");
onRecordDeleteExecute((e) => require(`${__hooks}/owui/chats/dashboard.js`).deletedChat(e), "owui_chats");
onRecordDeleteExecute(
  (e) => require(`${__hooks}/owui/channels/dashboard.js`).deletedChannel(e),
  "owui_channels",
);
onRecordDeleteExecute(
  (e) => require(`${__hooks}/owui/channels/dashboard.js`).deletedMessage(e),
  "owui_messages",
);
onRecordDeleteExecute(
  (e) => require(`${__hooks}/owui/dashboard.js`).deleteAlone(e),
  "owui_tags",
  "owui_folders",
);

for (const written of [onRecordAfterCreateSuccess, onRecordAfterUpdateSuccess, onRecordAfterDeleteSuccess]) {
  written((e) => require(`${__hooks}/owui/changes/announce.js`).written(e), ...collections);
}

onRealtimeSubscribeRequest((e) => require(`${__hooks}/owui/lib/listeners.js`).subscribed(e));
onCollectionAfterUpdateSuccess((e) => require(`${__hooks}/owui/lib/listeners.js`).ruled(e), ...collections);

// For everybody: it comes before the credentials.
routerAdd("GET", "/api/owui/proof", (e) => require(`${__hooks}/owui/proof.js`).answer(e));

routerAdd(
  "GET",
  "/api/owui/version",
  (e) => require(`${__hooks}/owui/version.js`).answer(e),
  $apis.requireSuperuserAuth(),
);

routerAdd(
  "POST",
  "/api/owui/{method...}",
  (e) => require(`${__hooks}/owui/dispatch.js`).answer(e),
  $apis.requireSuperuserAuth(),
  $apis.bodyLimit(1 << 29),
);

onRecordCreateExecute((e) => require(`${__hooks}/owui/chats/dashboard.js`).madeTag(e), "owui_tags");

// What other programs do in SQL; a worker of Open WebUI that reads the feed does so at once.
cronAdd("owui_stale_tags", "* * * * *", () => require(`${__hooks}/owui/dispatch.js`).settle());
// A process that deletes many chats starts it at once; after a crash it runs by itself.
cronAdd("owui_remains", "* * * * *", () => require(`${__hooks}/owui/dispatch.js`).clear());
cronAdd("owui_prune", "*/5 * * * *", () => require(`${__hooks}/owui/dispatch.js`).prune());

for (const archiving of [onBackupCreate, onBackupRestore]) {
  archiving((e) => require(`${__hooks}/owui/backup.js`).withoutRunDirectory(e));
}

require(`${__hooks}/owui/version.js`).notePocketBase();

require(`${__hooks}/owui/ui.js`).extend();

onBootstrap((e) => {
  e.next();
  require(`${__hooks}/owui/version.js`).note();
  require(`${__hooks}/owui/embedded.js`).prepare();
});
