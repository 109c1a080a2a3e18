/**
 * Which statements and branches of the hooks ran inside of PocketBase.
 *
 *   node tools/hooks_coverage.mjs mark HOOKS_DIR HITS_DIR    rewrites the modules of a copy
 *   node tools/hooks_coverage.mjs report HITS_DIR FLOOR      prints what ran; fails below so many per cent
 *
 * PocketBase's JavaScript engine measures nothing, and runs 25 copies of each module that share no memory and may be
 * killed. So a module writes down itself, as an empty file, each of its places that it comes by for the first time.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";

import { Linter } from "eslint";

const PLACES = "places.json";
const STATEMENTS_OF = { Program: "body", BlockStatement: "body", SwitchCase: "consequent" };
const LOOPS = ["ForStatement", "ForInStatement", "ForOfStatement", "WhileStatement", "DoWhileStatement"];
const LONE_STATEMENTS = {
  IfStatement: ["consequent", "alternate"],
  ...Object.fromEntries(LOOPS.map((loop) => [loop, ["body"]])),
};

/** The text of a module with a call at each place, whose lines are added to `places`. */
function marked(text, file, places) {
  const linter = new Linter();
  linter.verify(text, { languageOptions: { sourceType: "commonjs" } });
  const { ast, visitorKeys } = linter.getSourceCode();
  const opening = new Map();
  const closing = new Map();

  const insert = (node, before, after) => {
    const call = `__hit(${places.push({ file, line: node.loc.start.line }) - 1})`;
    opening.set(node.range[0], [...(opening.get(node.range[0]) ?? []), before(call)]);
    closing.set(node.range[1], [after, ...(closing.get(node.range[1]) ?? [])]);
  };
  const visit = (node) => {
    for (const statement of node[STATEMENTS_OF[node.type]] ?? []) {
      if (statement.type !== "FunctionDeclaration" && statement.directive === undefined) {
        insert(statement, (call) => `${call}; `, "");
      }
    }
    for (const key of LONE_STATEMENTS[node.type] ?? []) {
      if (node[key] && node[key].type !== "BlockStatement") insert(node[key], (call) => `{ ${call}; `, " }");
    }
    const branches = node.type === "ConditionalExpression" ? [node.consequent, node.alternate] : [];
    if (node.type === "ArrowFunctionExpression" && node.body.type !== "BlockStatement")
      branches.push(node.body);
    for (const branch of branches) insert(branch, (call) => `(${call}, `, ")");
    for (const key of visitorKeys[node.type]) {
      for (const child of [node[key]].flat()) if (child) visit(child);
    }
  };
  visit(ast);

  let result = "";
  for (let at = 0; at <= text.length; at += 1) {
    result += [...(closing.get(at) ?? []), ...(opening.get(at) ?? [])].join("") + (text[at] ?? "");
  }
  return result;
}

/** The function that modules call; node, which runs some of them in tests, has no `$os`. */
const HIT = (directory) => `const __seen = [];
const __hit = (place) => {
  if (__seen[place] || typeof $os === "undefined") return;
  __seen[place] = true;
  $os.writeFile(${JSON.stringify(directory)} + "/" + place, "", 0o666);
};
`;

function mark(hooks, hits) {
  const places = [];
  mkdirSync(hits, { recursive: true });
  for (const name of readdirSync(join(hooks, "owui"), { recursive: true })) {
    const path = join(hooks, "owui", name);
    if (path.endsWith(".js")) {
      const text = marked(readFileSync(path, "utf8"), relative(hooks, path), places);
      writeFileSync(path, HIT(hits) + text);
    }
  }
  writeFileSync(join(hits, PLACES), JSON.stringify(places));
}

function report(hits, floor) {
  const ran = new Set(readdirSync(hits));
  const files = new Map();
  for (const [index, { file, line }] of JSON.parse(readFileSync(join(hits, PLACES), "utf8")).entries()) {
    if (!files.has(file)) files.set(file, { all: 0, missing: [] });
    files.get(file).all += 1;
    if (!ran.has(String(index))) files.get(file).missing.push(line);
  }
  let [all, missed] = [0, 0];
  for (const [file, { all: places, missing }] of [...files].sort()) {
    all += places;
    missed += missing.length;
    const lines = [...new Set(missing)].join(" ");
    if (lines) console.log(`${file}  ${((100 * (places - missing.length)) / places).toFixed()}%  ${lines}`);
  }
  const share = (100 * (all - missed)) / all;
  console.log(
    `${all - missed} of ${all} places of the hooks ran: ${share.toFixed(1)}%; at least ${floor}% have to.`,
  );
  process.exitCode = share < floor ? 1 : 0;
}

const [task, ...given] = process.argv.slice(2);
if (task === "mark") mark(...given);
else if (task === "report") report(given[0], Number(given[1]));
else throw new Error("mark or report?");
