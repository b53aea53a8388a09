import * as z from "zod";
import type { Use } from "./amounts.ts";

const Seconds = z.array(z.tuple([z.number(), z.number()]));

const Day = z.object({
  /** As the clock of the limit's zone shows it: 20260131. */
  day: z.number(),
  /** Billionths of a dollar that were spent, and that reservations hold. */
  spent: z.number(),
  held: z.number(),
});
export type Day = z.infer<typeof Day>;

/**
 * A limit that was closed: until when, and why. After that one reservation at a time tries (`probing`), until one ends well;
 * then the limit grows to its whole (`ramping`).
 */
const Closing = z.object({
  phase: z.enum(["closed", "probing", "ramping"]),
  /** When the phase began, and when it ends by itself; of `probing`, when the next one may try. In the limit's own time. */
  fromMs: z.number(),
  untilMs: z.number(),
  reason: z.string(),
  /** When it was closed, by the clock. */
  since: z.number(),
  /** Closings since it last grew to its whole, this one included. */
  times: z.int(),
});
export type Closing = z.infer<typeof Closing>;

/**
 * What is stored of a limit. Times with `Ms` are in its own time, which goes on with the clock and stands still where that is
 * set back: nothing then waits for the clock to come there again.
 */
export const LimitState = z.object({
  clockMs: z.number(),
  ownMs: z.number(),
  requests: Seconds,
  input_tokens: Seconds,
  output_tokens: Seconds,
  /** Reservations that are not settled. */
  held: z.int(),
  /** The last days, in the order in which they were first used. */
  days: z.array(Day),
  closing: Closing.nullable(),
  createdMs: z.number(),
  changedMs: z.number(),
});
export type LimitState = z.infer<typeof LimitState>;

export const newState = (nowMs: number): LimitState => ({
  clockMs: nowMs,
  ownMs: nowMs,
  requests: [],
  input_tokens: [],
  output_tokens: [],
  held: 0,
  days: [],
  closing: null,
  createdMs: nowMs,
  changedMs: nowMs,
});

const StoredUse = z.object({
  requests: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  nanos: z.number(),
}) satisfies z.ZodType<Use>;

/** A counter of a budget that a reservation holds a part of. */
const Charge = z.object({ budget: z.string(), subject: z.string(), day: z.number() });
export type Charge = Readonly<z.infer<typeof Charge>>;

/** A reservation, kept for a while after its end so that a settlement that is sent again changes nothing. */
export const Reservation = z.object({
  id: z.string(),
  limit: z.string(),
  state: z.enum(["held", "settled", "expired"]),
  /** When it was granted, and when it expires, in the limit's own time. */
  atMs: z.number(),
  expiresMs: z.number(),
  day: z.number(),
  use: StoredUse,
  /** Of a share: calls that it gives room at a time. Absent: it is one call. */
  calls: z.int().optional(),
  /** Of a share: the host that it is for, as far as was said. */
  host: z.string().optional(),
  /** Absent: no budget counts it. */
  charges: z.array(Charge).readonly().optional(),
  agent: z.string().optional(),
  task: z.string().optional(),
  chain: z.string().optional(),
  model: z.string().optional(),
});
export type Reservation = z.infer<typeof Reservation>;
