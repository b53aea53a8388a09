import { formatTimestamp } from "../signals/timestamp.ts";
import type { CycleStep, Freed, Granted } from "./outcomes.ts";
import { cycleView } from "./view.ts";

/** Source of all signals about locks. */
export const LOCKS_SOURCE = "ganglion/locks";

/** Signals about locks in a minute. Ten thousand locks may expire at once, and the log is not for that. */
const PER_MINUTE = 30;
const MINUTE_MS = 60_000;

/** Bounds the signals of an object. What is left out is counted, and the next signal says how many. */
export class SignalAllowance {
  #fromMs = Number.NEGATIVE_INFINITY;
  #taken = 0;
  #leftOut = 0;

  /** @returns how many were left out before; `undefined`: this one is left out, too */
  take(nowMs: number): number | undefined {
    if (nowMs - this.#fromMs >= MINUTE_MS || nowMs < this.#fromMs) {
      this.#fromMs = nowMs;
      this.#taken = 0;
    }
    if (this.#taken >= PER_MINUTE) {
      this.#leftOut++;
      return undefined;
    }
    this.#taken++;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }
}

const WHY: Readonly<Record<Freed["why"], string>> = {
  expired: "was not renewed in time",
  process_ended: "ended with the process of its owner",
  host_away: "ended because the host of its owner is away",
};

/** A lock was taken from its owner. */
export function freedSignal({ hold, why }: Freed) {
  const { name, mode, owner, fence, acquiredMs, ttlMs, task, process } = hold;
  return {
    signal: "Q_LOCK_EXPIRED",
    source: LOCKS_SOURCE,
    facts: {
      lock: name.text,
      mode,
      owner,
      fence,
      why,
      since: formatTimestamp(acquiredMs),
      ttl_ms: ttlMs,
      task,
      ...(process === null ? {} : { host: process.host, process: process.process }),
      text: `the lock ${name.text} of ${owner} ${WHY[why]}`,
    },
  };
}

/** A lock was acquired after a long wait. */
export function lateSignal({ waiter, hold }: Granted, nowMs: number) {
  const { name, mode, owner, fence, task } = hold;
  const waitedMs = nowMs - waiter.sinceMs;
  return {
    signal: "Q_LOCK_LATE",
    source: LOCKS_SOURCE,
    facts: {
      lock: name.text,
      mode,
      owner,
      fence,
      waited_ms: waitedMs,
      since: formatTimestamp(waiter.sinceMs),
      task,
      text: `${owner} waited ${Math.round(waitedMs / 1_000)} s for the lock ${name.text}`,
    },
  };
}

/** A wait was refused, since it would have closed a cycle. */
export function cycleSignal(cycle: readonly CycleStep[]) {
  return {
    signal: "Q_LOCK_CYCLE",
    source: LOCKS_SOURCE,
    facts: {
      owner: cycle[0]?.owner ?? "",
      lock: cycle[0]?.waitsFor ?? "",
      cycle: cycleView(cycle.slice(0, 20)),
      owners: cycle.length,
      text: cycleText(cycle),
    },
  };
}

/** A cycle in a sentence. */
export const cycleText = (cycle: readonly CycleStep[]): string =>
  cycle
    .slice(0, 5)
    .map(({ owner, waitsFor, heldBy }) => `${owner} waits for ${waitsFor} of ${heldBy}`)
    .join(", ") + (cycle.length > 5 ? `, and ${cycle.length - 5} more` : "");
