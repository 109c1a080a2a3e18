// What PocketBase's JavaScript runtime offers and its generated types.d.ts leaves out.

/** What owui.pb.js loads. A path with `__hooks` in it says nothing to tsc: these are the types behind such paths. */
interface HookModules {
  "backup.js": typeof import("../assets/pb_hooks/owui/backup.js");
  "lib/listeners.js": typeof import("../assets/pb_hooks/owui/lib/listeners.js");
  "channels/dashboard.js": typeof import("../assets/pb_hooks/owui/channels/dashboard.js");
  "chats/dashboard.js": typeof import("../assets/pb_hooks/owui/chats/dashboard.js");
  "dashboard.js": typeof import("../assets/pb_hooks/owui/dashboard.js");
  "dispatch.js": typeof import("../assets/pb_hooks/owui/dispatch.js");
  "embedded.js": typeof import("../assets/pb_hooks/owui/embedded.js");
  "models/dashboard.js": typeof import("../assets/pb_hooks/owui/models/dashboard.js");
  "lib/rows.js": typeof import("../assets/pb_hooks/owui/lib/rows.js");
  "changes/broadcast.js": typeof import("../assets/pb_hooks/owui/changes/broadcast.js");
  "changes/announce.js": typeof import("../assets/pb_hooks/owui/changes/announce.js");
  "storage/contents.js": typeof import("../assets/pb_hooks/owui/storage/contents.js");
  "ui.js": typeof import("../assets/pb_hooks/owui/ui.js");
  "proof.js": typeof import("../assets/pb_hooks/owui/proof.js");
  "version.js": typeof import("../assets/pb_hooks/owui/version.js");
}

/** Loads a CommonJS module: owui.pb.js by an absolute path, the others by a relative one, which tsc follows. */
declare function require<Path extends keyof HookModules>(path: `${string}/owui/${Path}`): HookModules[Path];
declare function require(path: `./${string}` | `../${string}`): any;

type Print = (...values: unknown[]) => void;

/** Writes to the server's standard output. */
declare const console: { log: Print; info: Print; warn: Print; error: Print; debug: Print };

interface CollectionFieldSpec {
  name: string;
  type:
    | "autodate"
    | "bool"
    | "date"
    | "editor"
    | "email"
    | "file"
    | "geoPoint"
    | "json"
    | "number"
    | "password"
    | "relation"
    | "select"
    | "text"
    | "url";
  [option: string]: unknown;
}

/** What `new Collection` takes: plain data, not the methods that types.d.ts asks for. */
interface CollectionSpec {
  name: string;
  type: "base" | "view" | "auth";
  id?: string;
  system?: boolean;
  fields?: CollectionFieldSpec[];
  indexes?: string[];
  listRule?: string | null;
  viewRule?: string | null;
  createRule?: string | null;
  updateRule?: string | null;
  deleteRule?: string | null;
  viewQuery?: string;
  authRule?: string | null;
  manageRule?: string | null;
  passwordAuth?: { enabled: boolean; identityFields: string[] };
  oauth2?: { enabled: boolean; mappedFields?: Record<string, string> };
  otp?: { enabled: boolean };
  mfa?: { enabled: boolean };
  authAlert?: { enabled: boolean };
}

/** The hook for the start of the web server: types.d.ts has no hooks of apps, of which scripts need this one. */
interface PocketBase {
  onServe(): { bindFunc(handler: (e: core.ServeEvent) => void): void };
}
