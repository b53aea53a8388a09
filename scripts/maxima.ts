import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_ROOT } from "../local-edge/paths.ts";
import { VITEST_ARGUMENTS } from "./maxima/vitest-arguments.ts";

const USAGE = `npm run maxima -- [--short] [--only tasks] [--json]

Goes to the maximum of every setting, on edges whose V8 has 128 MB as an isolate on Cloudflare: 100,000 producers, 20,000
observations of 1.5 KB, 200,000 observations, another retention on a filled log, 250,000 tasks, 100,000 expectations, 1,000
sockets that stop reading. One line for each, with its memory. Some minutes each.

--short      small numbers, as npm test runs them
--only TEXT  the maxima whose names contain TEXT
--json       each line as JSON`;

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    only: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const { status } = spawnSync(join(PROJECT_ROOT, "node_modules", ".bin", "vitest"), ["run", ...VITEST_ARGUMENTS], {
  cwd: PROJECT_ROOT,
  stdio: "inherit",
  env: {
    ...process.env,
    GANGLION_MAXIMA: values.short ? "short" : "full",
    GANGLION_MAXIMA_JSON: String(values.json),
    ...(values.only === undefined ? {} : { GANGLION_MAXIMA_ONLY: values.only }),
  },
});
process.exit(status ?? 1);
