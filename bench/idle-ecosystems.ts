import { setTimeout as pause } from "node:timers/promises";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { type Report, rounded } from "./figure.ts";
import { type BareLink, openLink } from "./link-client.ts";
import { cpuSeconds, descendants, residentMegabytes } from "./process-memory.ts";

const ECOSYSTEMS = 500;
const OPENED_AT_ONCE = 20;
/** Objects of the runtime sleep after ten seconds. */
const SETTLED_MS = 30_000;
/** A round of the cron falls into it. */
const MEASURED_MS = 60_000;

/** What the edge of this bench allows: more ecosystems than an edge begins with. */
export const IDLE_ECOSYSTEMS_SETTINGS = { GANGLION_QUOTA_ECOSYSTEMS: String(2 * ECOSYSTEMS) } as const;

/** What ecosystems cost that have a host and nothing to do: one link each, and nothing on it. */
export async function idleEcosystems(edge: EdgeUnderTest, report: Report): Promise<void> {
  await pause(SETTLED_MS);
  const without = megabytesOf(edge);
  const links: BareLink[] = [];
  for (let from = 0; from < ECOSYSTEMS; from += OPENED_AT_ONCE) {
    const names = Array.from({ length: OPENED_AT_ONCE }, (_, place) => `eco-${from + place}`);
    links.push(...(await Promise.all(names.map((name) => openLink(edge, `host-of-${name}`, name)))));
  }
  await pause(SETTLED_MS);
  const before = secondsOf(edge);
  await pause(MEASURED_MS);
  const share = ((secondsOf(edge) - before) * 1_000) / MEASURED_MS;
  const measured = { bench: "idle-ecosystems", ecosystems: ECOSYSTEMS };
  report({
    ...measured,
    figure: "resident_memory",
    value: rounded(megabytesOf(edge)),
    unit: "MB",
    target: { at_most: 300 },
    compared_with: { without_any_mb: rounded(without) },
  });
  report({
    ...measured,
    figure: "processor",
    value: rounded(100 * share),
    unit: "% of a core",
    target: { at_most: 3 },
  });
  for (const link of links) link.close();
}

/** Of the runtime, without the process that watches it. */
const megabytesOf = ({ pid }: EdgeUnderTest) =>
  descendants(pid).reduce((sum, each) => sum + residentMegabytes(each), 0);

const secondsOf = ({ pid }: EdgeUnderTest) => descendants(pid).reduce((sum, each) => sum + cpuSeconds(each), 0);
