// @ts-check

/**
 * How PocketBase's dashboard shows our collections: this runs in the browser, as an extension of its pages. It changes what
 * is seen of a record, and never the record, so nothing of it costs a write.
 *
 * @typedef {{
 *   record: Record<string, any>,
 *   field: { name: string, type: string },
 *   short?: boolean,
 *   collection?: { name: string },
 * }} Props
 * @typedef {(props: Props) => any} Show
 */

/**
 * What the dashboard offers to extensions: its parts, and what makes elements.
 *
 * @type {{ app: any, t: any }}
 */
const { app, t } = /** @type {any} */ (globalThis);

const { date, json, number, relation, text } = app.fieldTypes;
const plainText = text.view;

/** Collections that have the record which a field names. They are no relations: the other end may be in the SQL database. */
const LEADS_TO = new Map(
  Object.entries({
    owui_users: ["user_id", "updated_by", "pinned_by", "archived_by", "deleted_by", "invited_by"],
    owui_chats: ["chat_id"],
    owui_files: ["file_id"],
    owui_folders: ["folder_id"],
    owui_groups: ["parent_group_id"],
    owui_apps: ["app_id"],
    owui_automations: ["automation_id"],
    owui_calendars: ["calendar_id"],
    owui_calendar_events: ["event_id"],
    owui_knowledge_directories: ["directory_id"],
    owui_prompts: ["prompt_id"],
    owui_tools: ["tool_id"],
    owui_functions: ["function_id"],
    owui_skills: ["skill_id"],
  }).flatMap(([collection, fields]) => fields.map((field) => [field, collection])),
);

/** @param {string | undefined} collection */
const isOurs = (collection) => Boolean(collection?.startsWith("owui_"));

/** @param {string} name of a field */
const isTime = (name) => name.endsWith("_at");

/**
 * A time as PocketBase writes dates; empty if there is none.
 *
 * @param {unknown} value seconds as a number, nanoseconds as a text
 */
function dateOf(value) {
  const milliseconds = typeof value === "number" ? value * 1000 : Math.floor(Number(value) / 1e6);
  const found = new Date(milliseconds);
  const isDate = value && !Number.isNaN(found.getTime()) && found.getUTCFullYear() < 10000;
  return isDate ? found.toISOString().replace("T", " ").replace(".000Z", "Z") : "";
}

/**
 * Show the times among some fields as dates; what is stored is beside them where there is room.
 *
 * @param {Show} stock
 * @returns {Show}
 */
function withDates(stock) {
  return (props) => {
    const { name } = props.field;
    const value = props.record[name];
    if (!isOurs(props.record.collectionName) || !isTime(name) || (value && !dateOf(value))) {
      return stock(props);
    }
    const asDate = {
      get record() {
        return { ...props.record, [name]: dateOf(props.record[name]) };
      },
      field: props.field,
      short: props.short,
    };
    return props.short || !value
      ? date.view(asDate)
      : [date.view(asDate), t.div({ className: "txt-hint" }, stock(props))];
  };
}

/**
 * Below a field in which a time is edited, show its date.
 *
 * @param {Show} stock
 * @returns {Show}
 */
function withDateBelow(stock) {
  return (props) => {
    const element = stock(props);
    if (isOurs(props.collection?.name) && isTime(props.field.name)) {
      element.append(t.div({ className: "field-help" }, () => dateOf(props.record[props.field.name])));
    }
    return element;
  };
}

/**
 * Show what ids lead to.
 *
 * @param {Show} stock
 * @returns {Show}
 */
function withNames(stock) {
  return (props) => {
    const target = LEADS_TO.get(props.field.name);
    const found = target && app.store.collections.find((/** @type {any} */ each) => each.name === target);
    if (!found || !isOurs(props.record.collectionName)) {
      return stock(props);
    }
    return relation.view({
      get record() {
        return props.record;
      },
      field: { ...props.field, type: "relation", collectionId: found.id, maxSelect: 1 },
      short: props.short,
    });
  };
}

/**
 * What a message says in a column: where its entry in the chat says the same, it is stored only there.
 *
 * @param {Record<string, any>} record
 * @param {string} name of the column
 */
function said(record, name) {
  const isInEntry = record.same?.includes(name) || !record.has_row;
  return isInEntry ? record.entry?.[name === "status_history" ? "statusHistory" : name] : record[name];
}

/**
 * Show what messages of chats say.
 *
 * @param {Show} stock
 * @returns {Show}
 */
function withEntries(stock) {
  return (props) => {
    const { name } = props.field;
    const isOfEntry = [
      "role",
      "content",
      "output",
      "files",
      "sources",
      "embeds",
      "status_history",
      "error",
      "usage",
    ];
    if (props.record.collectionName !== "owui_chat_messages" || !isOfEntry.includes(name)) {
      return stock(props);
    }
    const value = said(props.record, name);
    const show = typeof value === "string" && props.short ? plainText : stock;
    return show({ ...props, record: { ...props.record, [name]: value } });
  };
}

Object.assign(number, { view: withDates(number.view), input: withDateBelow(number.input) });
Object.assign(text, { view: withEntries(withNames(withDates(text.view))), input: withDateBelow(text.input) });
Object.assign(json, { view: withEntries(json.view) });
