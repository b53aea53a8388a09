import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Language, Parser } from "web-tree-sitter";

/** Parses every Python file below a directory with tree-sitter, and walks each tree. Prints its figures as a line of JSON. */
const [, , root = ""] = process.argv;
const require = createRequire(import.meta.url);
await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(require.resolve("tree-sitter-python/tree-sitter-python.wasm")));
const texts = globSync("**/*.py", { cwd: root }).map((name) => readFileSync(`${root}/${name}`, "utf8"));
const read = process.memoryUsage.rss();
const started = process.cpuUsage();
let refused = 0;
let nodes = 0;
for (const text of texts) {
  const tree = parser.parse(text);
  if (tree === null || tree.rootNode.hasError) refused += 1;
  // What the index does with a tree: it looks at every node.
  const cursor = tree?.walk();
  for (let more = cursor !== undefined; more; nodes++) more = step(cursor);
  cursor?.delete();
  tree?.delete();
}
const { user, system } = process.cpuUsage(started);
const memoryMb = (process.memoryUsage.rss() - read) / 1024 / 1024;
process.stdout.write(
  `${JSON.stringify({ files: texts.length, cpuSeconds: (user + system) / 1e6, memoryMb, nodes, refused })}\n`,
);

/** Goes on to the next node. @returns false: there is none */
function step(cursor) {
  if (cursor.gotoFirstChild() || cursor.gotoNextSibling()) return true;
  while (cursor.gotoParent()) if (cursor.gotoNextSibling()) return true;
  return false;
}
