import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../local-edge/paths.ts";

const USAGE = `npm run relays -- [--faults 1000] [--links 5000] [--seed 1]

Relays, which hold the links of an ecosystem that has many. Hosts send and follow over one of them while the relay and the log
are killed and put to sleep at random; then thousands of links of one ecosystem are opened, each appends a signal, and one
signal goes to all. Everything is counted: nothing may be lost or there twice.

--faults N  kills and sleeps; 0: none
--links N   links; 0: none
--seed N    brings the same faults back`;

const { values } = parseArgs({
  options: {
    faults: { type: "string", default: "1000" },
    links: { type: "string", default: "5000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const wrong = (["faults", "links", "seed"] as const).find((name) => !/^\d{1,9}$/.test(values[name]));
if (wrong !== undefined) {
  console.error(`--${wrong}: give a whole number\n\n${USAGE}`);
  process.exit(2);
}
const { faults, links, seed } = values;
const files = [
  ...(faults === "0" ? [] : ["test/workers/links/relay-kills.test.ts"]),
  ...(links === "0" ? [] : ["test/faults/links/many-links.test.ts"]),
];
if (files.length === 0) {
  console.error(`nothing to do\n\n${USAGE}`);
  process.exit(2);
}
const { status } = spawnSync(
  join(PROJECT_ROOT, "node_modules", ".bin", "vitest"),
  ["run", "--project", "workers", "--project", "integration", "--disableConsoleIntercept", ...files],
  {
    cwd: PROJECT_ROOT,
    stdio: "inherit",
    env: { ...process.env, RELAY_FAULTS: faults, RELAY_SEED: seed, GANGLION_LINKS: links },
  },
);
process.exit(status ?? 1);
