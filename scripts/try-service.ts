import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { makeBundle } from "./vm/bundle.ts";
import { ensureImage } from "./vm/image.ts";
import { accelerator, missingTools } from "./vm/tools.ts";

/**
 * `npm run try:service [-- --json]`: the agent's service on a machine that has a systemd and control
 * groups, which neither a test's machine nor CI has: a Debian in qemu, installed and booted here. A line for each check.
 * Without KVM it takes half an hour. The image stays in `.ganglion/vm` for the next time.
 */
const { values } = parseArgs({ options: { json: { type: "boolean" } } });
const say = (line: string) => void process.stderr.write(`${line}\n`);

const { programs, packages } = missingTools();
if (programs.length > 0) {
  const skipped = `missing programs: ${programs.join(", ")}. On a Debian: apt-get install ${packages.join(" ")}`;
  console.log(values.json ? JSON.stringify({ skipped }) : `skipped: ${skipped}`);
  process.exit(0);
}
const cache = join(PROJECT_ROOT, ".ganglion", "vm");
const machine = { image: ensureImage(cache, say), bundle: makeBundle(cache, say), accelerator: accelerator() };
say(`booting the machine ${machine.accelerator === "kvm" ? "(KVM)" : "in software: half an hour"}`);
const { status } = spawnSync(
  join(PROJECT_ROOT, "node_modules", ".bin", "vitest"),
  ["run", "--config", "scripts/vm/checks.config.ts", "--root", ".", "--reporter", "./scripts/vm/reporter.ts"],
  {
    cwd: PROJECT_ROOT,
    stdio: "inherit",
    env: { ...process.env, GANGLION_VM: JSON.stringify(machine), GANGLION_VM_JSON: values.json ? "1" : "" },
  },
);
process.exit(status ?? 1);
