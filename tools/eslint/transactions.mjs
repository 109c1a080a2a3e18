/** Two rules about transactions: PocketBase has one writer, and everybody waits for it. */

/**
 * Whether a node is the call `JSON.parse(...)`.
 *
 * @param {any} node
 */
function isParsing({ callee }) {
  return (
    callee.type === "MemberExpression" && callee.object.name === "JSON" && nameOf(callee.property) === "parse"
  );
}

/** @param {any} property of a member expression */
function nameOf(property) {
  return property.type === "Literal" ? property.value : property.name;
}

/** @param {any} node a function, or what may stand for one */
function isFunction(node) {
  return /Function/.test(node?.type);
}

/**
 * The variable that a name stands for, if the file declares it.
 *
 * @param {any} sourceCode
 * @param {any} identifier
 */
export function variableOf(sourceCode, identifier) {
  for (let scope = sourceCode.getScope(identifier); scope; scope = scope.upper) {
    const variable = scope.set.get(identifier.name);
    if (variable) {
      return variable;
    }
  }
  return null;
}

/**
 * The function that an expression is or names, if the file has it.
 *
 * @param {any} sourceCode
 * @param {any} node
 */
export function functionOf(sourceCode, node) {
  if (isFunction(node)) {
    return node;
  }
  const definition = node.type === "Identifier" && variableOf(sourceCode, node)?.defs[0];
  const found = definition?.type === "FunctionName" ? definition.node : definition?.node?.init;
  return isFunction(found) ? found : null;
}

/**
 * Collects the functions that run in a transaction: callbacks of `runInTransaction`, by name or in place, and what has
 * a parameter `tx`, also in a pattern or with a default.
 *
 * @param {any} sourceCode
 */
function watch(sourceCode) {
  const callbacks = new Set();
  return {
    /** @param {any} call */
    note(call) {
      const { callee } = call;
      if (callee.type === "MemberExpression" && nameOf(callee.property) === "runInTransaction") {
        call.arguments.forEach((/** @type {any} */ argument) =>
          callbacks.add(functionOf(sourceCode, argument)),
        );
      }
    },
    /** @param {any} node */
    isCallback: (node) => around(node).some((outer) => callbacks.has(outer)),
    /** @param {any} node */
    isInside: (node) =>
      around(node).some(
        (outer) =>
          callbacks.has(outer) ||
          sourceCode
            .getDeclaredVariables(outer)
            .some(
              (/** @type {any} */ { name, defs }) =>
                name === "tx" && defs.some((/** @type {any} */ { type }) => type === "Parameter"),
            ),
      ),
  };
}

/**
 * The functions around a node, from the inside out.
 *
 * @param {any} node
 */
function around(node) {
  const found = [];
  for (let at = node.parent; at; at = at.parent) {
    if (isFunction(at)) {
      found.push(at);
    }
  }
  return found;
}

/** A write by `$app` inside of a transaction waits for that transaction, and stops all writes of the server. */
export const noAppInTransaction = {
  meta: {
    type: "problem",
    schema: [],
    messages: { app: "In a transaction only its own `tx` may be used: `$app` would wait for it for ever." },
  },
  /** @param {any} context */
  create({ sourceCode, report }) {
    const transaction = watch(sourceCode);
    /** @type {any[]} */
    const uses = [];
    return {
      CallExpression: transaction.note,
      /** @param {any} node */
      Identifier(node) {
        const { parent } = node;
        const isName =
          (parent.type === "MemberExpression" && parent.property === node && !parent.computed) ||
          (parent.type === "Property" && parent.key === node && !parent.computed && !parent.shorthand);
        const initial =
          node.name !== "$app" && !isName && variableOf(sourceCode, node)?.defs[0]?.node?.init?.name;
        if (!isName && (node.name === "$app" || initial === "$app")) {
          uses.push(node);
        }
      },
      "Program:exit"() {
        uses
          .filter((node) => transaction.isInside(node))
          .forEach((node) => report({ node, messageId: "app" }));
      },
    };
  },
};

/** Nobody else can write while a request is parsed in a transaction. */
export const noParsingInTransaction = {
  meta: {
    type: "problem",
    schema: [],
    messages: { parse: "Parse the request before the transaction: nobody else can write meanwhile." },
  },
  /** @param {any} context */
  create({ sourceCode, report }) {
    const transaction = watch(sourceCode);
    /** @type {any[]} */
    const calls = [];
    return {
      /** @param {any} call */
      CallExpression(call) {
        transaction.note(call);
        if (isParsing(call)) {
          calls.push(call);
        }
      },
      "Program:exit"() {
        for (const node of calls) {
          const [text] = node.arguments;
          const isAnswer = text?.callee?.name === "query"; // of the database, not the request
          if (
            text?.name === "body" ? transaction.isInside(node) : !isAnswer && transaction.isCallback(node)
          ) {
            report({ node, messageId: "parse" });
          }
        }
      },
    };
  },
};
