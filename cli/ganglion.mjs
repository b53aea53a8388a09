#!/usr/bin/env node
// The `ganglion` command. What runs is built: one file that any Node from 20 on reads in a fraction of the time that the sources
// take. The package of the command brings it; a clone builds it at the first call after a change. Plain JavaScript, and in one
// file, because each further module would make every call slower.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OLDEST_NODE = 20;
/** In a package. */
const PACKED = join(ROOT, "cli", "ganglion.cjs");
/** In a clone; beside it stands what it was made of: for each file its name, when it was changed, and its length. */
const BUILT = join(ROOT, "dist", "cli", "ganglion.cjs");
const RECORD = join(ROOT, "dist", "cli", "ganglion.json");

const OF_THIS_NODE = `-${process.version}-${process.arch}`;

const packed = existsSync(PACKED);
const ready = packed || isCurrent();
if (ready && Number(process.versions.node.split(".")[0]) >= OLDEST_NODE) await start(packed ? PACKED : BUILT);
else {
  const { runCommand } = await import("../local-agent/base/run-command.mjs");
  const remedy = packed ? "install Node 24 or later" : 'run "npm ci" in the project, which installs one';
  await runCommand("ganglion", ready ? () => start(packed ? PACKED : BUILT) : startFromSources, remedy);
}

/** Whether the built command is there, and no file that it was made of has changed. */
function isCurrent() {
  const record = readIfThere(RECORD, "utf8");
  return (
    record !== undefined &&
    JSON.parse(record).files.every(([name, changedMs, size]) => {
      const now = statSync(join(ROOT, name), { throwIfNoEntry: false });
      return now?.mtimeMs === changedMs && now.size === size;
    })
  );
}

async function startFromSources() {
  try {
    const { buildOwnCommand } = await import("./launch/build.ts");
    await buildOwnCommand(BUILT, RECORD);
  } catch (error) {
    // Without the tools of developers, or where nothing may be written, the sources do the same and take longer.
    if (!["ERR_MODULE_NOT_FOUND", "EROFS", "EACCES", "EPERM", "ENOSPC"].includes(error.code))
      process.stderr.write(`ganglion: the command does not build, and runs from its sources: ${error.message}\n`);
    const { main } = await import("./main.ts");
    return main(process.argv);
  }
  return start(BUILT);
}

/**
 * Runs the built command. What V8 compiles for a command lies in a file for the next calls of that command.
 *
 * @param {string} file - pure ASCII; its first line is a comment that names its content
 */
async function start(file) {
  const source = readFileSync(file, "latin1");
  const content = source.slice(2, source.indexOf("\n"));
  const compiled = join(compiledFolder(), `${content}-${calledCommand()}${OF_THIS_NODE}`);
  const cachedData = readIfThere(compiled);
  const text = `(function (exports, require, module, __filename, __dirname) {${source}\n})`;
  const script = new Script(text, { filename: file, cachedData });
  const built = { exports: {} };
  script.runInThisContext()(built.exports, createRequire(file), built, file, dirname(file));
  if (cachedData === undefined || script.cachedDataRejected)
    process.once("exit", (code) => {
      // A call that failed has not come to all that the next one needs.
      if (code === 0) keepCompiled(compiled, content, script.createCachedData());
    });
  await built.exports.main(process.argv);
}

/** As far as it can be told without knowing the options. */
function calledCommand() {
  const words = process.argv.slice(2);
  const word = words.includes("--help") || words.includes("-h") ? "help" : words.find((each) => !each.startsWith("-"));
  return /^[a-z-]{1,32}$/.test(word ?? "") ? word : "any";
}

function compiledFolder() {
  if (!packed) return join(dirname(BUILT), "compiled");
  const { XDG_CACHE_HOME: given } = process.env;
  return join(given?.startsWith("/") ? given : join(homedir(), ".cache"), "ganglion");
}

/** Nothing depends on it: where it cannot be written, every call compiles. */
function keepCompiled(file, content, data) {
  const folder = dirname(file);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}.tmp`;
    writeFileSync(temporary, data, { mode: 0o600 });
    renameSync(temporary, file);
    for (const name of readdirSync(folder))
      if (name.endsWith(OF_THIS_NODE) && !name.startsWith(content)) rmSync(join(folder, name), { force: true });
  } catch {
    return;
  }
}

function readIfThere(file, encoding) {
  try {
    return readFileSync(file, encoding);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes(error.code)) return undefined;
    throw error;
  }
}
