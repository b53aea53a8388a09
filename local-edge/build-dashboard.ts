import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { build, type Rolldown } from "vite";
import { neededCalls } from "./needed-calls.ts";
import { PROJECT_ROOT } from "./paths.ts";
import { plainImports, refuseLateStyles } from "./plain-imports.ts";
import { trustedAnswers } from "./trusted-answers.ts";

/** Each page of the dashboard, and the script with which it begins. */
const PAGES = {
  app: "dashboard/main.tsx",
  "sign-in": "dashboard/sign-in/main.ts",
  docs: "dashboard/docs/main.ts",
} as const;
/** Where the files lie on every edge. */
const BASE = "/app/";
/** Their folder, below {@link BASE} and below the directory into which they are built. */
const FOLDER = "assets";
const MANIFEST = "manifest.json";

/** What a page loads: file names below {@link BASE}. */
interface Page {
  readonly script: string;
  readonly styles: readonly string[];
  /** Scripts that the first one imports. */
  readonly preload: readonly string[];
}

/** Read by `src/core/dashboard/manifest.ts`. */
interface Manifest {
  readonly pages: Readonly<Record<string, Page>>;
  /** Files of this build, and those of the build before that are kept for pages which were opened then. */
  readonly files: readonly string[];
  readonly kept: readonly string[];
}

/** The files of a build by their names below `/app/`, as texts. */
export type DashboardFiles = Readonly<Record<string, string>>;

/**
 * Builds the dashboard into a directory: files whose names hold a hash of their contents, and a manifest of what each page
 * loads. Files of the build before stay, because a page that is open asks for parts of its own build.
 *
 * @param deployed - files that an edge serves now, which another machine built; they stay, too
 */
export async function buildDashboard(directory: string, deployed: DashboardFiles = {}): Promise<void> {
  // Vite builds for what is set here; a test run that starts the build sets something else.
  process.env.NODE_ENV = "production";
  const output = await bundle();
  const files = output.map(({ fileName }) => fileName).sort();
  const before = readManifest(directory);
  const same = before !== undefined && before.files.join() === files.join();
  const earlier = same ? before.kept : (before?.files ?? []);
  const kept = [...new Set([...earlier, ...Object.keys(deployed)])].filter((name) => !files.includes(name));
  mkdirSync(join(directory, FOLDER), { recursive: true });
  for (const file of output) write(directory, file.fileName, file.type === "chunk" ? file.code : file.source);
  for (const name of kept) if (deployed[name] !== undefined) write(directory, name, deployed[name]);
  const manifest: Manifest = { pages: pagesOf(output), files, kept };
  write(directory, MANIFEST, JSON.stringify(manifest));
  const known = new Set([...files, ...kept]);
  for (const name of readdirSync(join(directory, FOLDER))) {
    // What another build is writing at this moment begins with a dot.
    if (!known.has(`${FOLDER}/${name}`) && !name.startsWith("."))
      rmSync(join(directory, FOLDER, name), { force: true });
  }
}

/** Reads what {@link buildDashboard} made. */
export function readDashboard(directory: string): DashboardFiles {
  const manifest = readManifest(directory);
  if (manifest === undefined) throw new Error(`${directory} holds no dashboard: it was not built`);
  const names = [MANIFEST, ...manifest.files, ...manifest.kept];
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), "utf8")]));
}

type Output = Rolldown.RolldownOutput["output"];

async function bundle(): Promise<Output> {
  const built = await build({
    configFile: false,
    envDir: false,
    publicDir: false,
    root: PROJECT_ROOT,
    base: BASE,
    logLevel: "error",
    // A page is not looked into by the developers of its library.
    define: { "window.__PREACT_SIGNALS_DEVTOOLS__": "undefined" },
    plugins: [plainImports(), neededCalls(join(PROJECT_ROOT, "dashboard")), trustedAnswers()],
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      write: false,
      target: "es2023",
      // Browsers of the target know modulepreload, and the page's policy lets no other script in.
      modulePreload: { polyfill: false },
      // A file as a data: URL is one that the policy refuses.
      assetsInlineLimit: 0,
      rolldownOptions: {
        input: Object.fromEntries(Object.entries(PAGES).map(([name, file]) => [name, join(PROJECT_ROOT, file)])),
        output: {
          entryFileNames: `${FOLDER}/[name]-[hash].js`,
          chunkFileNames: `${FOLDER}/[name]-[hash].js`,
          assetFileNames: `${FOLDER}/[name]-[hash][extname]`,
        },
      },
    },
  });
  if (Array.isArray(built) || !("output" in built)) throw new Error("the build of the dashboard is not one bundle");
  refuseSchemas(built.output);
  refuseLateStyles(built.output);
  return built.output;
}

/** A schema that a page uses itself would bring the whole of Zod along, half as much code again as the page has. */
function refuseSchemas(output: Output): void {
  for (const file of output) {
    const users = file.type === "chunk" ? file.moduleIds.filter((id) => /\/node_modules\/zod\//.test(id)) : [];
    if (users.length === 0) continue;
    const own = file.type === "chunk" ? file.moduleIds.filter((id) => !id.includes("/node_modules/")) : [];
    throw new Error(
      `the dashboard would carry Zod in ${file.fileName}, with ${own.map((id) => relative(PROJECT_ROOT, id)).join(", ")}: ` +
        "move what a page uses of a module with schemas into a module without them",
    );
  }
}

function pagesOf(output: Output): Record<string, Page> {
  const chunks = new Map(output.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file] as const] : [])));
  const imported = (name: string, found = new Set<string>()): Set<string> => {
    for (const next of chunks.get(name)?.imports ?? []) {
      if (!chunks.has(next) || found.has(next)) continue;
      found.add(next);
      imported(next, found);
    }
    return found;
  };
  return Object.fromEntries(
    Object.keys(PAGES).map((page) => {
      const entry = [...chunks.values()].find(({ isEntry, name }) => isEntry && name === page);
      if (entry === undefined) throw new Error(`the build of the dashboard has no page "${page}"`);
      const preload = [...imported(entry.fileName)];
      const styles = [entry.fileName, ...preload].flatMap((name) => [
        ...(chunks.get(name)?.viteMetadata?.importedCss ?? []),
      ]);
      return [page, { script: entry.fileName, styles: [...new Set(styles)], preload }];
    }),
  );
}

function readManifest(directory: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, MANIFEST), "utf8")) as Manifest;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Two builds at a time write the same thing, and no reader sees half of it. */
function write(directory: string, name: string, contents: string | Uint8Array): void {
  const parts = name.split("/");
  const last = parts.pop() ?? "";
  const temporary = join(directory, ...parts, `.${last}.${process.pid}.tmp`);
  writeFileSync(temporary, contents);
  renameSync(temporary, join(directory, name));
}
