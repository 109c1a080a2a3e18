/** A rule: no value of a request becomes part of an SQL text. */

import { tracker } from "./values.mjs";

/** Where functions expect SQL, or a name that becomes part of it: index of the first such argument, and of the last. */
const SQL_ARGUMENTS = new Map([
  ["arg", [0, 0]],
  ["given", [0, 0]],
  ["one", [0, 0]],
  ["many", [0, 2]],
  ["newQuery", [0, 0]],
  ["query", [1, 1]],
  ["queryPrepared", [1, 1]],
  ["returned", [1, 1]],
  ["execute", [1, 1]],
  ["recordIds", [1, 1]],
]);

/** @param {any} node a template or concatenation that is a JSON text, or a message to people */
function isNoSql(node) {
  const { parent } = node;
  if (parent.type === "Property" && parent.key.name === "message") {
    return true;
  }
  if (parent.type === "NewExpression" && /Error$/.test(parent.callee.name)) {
    return true;
  }
  if (node.type !== "TemplateLiteral") {
    return false;
  }
  const [first, last] = [node.quasis[0].value.raw, node.quasis.at(-1).value.raw];
  return /^(\[(?!\[)|\{")/.test(first) && /[\]}]$/.test(last);
}

export const noValueInSql = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      value:
        "A value of the request must not become part of an SQL text: name it as a parameter, `arg(...)`.",
    },
  },
  /** @param {any} context */
  create({ sourceCode, report }) {
    const { isValue } = tracker(sourceCode);

    /** @param {any[]} nodes */
    function check(nodes) {
      nodes.filter(isValue).forEach((node) => report({ node, messageId: "value" }));
    }

    return {
      /** @param {any} node */
      TemplateLiteral(node) {
        if (!isNoSql(node)) {
          check(node.expressions);
        }
      },
      /** @param {any} node */
      'BinaryExpression[operator="+"]'(node) {
        if (!isNoSql(node)) {
          check([node.left, node.right].filter(({ type }) => type !== "BinaryExpression"));
        }
      },
      /** @param {any} node */
      CallExpression({ callee, arguments: given }) {
        const positions = SQL_ARGUMENTS.get(callee.name || callee.property?.name);
        if (positions) {
          const isText = (/** @type {any} */ { type }) =>
            type === "TemplateLiteral" || type === "BinaryExpression";
          check(
            given
              .slice(positions[0], positions[1] + 1)
              .filter((/** @type {any} */ argument) => !isText(argument) || isNoSql(argument)),
          );
        }
      },
    };
  },
};
