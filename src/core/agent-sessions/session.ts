import * as z from "zod";
import { SeriesState } from "./counter-series.ts";
import { ORIGINS } from "./record.ts";
import { Tally } from "./usage.ts";
import type { SessionActivity } from "./verdict.ts";

const Call = z.object({
  key: z.string(),
  tool: z.string().nullable(),
  since_ms: z.number(),
  thread: z.string().nullable(),
});
/** Counts by who counted. */
const Counts = z.partialRecord(z.enum(ORIGINS), Tally);
export type Counts = z.infer<typeof Counts>;
const text = z.string().nullable();

/** Everything that is known of a session, as it is stored. */
export const Session = z.object({
  session: z.string(),
  agent: z.string(),
  source: z.string(),
  /** Who sent its first signal: room is shared fairly among senders. */
  sender: z.string(),
  model: text,
  version: text,
  directory: text,
  task: text,
  started_ms: z.number(),
  seen_ms: z.number(),
  ended_ms: z.number().nullable(),
  /** Whether hooks say what it does: they know more than the events in the logs. */
  hooked: z.boolean(),
  turn_ms: z.number().nullable(),
  idle_ms: z.number(),
  calls: z.array(Call),
  asks: z.array(Call),
  /** Calls that ended lately: their beginning may come late. */
  closed: z.array(z.string()),
  /** By the clock of the sender: the last change of what it does, and the last end of a turn. */
  changed_at_ms: z.number(),
  settled_at_ms: z.number(),
  counts: Counts,
  chains: z.array(z.object({ chain: z.string(), counts: Counts })),
  series: z.record(z.string(), SeriesState),
  /** Whose records of use are charged to a limit: one counts each request, several would count it twice. Absent: none yet. */
  fed_by: z.enum(ORIGINS).optional(),
  context_tokens: z.number().nullable(),
  context_share: z.number().nullable(),
  /** The notice that was emitted and still holds: that it waits, or is frozen, and since when. Rows of before lack it. */
  notice: z
    .object({ verdict: z.enum(["waiting", "frozen"]), since_ms: z.number() })
    .nullable()
    .default(null),
  /** The counts as its last observation had them, and when that was. */
  observed: z.object({ at_ms: z.number(), tally: Tally }),
}) satisfies z.ZodType<SessionActivity>;
export type Session = z.infer<typeof Session>;

export function newSession(session: string, agent: string, source: string, nowMs: number): Session {
  return {
    session,
    agent,
    source,
    sender: "",
    model: null,
    version: null,
    directory: null,
    task: null,
    started_ms: nowMs,
    seen_ms: nowMs,
    ended_ms: null,
    hooked: false,
    turn_ms: null,
    idle_ms: nowMs,
    calls: [],
    asks: [],
    closed: [],
    changed_at_ms: 0,
    settled_at_ms: 0,
    counts: {},
    chains: [],
    series: {},
    context_tokens: null,
    context_share: null,
    notice: null,
    observed: { at_ms: nowMs, tally: {} },
  };
}
