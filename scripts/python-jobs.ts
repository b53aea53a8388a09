import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PROJECT_ROOT } from "../local-edge/paths.ts";

/** `npm run python-jobs`: 1,000 jobs of workers in Python, a fifth of which fails at first, while workers are killed 40 times. */
const { GANGLION_JOBS = "1000", GANGLION_KILLS = "40" } = process.env;
const { status } = spawnSync(
  join(PROJECT_ROOT, "node_modules", ".bin", "vitest"),
  ["run", "--project", "integration", "test/integration/python/client.test.ts", "-t", "its own tests"],
  {
    cwd: PROJECT_ROOT,
    stdio: "inherit",
    env: { ...process.env, GANGLION_JOBS, GANGLION_KILLS, PYTEST_ADDOPTS: "tests/test_jobs.py" },
  },
);
process.exit(status ?? 1);
