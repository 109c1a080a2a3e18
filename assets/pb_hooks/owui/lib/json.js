// @ts-check

/**
 * JSON objects as text, taken apart at their top level only.
 *
 * JSON.parse would round integers above 2^53 and turn 1.0 into 1; the members' texts are kept as they are.
 *
 * A text is looked through once, character by character: goja copies the whole text for each match of a regular
 * expression that begins elsewhere than at its start.
 */

/** Codes of characters: `"`, `,`, `[`, `\`, `]`, `{` and `}`. */
const [QUOTE, COMMA, OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [
  0x22, 0x2c, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d,
];
/** What JSON allows between its parts is not above it. */
const SPACE = 0x20;

/**
 * @param {string} text
 * @param {number} start index of the opening quote
 * @returns {number} index behind the closing quote
 */
function stringEnd(text, start) {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text.charCodeAt(first - 1) === BACKSLASH) {
      first--;
    }
    if ((end - first) % 2 === 0) {
      return end + 1;
    }
  }
  throw new SyntaxError("unterminated string");
}

/**
 * @param {string} text
 * @param {number} start index of the value's first character
 * @returns {number} index behind the value
 */
function valueEnd(text, start) {
  const first = text.charCodeAt(start);
  if (first === QUOTE) {
    return stringEnd(text, start);
  }
  return first === OPEN_OBJECT || first === OPEN_LIST ? containerEnd(text, start) : scalarEnd(text, start);
}

/**
 * @param {string} text
 * @param {number} start index of the opening bracket
 * @returns {number} index behind the closing bracket
 */
function containerEnd(text, start) {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at) - 1;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      depth++;
    } else if ((code === CLOSE_OBJECT || code === CLOSE_LIST) && --depth === 0) {
      return at + 1;
    }
  }
  throw new SyntaxError("unterminated value");
}

/**
 * @param {string} text
 * @param {number} start index of the first character of a number, true, false or null
 * @returns {number} index behind it
 */
function scalarEnd(text, start) {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === CLOSE_OBJECT || code === CLOSE_LIST || code <= SPACE) {
      return at;
    }
  }
  return text.length;
}

/**
 * @param {string} text
 * @param {number} start
 */
function skipSpace(text, start) {
  while (text.charCodeAt(start) <= SPACE) {
    start++;
  }
  return start;
}

/**
 * The members of a JSON object: key -> JSON text of the value, in order; of equal keys the last value counts.
 *
 * @param {string} text
 * @returns {Map<string, string>}
 */
function members(text) {
  /** @type {Map<string, string>} */
  const found = new Map();
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== OPEN_OBJECT) {
    throw new SyntaxError("not an object");
  }
  at = skipSpace(text, at + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const keyEnd = stringEnd(text, at);
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1); // behind the colon
    const end = valueEnd(text, start);
    found.set(JSON.parse(text.slice(at, keyEnd)), text.slice(start, end));
    at = skipSpace(text, skipSpace(text, end) + 1); // behind the comma
  }
  return found;
}

/**
 * Whether Python takes a value for false.
 *
 * @param {string} text JSON text
 */
function isNothing(text) {
  const value = text.startsWith("{") || JSON.parse(text || "null");
  return !value || (Array.isArray(value) && value.length === 0);
}

/**
 * The members of Python's `{**(old or {}), **changes}`, given as JSON texts.
 *
 * @param {string | number | null} old what a JSON column has: JSON text, a bare number, or null in a record that was made
 *   in the dashboard; what is no object counts as {} where Python takes it for false
 * @param {string} changes JSON text of an object
 */
function merged(old, changes) {
  const text = String(old ?? "");
  const found = members(isNothing(text) ? "{}" : text);
  for (const [key, value] of members(changes)) {
    found.set(key, value);
  }
  return found;
}

/**
 * Python's `{**(old or {}), **changes}` on JSON texts.
 *
 * @param {string | number | null} old see `merged`
 * @param {string} changes JSON text of an object
 */
function merge(old, changes) {
  return object(merged(old, changes));
}

/**
 * A JSON object of members: key and JSON text of the value.
 *
 * @param {Iterable<[string, string]>} members
 */
function object(members) {
  return `{${[...members].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`;
}

/**
 * Whether two parsed values are equal, whatever the order of their keys; Python's `==`.
 *
 * @param {any} one
 * @param {any} other
 * @returns {boolean}
 */
function equal(one, other) {
  if (!one || !other || typeof one !== "object" || typeof other !== "object") {
    return one === other;
  }
  const keys = Object.keys(one);
  return (
    Array.isArray(one) === Array.isArray(other) &&
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && equal(one[key], other[key]))
  );
}

/**
 * Whether a JSON text says what another one does, with keys in another order: SQLAlchemy takes that for no change, and
 * what is stored stays as it is.
 *
 * @param {unknown} old what a JSON column has
 * @param {unknown} text
 */
function isReordered(old, text) {
  return (
    typeof old === "string" &&
    typeof text === "string" &&
    old.length === text.length &&
    !/\d{16}/.test(text) && // integers that JavaScript cannot tell apart
    equal(JSON.parse(old), JSON.parse(text))
  );
}

module.exports = { members, merged, merge, object, isReordered, equal };
