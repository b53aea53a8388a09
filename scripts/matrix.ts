import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PROJECT_ROOT } from "../local-edge/paths.ts";

/** `npm run matrix`: what every kind of token and session may do, asked of every route and frame of the real Worker. */
const MATRICES = ["token-matrix", "session-matrix", "link-matrix", "lock-matrix"].map(
  (name) => `test/workers/access/${name}.test.ts`,
);
const { status } = spawnSync(
  join(PROJECT_ROOT, "node_modules", ".bin", "vitest"),
  ["run", "--project", "workers", "--reporter", "verbose", ...MATRICES, ...process.argv.slice(2)],
  { cwd: PROJECT_ROOT, stdio: "inherit" },
);
process.exit(status ?? 1);
