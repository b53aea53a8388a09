import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../local-edge/paths.ts";

const USAGE = `npm run relays -- [--faults 1000] [--seed 1]

Relays, which hold the links of an ecosystem that has many: hosts send and follow over one of them while the relay and the log
are killed and put to sleep at random. Then everything is counted: nothing may be lost or there twice.

--faults N  kills and sleeps
--seed N    brings the same faults back`;

const { values } = parseArgs({
  options: {
    faults: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const wrong = (["faults", "seed"] as const).find((name) => !/^\d{1,9}$/.test(values[name]));
if (wrong !== undefined) {
  console.error(`--${wrong}: give a whole number\n\n${USAGE}`);
  process.exit(2);
}
const { status } = spawnSync(
  join(PROJECT_ROOT, "node_modules", ".bin", "vitest"),
  ["run", "--project", "workers", "test/workers/links/relay-kills.test.ts"],
  {
    cwd: PROJECT_ROOT,
    stdio: "inherit",
    env: { ...process.env, RELAY_FAULTS: values.faults, RELAY_SEED: values.seed },
  },
);
process.exit(status ?? 1);
