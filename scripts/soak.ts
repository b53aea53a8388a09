import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { VITEST_ARGUMENTS } from "./soak/vitest-arguments.ts";

const USAGE = `npm run soak -- [--faults 60] [--amount large] [--seed 1] [--relays]

A bad day of two hosts in some minutes: edge, agents, workers, responders and bus are killed with SIGKILL as often as
--faults says; for each four kills the network is cut, a disk filled, or a host's state set back or cloned. Meanwhile
signals, tasks, reactions, file tasks and calls flow, with spoiled ones among them; then everything is counted.

--faults N      kills; default 60. What flows grows with them
--amount large  100,000 signals, 10,000 tasks, 5,000 reactions and 5,000 calls, however many kills
--seed N        brings the same day back
--relays        all links go over relays, objects between the hosts and the log`;

const { values } = parseArgs({
  options: {
    faults: { type: "string", default: "60" },
    amount: { type: "string", default: "by-faults" },
    relays: { type: "boolean", default: false },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const { faults, amount, seed, relays } = values;
const wrong =
  (/^\d{1,9}$/.test(faults) ? undefined : "--faults: give a whole number") ??
  (/^\d{1,9}$/.test(seed) ? undefined : "--seed: give a whole number") ??
  (["by-faults", "large"].includes(amount) ? undefined : "--amount: give large, or leave it out");
if (wrong !== undefined) {
  console.error(`${wrong}\n\n${USAGE}`);
  process.exit(2);
}
console.log(`${faults} kills, seed ${seed}${relays ? ", over relays" : ""}; each takes about four seconds`);
const { status } = spawnSync(join(PROJECT_ROOT, "node_modules", ".bin", "vitest"), ["run", ...VITEST_ARGUMENTS], {
  cwd: PROJECT_ROOT,
  stdio: "inherit",
  env: {
    ...process.env,
    GANGLION_FAULTS: faults,
    GANGLION_AMOUNT: amount,
    GANGLION_SEED: seed,
    ...(relays ? { GANGLION_LINK_RELAY_LINKS: "0" } : {}),
  },
});
process.exit(status ?? 1);
