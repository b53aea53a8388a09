import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import type { Plugin } from "vite";

/** Groups of calls: functions such as `queueCalls`, which return an object of them. */
const GROUPS = /\/src\/client\/[\w-]+\.ts$/;

/**
 * Groups of calls without those that no page of the dashboard can make. An object keeps all of its functions in a bundle, so the
 * calls that only programs make would be carried to each browser.
 *
 * @param pages - folder of the sources of all pages
 */
export function neededCalls(pages: string): Plugin {
  let named: ReadonlySet<string> = new Set();
  return {
    name: "needed-calls",
    enforce: "pre",
    buildStart() {
      named = namesIn(pages);
    },
    transform: (code, id) => (GROUPS.test(id) ? { code: withoutOthers(id, code, named), map: null } : null),
  };
}

/**
 * The same code, whose groups have only the calls that are named. What is named may also be something else of that name: then
 * the call stays, and nothing is lost but bytes.
 */
export function withoutOthers(file: string, code: string, named: ReadonlySet<string>): string {
  const cuts: { start: number; end: number }[] = [];
  for (const statement of parseSync(file, code).program.body) {
    const made = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (made?.type !== "FunctionDeclaration" || made.id?.name.endsWith("Calls") !== true) continue;
    for (const last of made.body?.body ?? []) {
      if (last.type !== "ReturnStatement" || last.argument?.type !== "ObjectExpression") continue;
      for (const part of last.argument.properties)
        if (part.type === "Property" && !part.computed && part.key.type === "Identifier" && !named.has(part.key.name))
          cuts.push(part);
    }
  }
  let [text, from] = ["", 0];
  for (const { start, end } of cuts) {
    text += code.slice(from, start);
    // A comma that follows goes, too.
    from = end + (/^\s*,/.exec(code.slice(end))?.[0].length ?? 0);
  }
  return text + code.slice(from);
}

/** Names of all members that these sources use. @param folder - of sources, with the folders in it */
function namesIn(folder: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    if (/\.tsx?$/.test(file))
      for (const name of membersIn(file, readFileSync(join(folder, file), "utf8"))) names.add(name);
  return names;
}

/** Names that stand behind a dot, in brackets, or are taken out of an object. */
export function membersIn(file: string, code: string): ReadonlySet<string> {
  const names = new Set<string>();
  const own = new Set<unknown>();
  new Visitor({
    MemberExpression({ property }) {
      if (property.type === "Identifier") names.add(property.name);
      else if (property.type === "Literal") names.add(String(property.value));
    },
    VariableDeclarator({ id, init }) {
      // What makes calls is no group of them.
      if (init?.type === "CallExpression" && init.callee.type === "Identifier" && init.callee.name === "edgeOf")
        own.add(id);
    },
    ObjectPattern(pattern) {
      if (own.has(pattern)) return;
      for (const part of pattern.properties)
        if (part.type === "Property" && part.key.type === "Identifier") names.add(part.key.name);
    },
  }).visit(parseSync(file, code).program);
  return names;
}
