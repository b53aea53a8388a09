import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PROJECT_ROOT } from "../local-edge/paths.ts";

/** `npm run federation`: two ecosystems that forward 10,000 signals each to the other, while their objects are aborted. */
const FEDERATION_SIGNALS = process.env.FEDERATION_SIGNALS ?? "10000";
const { status } = spawnSync(
  join(PROJECT_ROOT, "node_modules", ".bin", "vitest"),
  ["run", "--project", "workers", "test/workers/federation/bridged.test.ts", ...process.argv.slice(2)],
  { cwd: PROJECT_ROOT, stdio: "inherit", env: { ...process.env, FEDERATION_SIGNALS } },
);
process.exit(status ?? 1);
