#!/usr/bin/env node
// The `ganglion` command.
import { runCommand } from "../local-agent/base/run-command.mjs";

await runCommand(
  "ganglion",
  async () => {
    const { main } = await import("./main.ts");
    await main(process.argv);
  },
  'Node 24 or later is needed: run "npm ci" in the project, which installs one',
);
