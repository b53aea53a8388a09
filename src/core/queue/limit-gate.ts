import * as z from "zod";
import { ClosedLimits } from "../limits/closed-limits.ts";
import { formatTimestamp } from "../signals/timestamp.ts";

/** Why a task waits that could be leased, and until when; an empty one: it does not. */
export interface Parked {
  readonly parked_until?: string;
  readonly parked_reason?: string;
}

/** Reads the table that a queue has stored, from its first task that names a limit. */
export const readClosedLimits = (text: string): ClosedLimits => ClosedLimits.parse(JSON.parse(text));

/**
 * Which limits are closed, as a queue knows it. A task that names a closed limit stays in its line, at its place: the line is
 * passed over until the limit is open, so nothing has to be moved there and back, and nothing can be moved twice.
 *
 * Before the first table came, nobody knows what is open: tasks that name limits wait for it.
 */
export class LimitGate {
  #table: ClosedLimits | undefined;
  #closed = new Map<string, { readonly untilMs: number; readonly reason: string }>();

  constructor(stored?: ClosedLimits) {
    if (stored !== undefined) this.take(stored);
  }

  /** Whether a table came, and with it all that follow. */
  get isKnown(): boolean {
    return this.#table !== undefined;
  }

  /** Takes a table, unless a newer one was taken. @returns whether it is to be stored */
  take(table: ClosedLimits): boolean {
    const known = this.#table;
    if (known !== undefined && known.epoch === table.epoch && known.version >= table.version) return false;
    this.#table = table;
    this.#closed = new Map(table.closed.map(({ name, until_ms, reason }) => [name, { untilMs: until_ms, reason }]));
    return true;
  }

  /** Opens limits whose time is over. */
  advanceClock(nowMs: number): void {
    for (const [name, { untilMs }] of this.#closed) if (untilMs <= nowMs) this.#closed.delete(name);
  }

  /** When the next limit opens. */
  get nextDueMs(): number | undefined {
    const times = [...this.#closed.values()].map(({ untilMs }) => untilMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  isClosed(limit: string): boolean {
    return this.#table === undefined || this.#closed.has(limit);
  }

  /** For people: why a task that names these limits waits, and until when. */
  of(limits: readonly string[] | undefined): Parked {
    if (limits === undefined) return {};
    if (this.#table === undefined) return { parked_reason: "it is not known yet whether its limits are open" };
    let until = 0;
    const reasons: string[] = [];
    for (const limit of limits) {
      const closed = this.#closed.get(limit);
      if (closed === undefined) continue;
      until = Math.max(until, closed.untilMs);
      reasons.push(`the limit ${limit} is closed: ${closed.reason}`);
    }
    return reasons.length === 0 ? {} : { parked_until: formatTimestamp(until), parked_reason: reasons.join("; ") };
  }

  /** The limits that are closed, by name. */
  get closed(): z.infer<typeof ClosedLimit>[] {
    return [...this.#closed].map(([limit, { untilMs, reason }]) => ({
      limit,
      until: formatTimestamp(untilMs),
      reason,
    }));
  }
}

/** A limit that is closed, as the status of a queue shows it. */
export const ClosedLimit = z.object({
  limit: z.string(),
  until: z.string().meta({ description: "When it is open again" }),
  reason: z.string(),
});
