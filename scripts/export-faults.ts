import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../local-edge/paths.ts";

const USAGE = `npm run export-faults -- [--tasks 10000] [--kills 20] [--seed 1]

The export of finished work. Tasks are completed and fail while the edge is killed with SIGKILL, and the receiver asks to come
again, ends connections, and takes requests without an answer; then every finished task must be at the receiver exactly once.
The last line is JSON.

--tasks N  tasks
--kills N  kills of the edge
--seed N   brings the same kills back`;

const { values } = parseArgs({
  options: {
    tasks: { type: "string", default: "10000" },
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const wrong = (["tasks", "kills", "seed"] as const).find((name) => !/^\d{1,9}$/.test(values[name]));
if (wrong !== undefined) {
  console.error(`--${wrong}: give a whole number\n\n${USAGE}`);
  process.exit(2);
}
const { tasks, kills, seed } = values;
const { status } = spawnSync(
  join(PROJECT_ROOT, "node_modules", ".bin", "vitest"),
  ["run", "--project", "integration", "--disableConsoleIntercept", "test/faults/telemetry/export.test.ts"],
  {
    cwd: PROJECT_ROOT,
    stdio: "inherit",
    env: { ...process.env, GANGLION_TASKS: tasks, GANGLION_KILLS: kills, GANGLION_SEED: seed },
  },
);
process.exit(status ?? 1);
