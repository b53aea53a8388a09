import type { Session } from "./session.ts";

/** Sessions of one ecosystem that are kept. */
export const MAX_SESSIONS = 1_000;
/** A session that was not seen for so long is forgotten, in milliseconds: a week. */
const KEEP_MS = 7 * 86_400_000;

/**
 * Which sessions make room before one more comes: those that are old, and where there are too many, of the sender that has
 * the most the one that has ended, or was seen longest ago.
 */
export function toForget(sessions: ReadonlyMap<string, Session>, nowMs: number, most: number = MAX_SESSIONS): string[] {
  const old = [...sessions].filter(([, { seen_ms }]) => nowMs - seen_ms > KEEP_MS).map(([key]) => key);
  if (old.length > 0 || sessions.size < most) return old;
  const counts = new Map<string, number>();
  for (const { sender } of sessions.values()) counts.set(sender, (counts.get(sender) ?? 0) + 1);
  const [largest] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
  const [key] = [...sessions]
    .filter(([, { sender }]) => sender === largest)
    .reduce((a, b) => (isSooner(b[1], a[1]) ? b : a));
  return [key];
}

function isSooner(a: Session, b: Session): boolean {
  const [endedA, endedB] = [a.ended_ms !== null, b.ended_ms !== null];
  return endedA === endedB ? a.seen_ms < b.seen_ms : endedA;
}
