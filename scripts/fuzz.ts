import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { VITEST_ARGUMENTS } from "./fuzz/vitest-arguments.ts";

const USAGE = `npm run fuzz -- [--minutes 10] [--targets http,frames] [--lanes 8] [--seed 1] [--findings DIR]

Sends requests and frames that are made from the edge's own schemas, valid and spoiled, to a fresh edge on this machine.
Fails on an answer of 500, an answer without its headers, a hang of /healthz above a second, an error that nobody caught,
and growth of memory. The runtime has as much memory as Cloudflare gives an isolate. LANES inputs of each target are under way at once. The first input of each kind is kept in DIR (default: .ganglion/fuzz).`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    targets: { type: "string", default: "http,frames" },
    lanes: { type: "string", default: "8" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    findings: { type: "string", default: join(PROJECT_ROOT, ".ganglion", "fuzz") },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const wrong =
  (/^\d{1,4}(\.\d+)?$/.test(values.minutes) ? undefined : "--minutes: give a number") ??
  (/^[1-9]\d?$/.test(values.lanes) ? undefined : "--lanes: give a number from 1 to 99") ??
  (/^\d{1,9}$/.test(values.seed) ? undefined : "--seed: give a whole number") ??
  (/^(http|frames)(,(http|frames))?$/.test(values.targets) ? undefined : "--targets: give http, frames or both");
if (wrong !== undefined) {
  console.error(`${wrong}\n\n${USAGE}`);
  process.exit(2);
}
console.log(`${values.minutes} minutes of ${values.targets}, seed ${values.seed}; findings go to ${values.findings}`);
const { status } = spawnSync(join(PROJECT_ROOT, "node_modules", ".bin", "vitest"), ["run", ...VITEST_ARGUMENTS], {
  cwd: PROJECT_ROOT,
  stdio: "inherit",
  env: {
    MINIFLARE_WORKERD_V8_FLAGS: "--max-old-space-size=128",
    ...process.env,
    GANGLION_MINUTES: values.minutes,
    GANGLION_TARGETS: values.targets,
    GANGLION_LANES: values.lanes,
    GANGLION_SEED: values.seed,
    GANGLION_FINDINGS: values.findings,
  },
});
process.exit(status ?? 1);
