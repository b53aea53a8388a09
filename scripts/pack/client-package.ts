import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../local-edge/paths.ts";
import { compile, copy, npmPack, readManifest, versionsOf, writeJson } from "./npm-pack.ts";
import { reachableFrom } from "./reachable.ts";

/**
 * `@ganglion/client`: the client as ES modules with their types, for programs in Node, browsers and Workers. `.` works everywhere,
 * `./node` has what needs Node: workers, callers, the stream over a WebSocket.
 *
 * @param directory - of its own, to work in
 */
export function packClient(directory: string, into: string): string {
  const staged = join(directory, "client");
  compile("tsconfig.client.json", staged);
  const { packages } = reachableFrom(staged, ["client/package/index.js", "client/package/node.js"]);
  for (const name of readdirSync(staged, { recursive: true, encoding: "utf8" }))
    if (name.endsWith(".d.ts")) nameModules(join(staged, name));
  copy(join(PROJECT_ROOT, "LICENSE"), join(staged, "LICENSE"));
  copy(join(PROJECT_ROOT, "docs", "client.md"), join(staged, "README.md"));
  const { version, license } = readManifest();
  const entry = (name: string) => ({ types: `./client/package/${name}.d.ts`, default: `./client/package/${name}.js` });
  writeJson(join(staged, "package.json"), {
    name: "@ganglion/client",
    version,
    license,
    description: "The API of a Ganglion edge, typed",
    type: "module",
    sideEffects: false,
    engines: { node: ">=20" },
    exports: { ".": entry("index"), "./node": entry("node"), "./package.json": "./package.json" },
    types: "./client/package/index.d.ts",
    dependencies: versionsOf(packages),
    publishConfig: { access: "public" },
  });
  return npmPack(staged, into);
}

/** The compiler gives imports of modules their names in the package, and forgets those in declarations. */
function nameModules(file: string): void {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/((?:from|import\() ?")(\.{1,2}\/[^"]*)\.ts"/g, '$1$2.js"'));
}
