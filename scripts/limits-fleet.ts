import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PROJECT_ROOT } from "../local-edge/paths.ts";

/** `npm run limits-fleet`: twenty clients share the limit of a fake provider for three minutes, and use up its minutes. */
const { FLEET_SECONDS = "180" } = process.env;
const { status } = spawnSync(
  join(PROJECT_ROOT, "node_modules", ".bin", "vitest"),
  ["run", "--project", "integration", "test/integration/limits/fleet.test.ts"],
  { cwd: PROJECT_ROOT, stdio: "inherit", env: { ...process.env, FLEET_SECONDS } },
);
process.exit(status ?? 1);
