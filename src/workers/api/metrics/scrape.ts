import type { Usage } from "../../../core/billing/usage.ts";
import { ExpiringMap } from "../../../core/collections/expiring-map.ts";
import { ReportedState } from "../../../core/metrics/compose.ts";
import { exposition } from "../../../core/metrics/exposition.ts";
import type { MetricsFormat } from "../../../core/metrics/format.ts";
import { SampleSet } from "../../../core/metrics/sample-set.ts";
import type { ReportedUsage, ReportPage, ReportPlace } from "../../../durable-objects/access/kept-reports.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory } from "../../bindings/objects.ts";
import { VERSION } from "../deployment/version.ts";

/** A scrape is answered again for so long: many that scrape cost the directory as much as one. */
const KEEP_MS = 10_000;
/** Scrapes that an isolate remembers, each of some hundred kilobytes at most. */
const KEEP = 32;
/** All ecosystems together. */
const ALL = "*";

/** Plain texts alone: what a request waits for cannot be shared with another. */
const recent = new ExpiringMap<readonly string[]>(KEEP, KEEP_MS);

/** The metrics of an ecosystem, a text for each family. Asks the directory, and no object of the ecosystem. */
export function scrape(env: Environment, ecosystem: string, format: MetricsFormat): Promise<readonly string[]> {
  return remembered(`${ecosystem} ${format}`, async (nowMs) => {
    const set = new SampleSet();
    await addReports(env, ecosystem, set, nowMs);
    return texts(set, format);
  });
}

/** The sums over all ecosystems, and figures of the deployment. */
export function scrapeAll(env: Environment, format: MetricsFormat): Promise<readonly string[]> {
  return remembered(`${ALL} ${format}`, async (nowMs) => {
    // The oldest state of all says nothing: some ecosystem sleeps always.
    const set = new SampleSet({ labels: ["queue", "rule"], families: ["ganglion_state_age_seconds"] });
    const shared = directory(env);
    const [ecosystems, tokens, own] = await Promise.all([
      shared.scrapeable(),
      shared.list(),
      addReports(env, ALL, set, nowMs),
    ]);
    set.add("ganglion_ecosystems", {}, ecosystems.length);
    set.add("ganglion_tokens", {}, tokens.length);
    new ReportedState(set, nowMs).addUsage("Directory", own);
    return texts(set, format);
  });
}

async function remembered(
  key: string,
  make: (nowMs: number) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const nowMs = Date.now();
  const known = recent.get(key, nowMs);
  if (known !== undefined) return known;
  const made = await make(nowMs);
  recent.set(key, made, Date.now());
  return made;
}

/** Adds what was reported, and what the Worker used. @returns what the directory itself used, for all ecosystems */
async function addReports(env: Environment, from: string, set: SampleSet, nowMs: number): Promise<Usage> {
  const state = new ReportedState(set, nowMs);
  let ecosystem: string | undefined;
  let after: ReportPlace | null = null;
  for (;;) {
    const page: ReportPage & ReportedUsage = await directory(env).states(from, after);
    for (const report of page.reports) {
      if (report.ecosystem !== ecosystem) state.endEcosystem();
      ecosystem = report.ecosystem;
      state.add(report);
    }
    after = page.next;
    if (after !== null) continue;
    state.endEcosystem();
    state.addUsage("Worker", page.worker);
    return page.directory;
  }
}

function texts(set: SampleSet, format: MetricsFormat): readonly string[] {
  set.add("ganglion_build", { version: VERSION }, 1);
  return [...exposition(set, format)];
}
