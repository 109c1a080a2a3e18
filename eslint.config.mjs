import js from "@eslint/js";

import { noValueInSql } from "./tools/eslint/sql.mjs";
import { noAppInTransaction, noParsingInTransaction } from "./tools/eslint/transactions.mjs";

/** Modules that begin transactions, or have nothing to do with one. */
const MAY_USE_APP = ["dispatch", "version", "embedded", "ui"].map(
  (name) => `assets/pb_hooks/owui/${name}.js`,
);

const owui = {
  rules: {
    "no-app-in-transaction": noAppInTransaction,
    "no-parsing-in-transaction": noParsingInTransaction,
    "no-value-in-sql": noValueInSql,
  },
};

export default [
  {
    ...js.configs.recommended,
    rules: {
      ...js.configs.recommended.rules,
      "no-undef": "off", // tsc knows what PocketBase declares
    },
  },
  {
    files: ["assets/**/*.js"],
    languageOptions: { sourceType: "commonjs" },
    linterOptions: { noInlineConfig: true }, // no file lifts a rule for itself
    plugins: { owui },
    rules: {
      "owui/no-app-in-transaction": "error",
      "owui/no-parsing-in-transaction": "error",
      "owui/no-value-in-sql": "error",
      "no-restricted-globals": [
        "error",
        { name: "$app", message: "Take the app as a parameter: inside of a transaction it is another one." },
      ],
    },
  },
  { files: MAY_USE_APP, rules: { "no-restricted-globals": "off" } },
];
