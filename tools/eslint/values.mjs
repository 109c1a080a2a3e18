/**
 * What is a value of a request, in a file of hooks.
 *
 * Values are `args`, `body` and `request`, whatever is passed to a method in `reads` or `writes`, by any name or
 * pattern, and what is made of these: members, aliases, results of their methods, arguments of the file's own functions.
 * What a function of another file returns is none, nor is a choice among constants.
 */

import { functionOf, variableOf } from "./transactions.mjs";

const SOURCES = new Set(["args", "body", "request"]);

/** Methods whose result says something about a value, but does not have it. */
const TELLING = new Set([
  "every",
  "some",
  "has",
  "includes",
  "indexOf",
  "startsWith",
  "endsWith",
  "test",
  "get",
]);
const ADDING = new Set(["push", "unshift"]);
const MAPPING = new Set(["map", "flatMap"]);
const ITERATING = new Set([...MAPPING, "filter", "forEach", "find", "every", "some"]);
const BUILT_IN = new Set([
  "String",
  "Number",
  "BigInt",
  "Array",
  "Set",
  "Map",
  "Object",
  "JSON",
  "encodeURIComponent",
]);

/**
 * Returns `isValue`, which tells whether an expression is a value of the request.
 *
 * @param {any} sourceCode
 */
export function tracker(sourceCode) {
  /** Nodes and variables that are being looked at: a circle adds nothing. */
  const open = new Set();

  /**
   * @param {any} key
   * @param {() => boolean} look
   */
  function once(key, look) {
    if (open.has(key)) {
      return false;
    }
    open.add(key);
    const found = look();
    open.delete(key);
    return found;
  }

  /** @param {any} node an expression @returns {boolean} */
  function isValue(node) {
    return Boolean(node) && once(node, () => looked(node));
  }

  /** @param {any} node @returns {boolean} */
  function looked(node) {
    switch (node.type) {
      case "Identifier":
        return isNamed(node);
      case "MemberExpression":
        return node.property.name !== "length" && isValue(node.object);
      case "ChainExpression":
      case "AwaitExpression":
        return isValue(node.expression || node.argument);
      case "TemplateLiteral":
        return node.expressions.some(isValue);
      case "BinaryExpression":
        return node.operator === "+" && (isValue(node.left) || isValue(node.right));
      case "LogicalExpression":
        return isValue(node.left) || isValue(node.right);
      case "ConditionalExpression":
        return isValue(node.consequent) || isValue(node.alternate);
      case "AssignmentExpression":
        return isValue(node.right);
      case "SequenceExpression":
        return isValue(node.expressions.at(-1));
      case "ArrayExpression":
        return node.elements.some(isValue);
      case "ObjectExpression":
        return node.properties.some((/** @type {any} */ { value, argument }) => isValue(value || argument));
      case "SpreadElement":
        return isValue(node.argument);
      case "NewExpression":
        return node.arguments.some(isValue);
      case "CallExpression":
        return isResult(node);
      default:
        return false;
    }
  }

  /** @param {any} call @returns {boolean} */
  function isResult({ callee, arguments: given }) {
    if (callee.type === "MemberExpression") {
      const name = callee.property.name;
      const isBuiltIn = BUILT_IN.has(callee.object.name);
      if (TELLING.has(name) && !(name === "get" && isValue(callee.object))) {
        return false;
      }
      if (isModule(callee.object)) {
        return false;
      }
      if (MAPPING.has(name) && functionOf(sourceCode, given[0])) {
        return returned(functionOf(sourceCode, given[0]));
      }
      return isValue(callee.object) || ((isBuiltIn || !isMethodOfTx(callee)) && given.some(isValue));
    }
    const called = functionOf(sourceCode, callee);
    return called ? returned(called) : BUILT_IN.has(callee.name) && given.some(isValue);
  }

  /** @param {any} object of a member expression */
  function isModule(object) {
    const init = object.type === "Identifier" && variableOf(sourceCode, object)?.defs[0]?.node?.init;
    return init?.callee?.name === "require";
  }

  /** @param {any} callee what PocketBase returns was not in the request */
  function isMethodOfTx({ object }) {
    while (object.type === "MemberExpression" || object.type === "CallExpression") {
      object = object.object || object.callee;
    }
    return ["tx", "app", "$app", "e"].includes(object.name);
  }

  /** @param {any} called a function @returns {boolean} */
  function returned(called) {
    return once(called, () => {
      const results = called.body.type === "BlockStatement" ? returnsOf(called.body) : [called.body];
      return results.some(isValue);
    });
  }

  /** @param {any} node @returns {any[]} what is returned there, without functions inside */
  function returnsOf(node) {
    if (node.type === "ReturnStatement") {
      return [node.argument];
    }
    const keys = /Function/.test(node.type) ? [] : sourceCode.visitorKeys[node.type] || [];
    return keys
      .flatMap((/** @type {string} */ key) => node[key])
      .filter(Boolean)
      .flatMap(returnsOf);
  }

  /** @param {any} identifier @returns {boolean} */
  function isNamed(identifier) {
    const variable = variableOf(sourceCode, identifier);
    if (SOURCES.has(identifier.name)) {
      return true;
    }
    return Boolean(variable) && once(variable, () => isVariable(variable));
  }

  /** @param {any} variable @returns {boolean} */
  function isVariable(variable) {
    const isDefined = variable.defs.some((/** @type {any} */ { type, node }) =>
      type === "Parameter" ? isParameter(node, variable) : type === "Variable" && isDeclared(node),
    );
    return isDefined || variable.references.some(isWritten);
  }

  /** @param {any} declarator @returns {boolean} */
  function isDeclared({ init, parent }) {
    return isValue(init) || (parent.parent.type === "ForOfStatement" && isValue(parent.parent.right));
  }

  /** @param {any} reference by which a value may come into a variable @returns {boolean} */
  function isWritten({ identifier, writeExpr, init }) {
    const call = identifier.parent.type === "MemberExpression" && identifier.parent.parent;
    const isAdded = call && call.callee === identifier.parent && ADDING.has(call.callee.property.name);
    return (!init && isValue(writeExpr)) || (isAdded && call.arguments.some(isValue));
  }

  /**
   * @param {any} called
   * @param {any} variable
   * @returns {boolean}
   */
  function isParameter(called, variable) {
    const definition = variable.defs[0].name;
    const index = called.params.findIndex(
      (/** @type {any} */ { range }) => range[0] <= definition.range[0] && definition.range[1] <= range[1],
    );
    const names = called.params.map((/** @type {any} */ pattern) => (pattern.left || pattern).name);
    const pattern = called.params[index].left || called.params[index];
    if (SOURCES.has(names[index]) || (names[0] === "tx" && index > 0 && pattern.type === "ObjectPattern")) {
      return true;
    }
    return (
      callsOf(called).some((/** @type {any} */ { arguments: given }) => isValue(given[index])) ||
      isElement(called, index) ||
      methodKinds(called).some((kind) => (kind === "writes" ? index > 0 : index === 0))
    );
  }

  /**
   * Whether this is the parameter of a callback that gets each element of a value.
   *
   * @param {any} called
   * @param {number} index
   */
  function isElement({ parent }, index) {
    const isCallback = parent.type === "CallExpression" && parent.callee.type === "MemberExpression";
    return (
      isCallback && index === 0 && ITERATING.has(parent.callee.property.name) && isValue(parent.callee.object)
    );
  }

  /** @param {any} called @returns {any[]} the places that name a function */
  function namesOf(called) {
    const declared = called.id || (called.parent.type === "VariableDeclarator" && called.parent.id);
    const variable = declared && variableOf(sourceCode, declared);
    return variable ? variable.references.map((/** @type {any} */ { identifier }) => identifier) : [];
  }

  /** @param {any} called */
  function callsOf(called) {
    return namesOf(called)
      .filter((name) => name.parent.type === "CallExpression" && name.parent.callee === name)
      .map((name) => name.parent);
  }

  /**
   * Which objects of methods a function is in: reads, writes or answers.
   *
   * @param {any} called
   * @returns {string[]}
   */
  function methodKinds(called) {
    return [called, ...namesOf(called)].flatMap((node) => {
      const object = node.parent.type === "Property" && node.parent.value === node && node.parent.parent;
      const holder = object && object.parent;
      const name = holder && (holder.id || holder.key)?.name;
      return ["reads", "writes", "answers"].includes(name) ? [name] : [];
    });
  }

  return { isValue };
}
