// What PocketBase's JavaScript runtime offers and its generated types.d.ts leaves out.

/**
 * Loads a CommonJS module. The path is built from `__hooks`, so the result is unchecked; for a checked one put
 * a type on the variable: `@type {typeof import("./other.js")}`.
 */
declare function require(path: string): any;

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
  oauth2?: { enabled: boolean };
  otp?: { enabled: boolean };
  mfa?: { enabled: boolean };
  authAlert?: { enabled: boolean };
}
