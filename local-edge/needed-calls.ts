import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
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
  let named: (module: string) => ReadonlySet<string> = () => new Set();
  return {
    name: "needed-calls",
    enforce: "pre",
    buildStart() {
      named = namesByModule(pages, sourcesIn(pages));
    },
    transform: (code, id) => (GROUPS.test(id) ? { code: withoutOthers(id, code, named(id)), map: null } : null),
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

/** The sources in a folder and in the folders in it: path and code. */
function sourcesIn(folder: string): ReadonlyMap<string, string> {
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));
  return new Map(sources.map((file) => [join(folder, file), readFileSync(join(folder, file), "utf8")]));
}

/** What the sources of one folder of the pages import and name. */
interface Folder {
  /** Paths of what they import, whole. */
  readonly imports: Set<string>;
  readonly members: Set<string>;
}

/**
 * Names of the members that may be calls of the group in a module: those in the folders of the pages whose sources import the
 * module, be it for a type, and in the folders that import from these, to which a group may be handed on.
 *
 * @param pages - folder of the sources
 * @param sources - path and code of each
 */
export function namesByModule(pages: string, sources: ReadonlyMap<string, string>) {
  const folders = new Map<string, Folder>();
  const folderOf = (path: string) => relative(pages, path).split(sep).slice(0, -1)[0] ?? "";
  for (const [path, code] of sources) {
    const name = folderOf(path);
    const folder = folders.get(name) ?? { imports: new Set(), members: new Set() };
    folders.set(name, folder);
    for (const imported of importsIn(path, code)) folder.imports.add(imported);
    for (const member of membersIn(path, code)) folder.members.add(member);
  }
  return (module: string): ReadonlySet<string> => {
    const users = new Set<string>();
    const using = (uses: (imported: string) => boolean) => {
      for (const [name, { imports }] of folders) {
        if (users.has(name) || ![...imports].some(uses)) continue;
        users.add(name);
        using((imported) => sources.has(imported) && folderOf(imported) === name);
      }
    };
    using((imported) => imported === module);
    return new Set([...users].flatMap((name) => [...(folders.get(name)?.members ?? [])]));
  };
}

/** Paths of the sources that one imports, for values or types, at once or later. */
function importsIn(path: string, code: string): readonly string[] {
  const { module } = parseSync(path, code);
  const named = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => code.slice(start + 1, end - 1)),
  ];
  return named.filter((name) => name.startsWith(".")).map((name) => resolve(path, "..", name));
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
