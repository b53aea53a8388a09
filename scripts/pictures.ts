import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PROJECT_ROOT } from "../local-edge/paths.ts";

// `npm run pictures`: takes the pictures of docs/images anew that show one view of the dashboard each. Needs Chromium.
const { status } = spawnSync(
  join(PROJECT_ROOT, "node_modules", ".bin", "vitest"),
  ["run", "--project", "integration", "test/integration/dashboard/views.test.ts", "--testNamePattern", "pictures"],
  {
    cwd: PROJECT_ROOT,
    stdio: "inherit",
    env: { ...process.env, GANGLION_PICTURES: join(PROJECT_ROOT, "docs", "images") },
  },
);
process.exit(status ?? 1);
