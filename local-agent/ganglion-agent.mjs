#!/usr/bin/env node
// The `ganglion-agent` command.
import { runCommand } from "./base/run-command.mjs";

await runCommand(
  "ganglion-agent",
  () => import("./main.ts"),
  "install Node 24 or later, or reinstall on linux-x64 with optional dependencies, which contain one",
);
