// @ts-check

/**
 * The host's table `file`: what was uploaded, without the contents, which are in a field of the same record.
 *
 * A record is made when the contents come and is `pending` until its row is inserted; no method sees it before. The
 * extracted text, `data.content` of the host, is apart in `text`: rows go out with the text behind their columns, or
 * with an empty one for those who do not look at it, so that SQLite does not read it.
 */

const { inserts, assignments, execute } = require("./lib/bulk.js");
const { merge } = require("./lib/json.js");
const { heard } = require("./lib/listeners.js");
const { PAGE } = require("./lib/paging.js");
const records = require("./lib/records.js");
const { tables, arg, given, matches, row, isRow, one, many, query } = require("./lib/rows.js");

const FILE = tables.file;
const TEXT = `iif(${arg("with_text")}, f.text, '')`;
const WHOLE = row(FILE, "f", [TEXT]);
const METADATA = WHOLE.replace(TEXT, "''").replace("f.data", "NULL");
const ALL = `FROM owui_files f WHERE ${isRow(FILE, "f")}`;
const BY_ID = `${ALL} AND f.id = ${arg("id")}`;
const BY_IDS = `${ALL} AND f.id IN ${given("ids")}`;
const OF_USER = `${ALL} AND ${matches(FILE, "f", "user_id")}`;
const LATEST_CHANGE_FIRST = "f.updated_at DESC, f.id DESC";
const LATEST_FIRST = "f.created_at DESC, f.id DESC";
const LATEST_CHANGE_BY_ID = "f.updated_at DESC, f.id"; // with the ids as keys, the stock query meets rows in their order

/** The uploads for a knowledge that are being processed; in these very words there is an index. */
const FOR_KNOWLEDGE = "iif(json_valid(f.meta), f.meta ->> '$.data.knowledge_id', NULL)";
const STATUS = "iif(json_valid(f.data), f.data ->> '$.status', NULL)";

/**
 * The files of a user, or of all. A user with an id is never None, so an index has all that this looks at.
 *
 * @param {{ user_id: string | null }} args
 */
const files = ({ user_id }) => (user_id ? `${ALL} AND f.user_id = ${arg("user_id")}` : ALL);

/**
 * SQL of a page of rows. What is not on it is not read: its ids come from an index.
 *
 * @param {string} rest SQL from FROM on
 * @param {string} order
 */
function page(rest, order) {
  const ids = `(SELECT f.id ${rest} ORDER BY ${order} ${PAGE})`;
  return many(WHOLE, `FROM ${ids} p CROSS JOIN owui_files f ON f.id = p.id`, order);
}

/** @type {Record<string, import("./methods.js").Read>} */
const reads = {
  get_file_by_id: one(`SELECT ${WHOLE} ${BY_ID}`),
  get_file_by_id_and_user_id: one(`SELECT ${WHOLE} ${BY_ID} AND ${matches(FILE, "f", "user_id")}`),
  get_file_metadata_by_id: one(`SELECT ${METADATA} ${BY_ID}`),
  get_files: many(WHOLE, ALL, "f.rowid"),
  get_files_by_user_id: many(WHOLE, OF_USER, "f.rowid"),
  get_files_by_ids: many(WHOLE, BY_IDS, LATEST_CHANGE_BY_ID),
  get_file_metadatas_by_ids: many(METADATA, BY_IDS, LATEST_CHANGE_BY_ID),
  count_files_by_user_id: (args) => `SELECT count(*) AS json ${files(args)}`,

  /** The number of a user's files, or of all, and a page of these. */
  get_file_list: (args) => `SELECT json_object('total', (SELECT count(*) ${files(args)}),
    'rows', json((${page(files(args), LATEST_CHANGE_FIRST)}))) AS json`,

  /** Those whose name, without case, is like `pattern`, which is in lower case; all if there is none. */
  search_files: (args) => {
    const named = args.pattern === null ? "" : ` AND f.filename_folded LIKE ${arg("pattern")} ESCAPE '\\'`;
    return page(files(args) + named, LATEST_FIRST);
  },

  get_pending_files_for_knowledge: many(
    WHOLE,
    `${ALL} AND ${FOR_KNOWLEDGE} = ${arg("knowledge_id")} AND ${STATUS} IN ('pending', 'processing')`,
    "f.created_at DESC, f.rowid",
  ),

  get_texts: many("json_array(f.id, f.text)", `${BY_IDS} AND f.text != ''`, "f.rowid"),

  /**
   * Those of the files whose text is like `pattern`, which is in lower case. `folds`: letters that SQLite does not put
   * into lower case, and what they become.
   *
   * @param {{ folds: [string, string][] }} args
   */
  get_ids_with_text_like: ({ folds }) => {
    let text = `substr(iif(f.text != '', f.text, f.data ->> '$.content'), 1, ${arg("length")})`;
    for (let at = 0; at < folds.length; at++) {
      text = `replace(${text}, ${arg(`folds[${at}][0]`)}, ${arg(`folds[${at}][1]`)})`;
    }
    return many("f.id", `${BY_IDS} AND ${text} LIKE ${arg("pattern")}`, "f.rowid");
  },
};

const COMPLETED = [...FILE.columns.map(({ field }) => field), "filename_folded", "text", "nulls"]
  .filter((field) => field !== "id")
  .map((field) => `${field} = excluded.${field}`)
  .join(", ");

/** Insert a row: complete the pending record that has its id, or make one. */
const INSERT = `${inserts(FILE, "$.files", { pending: "FALSE", contents: "''", sha256: "''" })} WHERE TRUE
  ON CONFLICT (id) DO UPDATE SET ${COMPLETED}, pending = FALSE, updated = excluded.updated WHERE pending = TRUE`;

/** The parameters of the read that answers a write. */
const ANSWERED = `SELECT json_object('id', body ->> '$.id', 'with_text', json(iif(body ->> '$.with_text', 'true', 'false')))
  AS json FROM (SELECT {:body} AS body)`;

/** A change without the text that it sets, and that text: with megabytes in it each statement would take long. */
const APART = `SELECT json_remove(body, '$.changes.text') AS rest, coalesce(body ->> '$.changes.text', '') AS text,
  json_type(body, '$.changes.text') IS NOT NULL AS has_text FROM (SELECT {:body} AS body)`;

/** What a change of a file needs to know: names of the fields it sets, and texts of what it merges. */
const CHANGING = one(`SELECT json_object(
    'names', (SELECT json_group_array(key) FROM json_each({:body}, '$.changes')),
    'data', f.data, 'meta', f.meta,
    'new_data', ${arg("merged.data")}, 'new_meta', ${arg("merged.meta")}) ${BY_ID}`);

/**
 * Delete records that PocketBase has to delete itself, for the sake of their contents, which it does after the commit.
 *
 * Nothing but the id is read of them, however long their texts are, unless somebody is told what they were.
 *
 * @param {CoreApp} tx
 * @param {string[]} ids
 */
function remove(tx, ids) {
  if (heard(tx).includes(FILE.collection)) {
    records.remove(tx, FILE, ids);
    return;
  }
  const collection = tx.findCachedCollectionByNameOrId(FILE.collection);
  for (const id of ids) {
    const record = new Record(collection);
    record.load({ id });
    record.markAsNotNew();
    tx.delete(record);
  }
}

/** @type {Record<string, import("./methods.js").Write>} */
const writes = {
  /** Insert a row; a taken id is a conflict. */
  insert_new_file(tx, _args, body) {
    if (!execute(tx, INSERT, body)) {
      throw { status: 409, code: "conflict", message: "owui_files: the id is taken" };
    }
    return query(tx, ANSWERED, body);
  },

  /** Set columns, and merge what is given of data and meta into these; null if there is no such file. */
  update_file(tx, _args, body) {
    const apart = new DynamicModel({ rest: "", text: "", has_text: false });
    tx.db().newQuery(APART).bind({ body }).one(apart);
    const { rest, text, has_text } = /** @type {{ rest: string, text: string, has_text: boolean }} */ (
      /** @type {unknown} */ (apart)
    );
    const found = JSON.parse(query(tx, CHANGING, rest));
    if (!found) {
      return "null";
    }
    /** @type {Record<string, string>} */
    const set = has_text ? { text } : {};
    for (const name of ["data", "meta"]) {
      if (found[`new_${name}`] !== null) {
        set[name] = merge(found[name], found[`new_${name}`]);
      }
    }
    const changes = [
      ...Object.keys(set).map((name) => `${name} = {:${name}}`),
      assignments(FILE, found.names),
    ];
    tx.db()
      .newQuery(`UPDATE owui_files AS f SET ${changes.join(", ")} WHERE f.id = ${arg("id")}`)
      .bind({ ...set, body: rest })
      .execute();
    return query(tx, ANSWERED, rest);
  },

  delete_file_by_id(tx, _args, body) {
    remove(tx, JSON.parse(query(tx, many("f.id", BY_ID, "f.rowid"), body)));
    return "true";
  },

  /** Delete all rows; what is pending stays, as an upload that goes on has no row yet. */
  delete_all_files(tx, _args, body) {
    remove(tx, JSON.parse(query(tx, many("f.id", `${ALL} AND f.contents != ''`, "f.rowid"), body)));
    execute(tx, `DELETE FROM owui_files AS f WHERE ${isRow(FILE, "f")}`, body);
    return "true";
  },
};

const answers = {
  insert_new_file: reads.get_file_by_id,
  update_file: reads.get_file_by_id,
};

const unparsed = Object.keys(writes);

module.exports = { reads, writes, answers, unparsed };
