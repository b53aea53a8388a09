import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PROJECT_ROOT } from "../local-edge/paths.ts";

/**
 * `npm run asking`: 10,000 requests about code from 50 askers, whose answers come late, out of order and twice, while
 * responders are killed 20 times.
 */
const { GANGLION_REQUESTS = "10000", GANGLION_ASKERS = "50", GANGLION_KILLS = "20" } = process.env;
const { status } = spawnSync(
  join(PROJECT_ROOT, "node_modules", ".bin", "vitest"),
  ["run", "--project", "integration", "test/faults/intelligence/asking.test.ts", ...process.argv.slice(2)],
  { cwd: PROJECT_ROOT, stdio: "inherit", env: { ...process.env, GANGLION_REQUESTS, GANGLION_ASKERS, GANGLION_KILLS } },
);
process.exit(status ?? 1);
