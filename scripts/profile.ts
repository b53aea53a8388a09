import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../local-edge/paths.ts";

const USAGE = `npm run profile -- <bench> … [--out DIR]

Runs benches and profiles the processor time and the allocations of the edge meanwhile, and the processor time of every
process of Node that takes part, such as the agent. Prints the functions that took the most, and leaves files in DIR
(default: .ganglion/profiles) that Chrome's DevTools and editors open. docs/performance.md says how to read them.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: join(PROJECT_ROOT, ".ganglion", "profiles") },
    help: { type: "boolean", default: false },
  },
});
if (values.help || positionals.length === 0) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
const { status } = spawnSync(process.execPath, [join(PROJECT_ROOT, "bench", "main.ts"), ...positionals], {
  cwd: PROJECT_ROOT,
  stdio: "inherit",
  env: {
    ...process.env,
    GANGLION_PROFILES: values.out,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --cpu-prof --cpu-prof-dir=${JSON.stringify(values.out)}`,
  },
});
process.exit(status ?? 1);
