import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { build, type Plugin, transform } from "esbuild";
import { PROJECT_ROOT } from "../../local-edge/paths.ts";
import { copy, writeJson } from "./npm-pack.ts";

/** They bring compiled code, and stay packages. */
const NATIVE: readonly string[] = ["koffi", "zeromq"];
/** The file that loads the modules, from the root of the package. */
const LOADER = "modules.cjs";

/** An import as esbuild writes it in CommonJS. */
const IMPORT = /^var (import_\w+) = (__toESM\(require\("[^"]+"\)\)|require\("[^"]+"\));$/gm;
const ZOD = 'var z = __toESM(require("zod"));';
/** What esbuild writes at the top of each module; the loader has these once. */
const HELPERS =
  /^var __(?:create|defProp|getOwnPropDesc|getOwnPropNames|getProtoOf|hasOwnProp) = .*;\n|^var __export = [\s\S]*?^};\n|^var __copyProps = [\s\S]*?^};\n|^var __toESM = [\s\S]*?^\)\);\n|^var __toCommonJS = .*;\n/gm;
const REQUIRED = /\brequire\("([^"]+)"\)/g;
/** A call at the top of a module that loads another. */
const LOADS_AT_ONCE = /^(?:var \w+ = )?(?:__toESM\()?require\("(\.[^"]+)"\)/gm;

const locate = createRequire(import.meta.url);

export interface AgentModules {
  /** Packages that have to be installed. */
  readonly packages: readonly string[];
  /** Files that the modules were made of, from the root of the project. */
  readonly inputs: readonly string[];
}

/**
 * Writes the agent as modules of which each loads what it imports when it first uses that, and not before: of hundreds of schemas,
 * commands and features an agent needs a part, and those that it never makes take no memory. Each module stays a file of its own,
 * with the names of its functions, so that stacks of errors name the file to open. Libraries become one file each, in `vendor/`.
 *
 * @param entries - sources that are started by their file, from the root of the project
 */
export async function writeAgentModules(staged: string, entries: readonly string[]): Promise<AgentModules> {
  const modules = new Map<string, string>();
  const libraries = new Set<string>();
  const open = [...entries];
  for (let source = open.pop(); source !== undefined; source = open.pop()) {
    if (modules.has(source)) continue;
    const { code, imports } = await lazyModule(source, entries.includes(source));
    modules.set(source, code);
    for (const name of imports) {
      if (name.startsWith(".")) open.push(join(dirname(source), name));
      else if (!name.startsWith("node:")) libraries.add(packageOf(name));
    }
  }
  const bundled = [...libraries].filter((name) => !NATIVE.includes(name)).sort();
  const names: string[] = [];
  for (const [source, code] of modules) {
    const name = named(source);
    const below = relative(dirname(name), ".");
    const text = code.replace(REQUIRED, (_, path: string) => `require("${requiredName(path, bundled, below)}")`);
    const first = entries.includes(source) ? entryLine(`./${join(below, LOADER)}`) : "";
    const file = join(staged, name);
    copy(join(PROJECT_ROOT, source), file);
    writeFileSync(file, first + text);
    if (first === "") names.push(name);
  }
  const inputs = (await Promise.all(bundled.map((name) => bundle(name, bundled, staged)))).flat();
  writeJson(join(staged, "modules.json"), [...names, ...bundled.map(vendorName)].sort());
  copy(join(import.meta.dirname, "module-loader.cjs"), join(staged, LOADER));
  return { packages: NATIVE.filter((name) => libraries.has(name)), inputs: [...modules.keys(), ...inputs] };
}

async function lazyModule(source: string, isEntry: boolean): Promise<{ code: string; imports: string[] }> {
  const text = readFileSync(join(PROJECT_ROOT, source), "utf8");
  const { code } = await transform(text, {
    sourcefile: source,
    loader: "ts",
    format: "cjs",
    platform: "node",
    target: "node24",
    charset: "ascii",
    define: { "import.meta.url": "ownUrl", "import.meta.dirname": "__dirname" },
    supported: { "dynamic-import": false },
  });
  const imported = [...code.matchAll(IMPORT)].map(([, name = ""]) => name);
  if (imported.some((name) => text.includes(name))) throw new Error(`${source} has a name that begins with import_`);
  const unused = imported.filter((name) => code.split(new RegExp(`\\b${name}\\b`)).length === 2);
  if (unused.length > 0 && !isEntry)
    throw new Error(`${source} imports for an effect, which would not come: ${unused}`);
  // A call that V8 inlines, and no object that stands for the module: hot paths go through these names. In brackets for `new`.
  const calls = imported.reduce(
    (body, name) => body.replace(new RegExp(`\\b${name}\\b(?! = )`, "g"), `(${name}())`),
    code,
  );
  const lazy = calls
    .replace(HELPERS, "")
    .replace(ZOD, 'var z = require("zod");')
    .replace(IMPORT, "let the_$1;\nconst $1 = () => (the_$1 ??= $2);");
  const atOnce = [...lazy.matchAll(LOADS_AT_ONCE)].map(([, name]) => name);
  if (atOnce.length > 0)
    throw new Error(`${source} loads ${atOnce} as soon as it is loaded, which this build cannot put off`);
  const unknown = /^var __\w+/m.exec(lazy)?.[0];
  if (unknown !== undefined) throw new Error(`${source} needs a helper that the loader does not have: ${unknown}`);
  const url = lazy.includes("ownUrl") ? 'const ownUrl = require("node:url").pathToFileURL(__filename).href;\n' : "";
  const whole = `${url}${lazy}`.replace(/^\/\/ Annotate the CommonJS export names[\s\S]*$/m, "");
  return { code: whole, imports: [...whole.matchAll(REQUIRED)].map(([, name = ""]) => name) };
}

/** Node itself runs an entry: it has no name that the loader gives to the others. */
const entryLine = (loader: string) =>
  `const { requireFrom, __toESM } = require("${loader}");\nrequire = requireFrom(__dirname);\n`;

const named = (source: string) => source.replace(/\.ts$/, ".js");
const vendorName = (library: string) => join("vendor", `${library}.js`);

function requiredName(path: string, bundled: readonly string[], below: string): string {
  if (path.startsWith(".")) return named(path);
  return bundled.includes(path) ? `./${join(below, vendorName(path))}` : path;
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** @returns the files that went into it */
async function bundle(library: string, all: readonly string[], staged: string): Promise<string[]> {
  const outfile = join(staged, vendorName(library));
  const { metafile } = await build({
    absWorkingDir: PROJECT_ROOT,
    stdin: { contents: entryOf(library), resolveDir: PROJECT_ROOT, loader: "js" },
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    minifyWhitespace: true,
    minifySyntax: true,
    charset: "ascii",
    legalComments: "none",
    metafile: true,
    logLevel: "silent",
    plugins: [oneCopyOf(all, library), englishZod],
  });
  return Object.keys(metafile.inputs);
}

/** `require` would find zod's form for CommonJS, which loads every language of its messages. */
const entryOf = (library: string) =>
  `module.exports = require(${JSON.stringify(library === "zod" ? join(dirname(locate.resolve("zod/package.json")), "index.js") : library)});`;

/** A library that two others use is one, so that its classes are. */
const oneCopyOf = (all: readonly string[], library: string): Plugin => ({
  name: "one copy",
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path }) => {
      if (path === library || !all.includes(path)) return undefined;
      return { path: `./${relative(dirname(vendorName(library)), vendorName(path))}`, external: true };
    });
  },
});

const englishZod: Plugin = {
  name: "English alone",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
      contents: 'export { default as en } from "./en.js";',
      resolveDir: dirname(path),
    }));
  },
};
