import type { ScheduleState } from "./state.ts";

/** Open runs are looked at this often at least, so that a notice that was lost is made up for. */
const LOOK_MS = 3_600_000;
const MIN_LOOK_MS = 60_000;
/** A queue that does not take a task is asked again, ever more seldom. */
const MIN_RETRY_MS = 5_000;
const MAX_RETRY_MS = 900_000;

/** When open runs are looked at again: one that nobody takes ever more seldom, any other beside the notice of its end. */
export function lookAgainMs({ open, broken }: ScheduleState, nowMs: number): number | null {
  const [first] = open;
  if (first === undefined) return null;
  if (broken.late_start === undefined) return nowMs + LOOK_MS;
  return nowMs + Math.min(LOOK_MS, Math.max(MIN_LOOK_MS, (nowMs - first.dueMs) / 4));
}

/** When the queue is called again that did not take a task, or did not cancel one. */
export function callAgainMs({ open }: ScheduleState, nowMs: number): number {
  const waiting = open.filter(({ handed, cancel }) => !handed || cancel === true);
  const forMs = Math.max(0, ...waiting.map(({ madeMs }) => nowMs - madeMs));
  return nowMs + Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, forMs / 4));
}

export const lookMs = ({ lookMs: atMs }: ScheduleState, nowMs: number) => notBeyond(atMs, LOOK_MS, nowMs);
export const callMs = ({ retryMs: atMs }: ScheduleState, nowMs: number) => notBeyond(atMs, MAX_RETRY_MS, nowMs);

/** A time that lies further ahead than it was ever set is of a clock that was set back since: it has come. */
const notBeyond = (ms: number | null, mostMs: number, nowMs: number): number | null =>
  ms !== null && ms > nowMs + mostMs ? nowMs : ms;
