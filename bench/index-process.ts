import { join } from "node:path";
import pino from "pino";
import { IndexClient } from "../local-agent/intelligence/index-client.ts";
import { requestOf } from "../src/core/intelligence/request.ts";
import { percentile } from "./figure.ts";

/** A process with nothing but an index in it: `node index-process.ts <root> <state>`. Prints its figures as a line of JSON. */
const [, , root = "", state = ""] = process.argv;
const ASKED = 200;
/** The collector has had its turn by then. */
const REST_MS = 1_000;

const residentMb = () => process.memoryUsage.rss() / 1024 / 1024;
const before = residentMb();
const started = performance.now();
const reached = { readyMs: Number.NaN, peakMb: before };
const settled = Promise.withResolvers<void>();
const index: IndexClient = new IndexClient({
  database: join(state, "intelligence.db"),
  roots: [root],
  languages: ["python", "typescript", "javascript"],
  ignored: [".git"],
  maxFiles: 50_000,
  log: pino({ level: "silent" }),
  onState: () => {
    const { ready = false, settled: done = false } = index.state ?? {};
    if (ready && Number.isNaN(reached.readyMs)) reached.readyMs = performance.now() - started;
    if (done) settled.resolve();
  },
});
const watch = setInterval(() => {
  reached.peakMb = Math.max(reached.peakMb, residentMb());
}, 20);
index.start();
await settled.promise;
const settledMs = performance.now() - started;
const { user, system } = process.cpuUsage();
const cpuMs = (user + system) / 1_000;
const times: number[] = [];
for (let asked = 0; asked < ASKED; asked++) {
  const pattern = { source_path: `node_part_*${asked % 10}_effect.py`, operation_type: "PATTERN_EXTRACTION" };
  const began = performance.now();
  await index.ask(requestOf({ ...pattern, options: { limit: 10, enable_caching: false } }));
  times.push(performance.now() - began);
}
const { files = 0 } = index.state ?? {};
await new Promise((resolve) => setTimeout(resolve, REST_MS));
clearInterval(watch);
const memory = { memoryMb: residentMb() - before, peakMb: reached.peakMb - before };
await index.stop();
const answers = { answerP50Ms: percentile(times, 0.5), answerP95Ms: percentile(times, 0.95) };
process.stdout.write(
  `${JSON.stringify({ files, readyMs: reached.readyMs, settledMs, cpuMs, ...memory, ...answers })}\n`,
);
