import type { Client } from "../../../src/client/client.ts";
import { type Past, type Replayed, replay as replayPast } from "../../../src/core/policy/replay.ts";
import type { Rule } from "../../../src/core/policy/rule.ts";
import { formatTimestamp } from "../../../src/core/signals/timestamp.ts";
import { UsageError } from "../../failure.ts";
import { remark } from "../../output.ts";

export interface Stretch {
  /** RFC 3339 */
  readonly since: string;
  readonly until?: string | undefined;
  /** In milliseconds; default: as far as the rules in force look back. */
  readonly warmUp?: number | undefined;
}

/** Progress is told on standard error, after so many signals. */
const TELL_EVERY = 20_000;
/** Of a thousand signals each. What a warm-up reads is held in memory. */
const MAX_PAGES = { warmUp: 200, range: Number.POSITIVE_INFINITY };

/**
 * Runs sets of rules over the same stretch of the log, here and not at the edge: nothing is written, and what it costs is
 * reading.
 */
export async function replay(
  client: Client,
  deployed: readonly Rule[],
  sets: readonly (readonly Rule[])[],
  { since, until, warmUp }: Stretch,
): Promise<Replayed> {
  if (until !== undefined && until <= since) throw new UsageError("give --until a time after --since");
  const nowMs = Date.now();
  let looked = 0;
  return replayPast(pastOf(client), {
    ...{ deployed, sets, sinceMs: Date.parse(since), warmUpMs: warmUp, maxPages: MAX_PAGES },
    untilMs: until === undefined ? nowMs : Math.min(nowMs, Date.parse(until)),
    progress: ({ received_at }) => {
      if (++looked % TELL_EVERY === 0) remark(`${looked} signals, ${received_at}`);
    },
  });
}

/** One line on what a simulation began with. */
export function describeWarmUp({ from, complete, signals, under_way }: Replayed["warm_up"]): string {
  const kept = Object.entries(under_way).map(([kind, count]) => `${kind.replaceAll("_", " ")} ${count}`);
  const source = `from ${signals} signals since ${from}${complete ? "" : ", as far back as is read"}`;
  return `began with ${kept.length === 0 ? "nothing under way" : `${kept.join(", ")} under way`} (${source})`;
}

const pastOf = (client: Client): Past => ({
  signals: ({ sinceMs, ...query }) =>
    client.signals({ ...query, ...(sinceMs === undefined ? {} : { since: formatTimestamp(sinceMs) }) }),
  decisions: ({ sinceMs, untilMs, ...query }) =>
    client.decisions({ ...query, since: formatTimestamp(sinceMs), until: formatTimestamp(untilMs) }),
});
