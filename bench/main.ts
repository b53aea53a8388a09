import { agentIdle } from "./agent-idle.ts";
import { agentPackage } from "./agent-package.ts";
import { atRest } from "./at-rest.ts";
import { bill } from "./bill/bill.ts";
import { bus } from "./bus.ts";
import { catchUp } from "./catch-up.ts";
import { command } from "./command.ts";
import { checkoutAt } from "./compare/before.ts";
import { compared } from "./compare/compared.ts";
import { cost } from "./cost.ts";
import { dashboard } from "./dashboard.ts";
import { startEdgeUnderTest } from "./edge-under-test.ts";
import { fairness } from "./fairness.ts";
import { farQueue } from "./far-queue.ts";
import { type Figure, type Report, report } from "./figure.ts";
import { figuresTable } from "./figures-table.ts";
import { freePort } from "./free-port.ts";
import { growth } from "./growth/growth.ts";
import { IDLE_ECOSYSTEMS_SETTINGS, idleEcosystems } from "./idle-ecosystems.ts";
import { intelligence } from "./intelligence.ts";
import { introspection } from "./introspection.ts";
import { latency } from "./latency.ts";
import { limits } from "./limits.ts";
import { locks } from "./locks.ts";
import { type BenchOptions, benchOptions } from "./options.ts";
import { policy } from "./policy.ts";
import { predicted } from "./predicted.ts";
import { profiled } from "./profile/profiled.ts";
import { queue } from "./queue.ts";
import { reaction } from "./reaction.ts";
import { relays } from "./relays.ts";
import { throughput } from "./throughput.ts";

/** `npm run bench [-- <name> …]`: one JSON line per figure. Each bench has an edge of its own. */
const BENCHES = {
  throughput,
  "catch-up": catchUp,
  latency,
  fairness,
  introspection,
  cost,
  queue,
  "far-queue": farQueue,
  locks,
  limits,
  reaction,
  policy,
  bus,
  intelligence,
  "at-rest": atRest,
  "idle-ecosystems": idleEcosystems,
  "agent-idle": agentIdle,
  "agent-package": agentPackage,
  bill,
  predicted,
  relays,
  dashboard,
  command,
  compared,
  growth,
};

/** Settings of the edges that need some. */
const SETTINGS: Readonly<Partial<Record<string, Readonly<Record<string, string>>>>> = {
  "idle-ecosystems": IDLE_ECOSYSTEMS_SETTINGS,
};

const USAGE = `npm run bench -- [all | <name> …] [--md] [--before DIR]

Prints one JSON line for each figure; with --md a table of all of them instead, and the lines as they come on the side.
GANGLION_ROUNDS says how many rounds "compared" makes (default 5). With --before, "compared" measures the edge of another
checkout as well, in the same rounds: DIR holds, for example, the release before, with its node_modules installed. There are: ${Object.keys(BENCHES).join(", ")}.`;

const options = optionsOf(process.argv.slice(2));
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
const figures: Figure[] = [];
const note: Report = (figure) => {
  figures.push(figure);
  report(figure, options.markdown ? process.stderr : process.stdout);
};
/** Where profiles go, when they are taken; see scripts/profile.ts. */
const profiles = process.env.GANGLION_PROFILES;
for (const [name, bench] of Object.entries(BENCHES)) {
  if (!options.benches.includes(name)) continue;
  console.error(`bench ${name} …`);
  const inspector = `127.0.0.1:${profiles === undefined ? 0 : await freePort()}`;
  const edge = await startEdgeUnderTest({
    ...SETTINGS[name],
    ...(profiles !== undefined && { GANGLION_INSPECTOR_ADDR: inspector }),
  });
  try {
    if (profiles === undefined) await bench(edge, note, options);
    else await profiled(inspector, profiles, name, () => bench(edge, note, options));
  } finally {
    await edge.stop();
  }
}
if (options.markdown) console.log(figuresTable(figures));
process.exit(0);

function optionsOf(args: readonly string[]): BenchOptions {
  try {
    const given = benchOptions(args, Object.keys(BENCHES));
    return given.before === undefined ? given : { ...given, before: checkoutAt(given.before) };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}
