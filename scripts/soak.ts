import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { VITEST_ARGUMENTS } from "./soak/vitest-arguments.ts";

/**
 * `npm run soak -- [--faults 60] [--seed 1]`: a bad day of a host in some minutes. The network is cut, the edge and the
 * agent are killed, the disk is filled and the bus restarted, again and again, while work flows; then everything is
 * counted. Says the seed, which brings the same day back.
 */
const { values } = parseArgs({
  options: { faults: { type: "string", default: "60" }, seed: { type: "string" } },
});
const seed = values.seed ?? String(Date.now() % 1_000_000);
for (const [name, value] of Object.entries({ faults: values.faults, seed })) {
  if (/^\d{1,9}$/.test(value)) continue;
  console.error(`--${name}: give a whole number`);
  process.exit(2);
}
console.log(`${values.faults} faults, seed ${seed}; a fault takes about two seconds`);
const { status } = spawnSync(join(PROJECT_ROOT, "node_modules", ".bin", "vitest"), ["run", ...VITEST_ARGUMENTS], {
  cwd: PROJECT_ROOT,
  stdio: "inherit",
  env: { ...process.env, GANGLION_FAULTS: values.faults, GANGLION_SEED: seed },
});
process.exit(status ?? 1);
