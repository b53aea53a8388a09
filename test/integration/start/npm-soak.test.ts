import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { VITEST_ARGUMENTS } from "../../../scripts/soak/vitest-arguments.ts";

test("npm run soak runs the soak and nothing else", async () => {
  const vitest = join(PROJECT_ROOT, "node_modules", ".bin", "vitest");
  const { stdout } = await promisify(execFile)(vitest, ["list", "--filesOnly", ...VITEST_ARGUMENTS], {
    cwd: PROJECT_ROOT,
  });
  expect(stdout.trim()).toMatch(/^(\[integration\] )?test\/faults\/soak\/soak\.test\.ts$/);
});
