import { agentIdle } from "./agent-idle.ts";
import { bill } from "./bill/bill.ts";
import { bus } from "./bus.ts";
import { command } from "./command.ts";
import { cost } from "./cost.ts";
import { dashboard } from "./dashboard.ts";
import { startEdgeUnderTest } from "./edge-under-test.ts";
import { fairness } from "./fairness.ts";
import { report } from "./figure.ts";
import { intelligence } from "./intelligence.ts";
import { introspection } from "./introspection.ts";
import { latency } from "./latency.ts";
import { policy } from "./policy.ts";
import { predicted } from "./predicted.ts";
import { queue } from "./queue.ts";
import { reaction } from "./reaction.ts";
import { relays } from "./relays.ts";
import { throughput } from "./throughput.ts";

/** `npm run bench [-- <name> …]`: one JSON line per figure. Each bench has an edge of its own. */
const BENCHES = {
  throughput,
  latency,
  fairness,
  introspection,
  cost,
  queue,
  reaction,
  policy,
  bus,
  intelligence,
  "agent-idle": agentIdle,
  bill,
  predicted,
  relays,
  dashboard,
  command,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}`);
  process.exit(2);
}

for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.error(`bench ${name} …`);
  const edge = await startEdgeUnderTest();
  try {
    await bench(edge, report);
  } finally {
    await edge.stop();
  }
}
process.exit(0);
