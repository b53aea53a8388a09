import { formatTimestamp } from "../signals/timestamp.ts";
import type { Lock, LockBlocker, LockCycle, LockHeld, LockNotHeld, LockPage, LockWait } from "./api.ts";
import type { Hold, Waiter } from "./hold.ts";
import { LockName } from "./lock-name.ts";
import type { LockTable } from "./lock-table.ts";
import type { Blocker, CycleStep } from "./outcomes.ts";

const MAX_WAITS = 100;

export const heldView = ({ name, mode, fence, expiresMs }: Hold): LockHeld => ({
  held: true,
  name: name.text,
  mode,
  fence,
  expires_at: formatTimestamp(expiresMs),
});

export function notHeldView(blocker: Blocker, cycle?: readonly CycleStep[]): LockNotHeld {
  const blocked_by = blockerView(blocker);
  return {
    held: false,
    holder: blocked_by.owner,
    blocked_by,
    ...(cycle === undefined ? {} : { cycle: cycleView(cycle) }),
  };
}

export const cycleView = (cycle: readonly CycleStep[]): LockCycle =>
  cycle.map(({ owner, waitsFor, heldBy }) => ({ owner, waits_for: waitsFor, held_by: heldBy }));

function blockerView(blocker: Blocker): LockBlocker {
  if ("request" in blocker) {
    const { request, sinceMs } = blocker;
    const { name, mode, owner, task } = request;
    const since = formatTimestamp(sinceMs);
    return { name: name.text, mode, owner, fence: null, since, expires_at: null, task };
  }
  const { name, mode, owner, fence, acquiredMs, expiresMs, task } = blocker;
  const [since, expires_at] = [formatTimestamp(acquiredMs), formatTimestamp(expiresMs)];
  return { name: name.text, mode, owner, fence, since, expires_at, task };
}

function lockView(
  { name, mode, owner, fence, acquiredMs, expiresMs, ttlMs, task, process }: Hold,
  waiting: number,
): Lock {
  return {
    name: name.text,
    mode,
    owner,
    fence,
    acquired_at: formatTimestamp(acquiredMs),
    expires_at: formatTimestamp(expiresMs),
    ttl_ms: ttlMs,
    task,
    owner_process: process === null ? null : { host: process.host, process: process.process },
    waiting,
  };
}

export function waitView(waiter: Waiter, blocker: Blocker | undefined): LockWait {
  const { request, sinceMs } = waiter;
  const { name, mode, owner, task } = request;
  const blocked_by = blocker === undefined ? null : blockerView(blocker);
  return { name: name.text, mode, owner, since: formatTimestamp(sinceMs), task, blocked_by };
}

export interface LockQuery {
  /** Fence after which the page begins. */
  readonly after: number;
  readonly limit: number;
  /** Locks that meet this name, which may have wildcards. */
  readonly name?: string | undefined;
  readonly owner?: string | undefined;
}

export function lockPage(table: LockTable, { after, limit, name, owner }: LockQuery): LockPage {
  const asked = name === undefined ? undefined : new LockName(name);
  const meets = (one: { readonly name: LockName; readonly owner: string }) =>
    (asked === undefined || asked.overlaps(one.name)) && (owner === undefined || owner === one.owner);
  const waiting = new Map<Blocker, number>();
  const waits: LockWait[] = [];
  let total = 0;
  for (const waiter of table.waits.values()) {
    const blocker = table.blockerOf(waiter);
    if (blocker !== undefined) waiting.set(blocker, (waiting.get(blocker) ?? 0) + 1);
    if (!meets(waiter.request)) continue;
    total++;
    if (waits.length < MAX_WAITS) waits.push(waitView(waiter, blocker));
  }
  const locks: Lock[] = [];
  for (const hold of table.holds.values()) {
    if (hold.fence <= after || !meets(hold)) continue;
    if (locks.length === limit) return { locks, waits, waits_total: total, next: String(locks.at(-1)?.fence) };
    locks.push(lockView(hold, waiting.get(hold) ?? 0));
  }
  return { locks, waits, waits_total: total, next: null };
}
