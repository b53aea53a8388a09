import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { type Plugin, transform } from "esbuild";

/** An import as esbuild writes it in CommonJS. */
const IMPORT = /^var (\w+) = ((?:__toESM\()?require\(".*"\)\)?);$/gm;
/** Any other call at the top of a module that loads another. */
const LOADS_AT_ONCE = /^(?!var \w+ = lazily\(\(\) => ).*\brequire\(/m;

const locate = createRequire(import.meta.url);

/**
 * Has each module of ours, and of commander, load what it imports when it first uses that, and not before. A call of the command needs
 * few of the hundreds of schemas that the whole of the command holds, and making all of them takes most of a second.
 *
 * `lazily` and `urlOf` are in {@link PRELUDE}, which has to stand at the top of the bundle.
 *
 * @param root - of the sources: `import.meta.url` keeps its place below it
 */
export function lazyModules(root: string): Plugin {
  return {
    name: "lazy modules",
    setup(build) {
      // Under a name of its own: a `package.json` above would have them read as ES modules.
      build.onResolve({ filter: /\.ts$/ }, ({ path, resolveDir, kind }) => ({
        path: kind === "entry-point" ? path : join(resolveDir, path),
        namespace: "lazy",
      }));
      build.onResolve({ filter: /^commander$/ }, ({ path }) => ({ path: locate.resolve(path), namespace: "lazy" }));
      build.onResolve({ filter: /^\./, namespace: "lazy" }, ({ path, importer, resolveDir }) =>
        isOfCommander(importer) ? { path: join(resolveDir, path), namespace: "lazy" } : undefined,
      );
      // `require` would find the form for CommonJS, which loads every language of its messages. Zod becomes an object of its hundreds of
      // functions once, and not anew for each module that imports it.
      build.onResolve({ filter: /^zod$/ }, () => ({ path: "zod", namespace: "shared" }));
      build.onLoad({ filter: /^zod$/, namespace: "shared" }, () => {
        const folder = dirname(locate.resolve("zod/package.json"));
        return { contents: 'module.exports = require("./index.js");', loader: "js", resolveDir: folder };
      });
      build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
        contents: 'export { default as en } from "./en.js";',
        resolveDir: dirname(path),
      }));
      build.onLoad({ filter: /\.[jt]s$/, namespace: "lazy" }, async ({ path }) => ({
        contents: await lazyModule(path, relative(root, path)),
        loader: "js",
        resolveDir: dirname(path),
        watchFiles: [path],
      }));
    },
  };
}

/** `root`: where the sources are, from the bundle's own place. */
export const prelude = (root: string): string => `
const urlOf = (path) => require("node:url").pathToFileURL(require("node:path").join(__dirname, ${JSON.stringify(root)}, path)).href;
const lazily = (load) => {
  let loaded;
  return new Proxy({}, { get: (_, name) => (loaded ??= load())[name], has: (_, name) => name in (loaded ??= load()) });
};`;

const isOfCommander = (path: string) => /[\\/]node_modules[\\/]commander[\\/]/.test(path);

async function lazyModule(path: string, name: string): Promise<string> {
  const { code } = await transform(await readFile(path, "utf8"), {
    loader: path.endsWith(".ts") ? "ts" : "js",
    format: "cjs",
    platform: "node",
    target: "node20",
    define: { "import.meta.url": "ownUrl" },
  });
  const lazy = code
    .replaceAll('__toESM(require("zod"))', 'require("zod")')
    .replace(IMPORT, "var $1 = lazily(() => $2);");
  const atOnce = LOADS_AT_ONCE.exec(lazy)?.[0];
  if (atOnce !== undefined)
    throw new Error(`${name} loads a module as soon as it is loaded, which this build cannot put off: ${atOnce}`);
  return lazy.includes("ownUrl") ? `const ownUrl = urlOf(${JSON.stringify(name)});\n${lazy}` : lazy;
}
