import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { buildCommand } from "../../cli/launch/build.ts";
import { PROJECT_ROOT } from "../../local-edge/paths.ts";
import { writeAgentModules } from "./agent-modules.ts";
import { licensesOf, packagesOf } from "./licenses.ts";
import { copy, npmPack, readManifest, versionsOf, writeJson } from "./npm-pack.ts";
import { lockedFor } from "./shrinkwrap.ts";

/**
 * `ganglion`: the agent and the command line, which a host installs without a clone. It holds JavaScript, because Node runs no types
 * inside of node_modules, only what the two commands need, and the libraries that were tested.
 */
const NAME = "ganglion";
const COMMANDS = { ganglion: "cli/ganglion.mjs", "ganglion-agent": "local-agent/ganglion-agent.mjs" };
/** The thread of the index is started by its file, and not imported. The command line is built into one file. */
const ENTRIES = ["local-agent/main.ts", "local-agent/intelligence/index-thread.ts"];
/** Files that the code reads, and the one with which the commands start. */
const DATA = ["src/client/intelligence/library.yaml", "local-agent/base/run-command.mjs"];
const MAN_PAGE = "man/ganglion.1";

/** An entry of package-lock.json, as far as a package takes it over. */
const Locked = z.looseObject({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
  peerDependencies: z.record(z.string(), z.string()).optional(),
});

/** @param directory - of its own, to work in */
export async function packCommand(directory: string, into: string): Promise<string> {
  const staged = join(directory, "package");
  const { packages, inputs } = await writeAgentModules(staged, ENTRIES);
  for (const file of DATA) copy(join(PROJECT_ROOT, file), join(staged, file));
  const built = await buildCommand(join(staged, "cli", "ganglion.cjs"), "..");
  writeFileSync(join(staged, "LICENSES-OF-OTHERS.txt"), licensesOf(packagesOf([...built, ...inputs])));
  for (const command of Object.values(COMMANDS)) {
    const text = readFileSync(join(PROJECT_ROOT, command), "utf8").replaceAll('"./main.ts"', '"./main.js"');
    writeFileSync(join(staged, command), text, { mode: 0o755 });
  }
  copy(join(PROJECT_ROOT, "LICENSE"), join(staged, "LICENSE"));
  copy(join(PROJECT_ROOT, "docs", "agent.md"), join(staged, "README.md"));
  writeManifests(staged, packages);
  writeManPage(staged, directory);
  return npmPack(staged, into);
}

function writeManifests(staged: string, packages: readonly string[]): void {
  const { version, license, optionalDependencies } = readManifest();
  const own = {
    name: NAME,
    version,
    license,
    type: "commonjs",
    bin: COMMANDS,
    man: [MAN_PAGE],
    engines: { node: ">=18" },
    description: "The agent and the command line of Ganglion",
    dependencies: versionsOf(packages),
    optionalDependencies,
  };
  writeJson(join(staged, "package.json"), own);
  const lock = z
    .object({ packages: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(readFileSync(join(PROJECT_ROOT, "package-lock.json"), "utf8")));
  const { "": _project, ...installed } = lock.packages;
  const locked = z.record(z.string(), Locked).parse(installed);
  writeJson(join(staged, "npm-shrinkwrap.json"), {
    name: NAME,
    version,
    lockfileVersion: 3,
    requires: true,
    packages: { "": own, ...lockedFor(own, locked) },
  });
}

/** By the packed command itself, whose help it is. */
function writeManPage(staged: string, directory: string): void {
  const text = execFileSync(process.execPath, [join(staged, COMMANDS.ganglion), "help", "--man"], {
    encoding: "utf8",
    env: { ...process.env, XDG_CACHE_HOME: join(directory, "cache") },
  });
  mkdirSync(join(staged, MAN_PAGE, ".."));
  writeFileSync(join(staged, MAN_PAGE), text);
}
