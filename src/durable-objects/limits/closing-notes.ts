import type { Closed } from "../../core/limits/outcomes.ts";
import { closedSignal, openedSignal } from "../../core/limits/signals.ts";
import type { Draft } from "../shell/outgoing-signal.ts";
import type { LimitStore, StoredLimit } from "./limit-store.ts";

/** Reservations that expire are ended together: who asks meanwhile ends those of its limit. */
const TOGETHER_MS = 60_000;

/** Notes whether a limit is closed now, and tells of a change. @returns whether there is one */
export function noteClosing(
  stored: StoredLimit,
  closed: Closed | undefined,
  nowMs: number,
  emit: (draft: Draft) => string,
): boolean {
  const { name, closed: known } = stored;
  if (known?.untilMs === closed?.untilMs && known?.reason === closed?.reason) return false;
  if (closed === undefined) {
    const draft = openedSignal(name, nowMs - (known?.sinceMs ?? nowMs));
    emit({ ...draft, timestampMs: nowMs, ...(known?.signal != null && { cause: known.signal }) });
    stored.closed = null;
    return true;
  }
  const signal = known?.signal ?? emit({ ...closedSignal(name, closed), timestampMs: nowMs });
  stored.closed = { ...closed, sinceMs: known?.sinceMs ?? nowMs, signal };
  return true;
}

/** When time alone changes something that somebody has to be told, or that takes space. */
export function dueMs({ name, state, closed }: StoredLimit, store: LimitStore, nowMs: number): number | undefined {
  const clockAt = (ownMs: number) => nowMs + ownMs - state.ownMs;
  const held = store.nextReservationMs(name, true);
  const over = store.nextReservationMs(name, false);
  const times = [
    closed?.untilMs,
    held === undefined ? undefined : clockAt(held) + TOGETHER_MS,
    over === undefined ? undefined : clockAt(over) + 10 * TOGETHER_MS,
  ].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}
