import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { buildCommand } from "../cli/launch/build.ts";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { licensesOf, packagesOf } from "./pack/licenses.ts";
import { reachableFrom } from "./pack/reachable.ts";
import { type LockedPackage, lockedFor } from "./pack/shrinkwrap.ts";

/**
 * `npm run pack:host [-- <directory>]`: one tarball with the agent and the command line, which a host installs without a
 * clone: `npm install --global ganglion-host-<version>.tgz`. It holds JavaScript, because Node runs no types inside of
 * node_modules, only what the two commands need, and the versions that were tested. Prints the tarball's path.
 */
const NAME = "ganglion-host";
const COMMANDS = { ganglion: "cli/ganglion.mjs", "ganglion-agent": "local-agent/ganglion-agent.mjs" };
/** The thread of the index is started by its file, and not imported. The command line is built into one file. */
const ENTRIES = ["local-agent/main.js", "local-agent/intelligence/index-thread.js"];
/** Files that the code reads, and the one with which the commands start. */
const DATA = ["src/client/intelligence/library.yaml", "local-agent/base/run-command.mjs"];

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly dependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
}

const target = resolve(process.env.INIT_CWD ?? process.cwd(), process.argv[2] ?? join(PROJECT_ROOT, "dist"));
const work = mkdtempSync(join(tmpdir(), "ganglion-pack-"));
try {
  console.log(await pack(work, target));
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function pack(directory: string, into: string): Promise<string> {
  const emitted = join(directory, "emitted");
  const staged = join(directory, "package");
  const compiler = join(PROJECT_ROOT, "node_modules", ".bin", "tsc");
  execFileSync(compiler, ["-p", "tsconfig.pack.json", "--outDir", emitted], { cwd: PROJECT_ROOT, stdio: "inherit" });
  const { files, packages } = reachableFrom(emitted, ENTRIES);
  for (const file of files) copy(join(emitted, file), join(staged, file));
  for (const file of DATA) copy(join(PROJECT_ROOT, file), join(staged, file));
  const built = await buildCommand(join(staged, "cli", "ganglion.cjs"), "..");
  writeFileSync(join(staged, "LICENSES-OF-OTHERS.txt"), licensesOf(packagesOf(built)));
  for (const command of Object.values(COMMANDS)) {
    const text = readFileSync(join(PROJECT_ROOT, command), "utf8").replaceAll('"./main.ts"', '"./main.js"');
    writeFileSync(join(staged, command), text, { mode: 0o755 });
  }
  copy(join(PROJECT_ROOT, "LICENSE"), join(staged, "LICENSE"));
  copy(join(PROJECT_ROOT, "docs", "agent.md"), join(staged, "README.md"));
  writeManifests(staged, packages);
  mkdirSync(into, { recursive: true });
  const npm = process.env.npm_execpath?.endsWith("npm-cli.js") ? [process.execPath, process.env.npm_execpath] : ["npm"];
  const [program = "npm", ...first] = npm;
  const args = [...first, "pack", "--json", "--ignore-scripts", "--pack-destination", into];
  const output = execFileSync(program, args, { cwd: staged, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const [packed] = JSON.parse(output) as { filename: string }[];
  if (packed === undefined) throw new Error("npm pack printed no file name");
  return join(into, packed.filename);
}

function writeManifests(staged: string, packages: readonly string[]): void {
  const manifest = JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8")) as Manifest;
  const unknown = packages.filter((name) => manifest.dependencies[name] === undefined);
  if (unknown.length > 0)
    throw new Error(`imported packages are missing from dependencies of package.json: ${unknown.join(", ")}`);
  const dependencies = Object.fromEntries(packages.map((name) => [name, manifest.dependencies[name] ?? ""]));
  const { version, license, optionalDependencies } = manifest;
  const own = {
    name: NAME,
    version,
    license,
    type: "module",
    bin: COMMANDS,
    engines: { node: ">=18" },
    description: "The agent and the command line of Ganglion",
    dependencies,
    optionalDependencies,
  };
  writeFileSync(join(staged, "package.json"), `${JSON.stringify(own, null, 2)}\n`);
  const lock = JSON.parse(readFileSync(join(PROJECT_ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, LockedPackage>;
  };
  const locked = {
    name: NAME,
    version,
    lockfileVersion: 3,
    requires: true,
    packages: { "": own, ...lockedFor(own, lock.packages) },
  };
  writeFileSync(join(staged, "npm-shrinkwrap.json"), `${JSON.stringify(locked, null, 2)}\n`);
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
