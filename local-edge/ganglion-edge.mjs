#!/usr/bin/env node
// The `ganglion-edge` command.
import { runCommand } from "../local-agent/base/run-command.mjs";

await runCommand(
  "ganglion-edge",
  () => import("./command.ts"),
  "install Node 24 or later, or run npm ci on linux-x64 with optional dependencies, which contain one",
);
