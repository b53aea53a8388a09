import type { Client } from "../../../src/client/client.ts";
import type { HistoryReader } from "../../../src/core/policy/history-reader.ts";
import { type ReplayResult, replay as replayHistory } from "../../../src/core/policy/replay.ts";
import type { Rule } from "../../../src/core/policy/rule.ts";
import { formatTimestamp } from "../../../src/core/signals/timestamp.ts";
import { clock, remark } from "../../output.ts";

export interface Stretch {
  /** RFC 3339 */
  readonly since: string;
  readonly until?: string | undefined;
  /** In milliseconds. Default: as far as the rules in force look back. */
  readonly warmUp?: number | undefined;
}

/** Progress is reported on standard error after every so many signals. */
const REPORT_EVERY = 20_000;
/** Pages of a thousand signals. The signals of the warm-up are held in memory. */
const MAX_PAGES = { warmUp: 200, range: Number.POSITIVE_INFINITY, decisions: Number.POSITIVE_INFINITY };

/**
 * Simulates sets of rules over one stretch of the log, on this machine and not at the edge: nothing is written, and only
 * reading costs money.
 */
export async function replay(
  client: Client,
  deployed: readonly Rule[],
  sets: readonly (readonly Rule[])[],
  { since, until, warmUp }: Stretch,
): Promise<ReplayResult> {
  const nowMs = Date.now();
  let processed = 0;
  return replayHistory(historyOf(client), {
    deployed,
    sets,
    sinceMs: Date.parse(since),
    warmUpMs: warmUp,
    maxPages: MAX_PAGES,
    untilMs: until === undefined ? nowMs : Math.min(nowMs, Date.parse(until)),
    progress: ({ received_at }) => {
      if (++processed % REPORT_EVERY === 0) remark(`${processed} signals, ${received_at}`);
    },
  });
}

/** One line about the initial state of a simulation. */
export function describeWarmUp({ from, complete, signals, under_way }: ReplayResult["warm_up"]): string {
  const kept = Object.entries(under_way).map(([kind, count]) => `${kind.replaceAll("_", " ")} ${count}`);
  const source = `from ${signals} signals since ${clock(from)}${complete ? "" : ", the limit of the warm-up"}`;
  return `initial state: ${kept.length === 0 ? "empty" : kept.join(", ")} (${source})`;
}

const historyOf = (client: Client): HistoryReader => ({
  signals: ({ sinceMs, ...query }) =>
    client.signals({ ...query, ...(sinceMs === undefined ? {} : { since: formatTimestamp(sinceMs) }) }),
  decisions: ({ sinceMs, untilMs, ...query }) =>
    client.decisions({ ...query, since: formatTimestamp(sinceMs), until: formatTimestamp(untilMs) }),
});
