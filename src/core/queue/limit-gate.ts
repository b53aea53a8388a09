import * as z from "zod";
import { ClosedLimits } from "../limits/closed-limits.ts";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { Routed } from "./route.ts";

/** Why a task waits that could be leased, and until when; an empty one: it does not. */
export interface Parked {
  readonly parked_until?: string;
  readonly parked_reason?: string;
}

interface Wait {
  readonly untilMs: number;
  readonly reason: string;
}

/** Reads the table that a queue has stored, from its first task that names a limit. */
export const readClosedLimits = (text: string): ClosedLimits => ClosedLimits.parse(JSON.parse(text));

/**
 * Which limits are closed and which budgets are spent, as a queue knows it. A task that names a closed limit stays in its line, at its place: the line is
 * passed over until the limit is open, so nothing has to be moved there and back, and nothing can be moved twice.
 *
 * Before the first table came, nobody knows what is open: tasks that name limits wait for it.
 */
export class LimitGate {
  #table: ClosedLimits | undefined;
  #closed = new Map<string, Wait>();
  /** Recipients whose budget of the day is spent; `null`: that of the ecosystem is. */
  #spent = new Map<string | null, Wait>();

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
    this.#spent = new Map(table.spent.map(({ agent, until_ms, reason }) => [agent, { untilMs: until_ms, reason }]));
    return true;
  }

  /** Opens limits and budgets whose time is over. */
  advanceClock(nowMs: number): void {
    for (const [name, { untilMs }] of this.#closed) if (untilMs <= nowMs) this.#closed.delete(name);
    for (const [agent, { untilMs }] of this.#spent) if (untilMs <= nowMs) this.#spent.delete(agent);
  }

  /** When the next limit or budget opens. */
  get nextDueMs(): number | undefined {
    const times = [...this.#closed.values(), ...this.#spent.values()].map(({ untilMs }) => untilMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Whether nobody is given such a task now. One that names no limit uses none, and no budget either. */
  isParked({ recipient, limits = [] }: Routed): boolean {
    if (limits.length === 0) return false;
    if (this.#table === undefined || this.#spent.has(recipient) || this.#spent.has(null)) return true;
    return limits.some((limit) => this.#closed.has(limit));
  }

  /** For people: why such a task waits, and until when. */
  of({ recipient, limits = [] }: Routed): Parked {
    if (limits.length === 0) return {};
    if (this.#table === undefined) return { parked_reason: "it is not known yet whether its limits are open" };
    const waits = limits.flatMap((limit) => {
      const closed = this.#closed.get(limit);
      return closed === undefined ? [] : [{ ...closed, reason: `the limit ${limit} is closed: ${closed.reason}` }];
    });
    for (const who of [recipient, null]) waits.push(...[this.#spent.get(who)].filter((wait) => wait !== undefined));
    if (waits.length === 0) return {};
    return {
      parked_until: formatTimestamp(Math.max(...waits.map(({ untilMs }) => untilMs))),
      parked_reason: waits.map(({ reason }) => reason).join("; "),
    };
  }

  /**
   * The limits that are closed, and how many tasks nobody is given because of them, or of budgets that are spent.
   *
   * @param lines - of tasks that are parked
   */
  status(lines: Iterable<{ readonly task: Routed; readonly ready: number }>): ParkedStatus {
    const byLimit = new Map<string, number>();
    let parked = 0;
    for (const { task, ready } of lines) {
      parked += ready;
      for (const limit of task.limits ?? [])
        if (this.#closed.has(limit)) byLimit.set(limit, (byLimit.get(limit) ?? 0) + ready);
    }
    const closed = [...this.#closed].map(([limit, { untilMs, reason }]) => ({
      limit,
      until: formatTimestamp(untilMs),
      reason,
      parked: byLimit.get(limit) ?? 0,
    }));
    return { ...(parked > 0 && { parked }), ...(closed.length > 0 && { closed_limits: closed }) };
  }
}

/** A limit that is closed, as the status of a queue shows it. */
export const ClosedLimit = z.object({
  limit: z.string(),
  until: z.string().meta({ description: "When it is open again" }),
  reason: z.string(),
  parked: z.int().optional().meta({
    description:
      "Tasks of the queue that wait for it, and may wait for others, too; absent: an earlier edge does not say",
  }),
});

/** What of the status of a queue is about limits; absent: none is closed, and no task is parked. */
interface ParkedStatus {
  readonly parked?: number;
  readonly closed_limits?: readonly z.infer<typeof ClosedLimit>[];
}
