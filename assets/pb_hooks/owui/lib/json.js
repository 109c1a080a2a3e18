// @ts-check

/**
 * JSON objects as text, taken apart at their top level only.
 *
 * JSON.parse would round integers above 2^53 and turn 1.0 into 1; the members' texts are kept as they are.
 */

/**
 * @param {string} text
 * @param {number} start index of the opening quote
 * @returns {number} index behind the closing quote
 */
function stringEnd(text, start) {
  let end = start;
  let backslashes = 1;
  while (backslashes % 2) {
    end = text.indexOf('"', end + 1);
    if (end < 0) {
      throw new SyntaxError("unterminated string");
    }
    backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") {
      backslashes++;
    }
  }
  return end + 1;
}

/**
 * @param {string} text
 * @param {number} start index of the value's first character
 * @returns {number} index behind the value
 */
function valueEnd(text, start) {
  if (text[start] === '"') {
    return stringEnd(text, start);
  }
  if (text[start] !== "{" && text[start] !== "[") {
    const rest = /[,}\]\s]/g;
    rest.lastIndex = start;
    const found = rest.exec(text);
    return found ? found.index : text.length;
  }
  const structure = /["{}[\]]/g;
  structure.lastIndex = start;
  let depth = 0;
  for (let found = structure.exec(text); found; found = structure.exec(text)) {
    if (found[0] === '"') {
      structure.lastIndex = stringEnd(text, found.index);
    } else {
      depth += found[0] === "{" || found[0] === "[" ? 1 : -1;
      if (depth === 0) {
        return found.index + 1;
      }
    }
  }
  throw new SyntaxError("unterminated value");
}

/**
 * @param {string} text
 * @param {number} start
 */
function skipSpace(text, start) {
  while (start < text.length && " \t\r\n".includes(text[start])) {
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
  if (text[at] !== "{") {
    throw new SyntaxError("not an object");
  }
  at = skipSpace(text, at + 1);
  while (text[at] === '"') {
    const keyEnd = stringEnd(text, at);
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1); // behind the colon
    const end = valueEnd(text, start);
    found.set(JSON.parse(text.slice(at, keyEnd)), text.slice(start, end));
    at = skipSpace(text, skipSpace(text, end) + 1); // behind the comma
  }
  return found;
}

/** @param {string} text */
function isNothing(text) {
  const value = text.startsWith("{") || JSON.parse(text || "null");
  return !value || (Array.isArray(value) && value.length === 0);
}

/**
 * Python's `{**(old or {}), **changes}` on JSON texts.
 *
 * @param {string} old JSON text; what is no object counts as {} where Python takes it for false
 * @param {string} changes JSON text of an object
 */
function merge(old, changes) {
  const merged = members(isNothing(old) ? "{}" : old);
  for (const [key, value] of members(changes)) {
    merged.set(key, value);
  }
  return object(merged);
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

module.exports = { members, merge, object, equal };
