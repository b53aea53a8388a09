import { conflicts, ownerKey, type Waiter } from "./hold.ts";
import type { HoldIndex } from "./hold-index.ts";
import type { CycleStep } from "./outcomes.ts";
import type { WaitQueue } from "./wait-queue.ts";

/** Holdings of one owner that are compared with those who wait. One with more is looked at as if somebody waited for it. */
const MOST_COMPARED = 256;

/**
 * The cycle that a wait would close: its owner waits for others who wait, in the end, for the owner itself. Each of them is
 * one line of work, which goes on when none of its waits is left.
 *
 * @returns `undefined`: it closes none
 */
export function findCycle(waiter: Waiter, holds: HoldIndex, waits: WaitQueue): CycleStep[] | undefined {
  const { request } = waiter;
  const own = ownerKey(request);
  if (!mayBeWaitedFor(waiter, holds, waits)) return undefined;
  /** Owners of what is held in the way of a request. */
  const known = new Map<Waiter, ReadonlyMap<string, string>>();
  const holders = (of: Waiter): ReadonlyMap<string, string> => {
    let found = known.get(of);
    if (found === undefined) {
      found = new Map([...holds.against(of.request)].map((hold) => [ownerKey(hold), hold.owner]));
      known.set(of, found);
    }
    return found;
  };
  const seen = new Set<string>();
  const open: { readonly of: readonly Waiter[]; readonly path: readonly CycleStep[] }[] = [
    { of: [waiter, ...waits.ofOwner(request)], path: [] },
  ];
  const follow = (one: Waiter, key: string, owner: string, path: readonly CycleStep[]): CycleStep[] | undefined => {
    const steps = [...path, { owner: one.request.owner, waitsFor: one.request.name.text, heldBy: owner }];
    if (key === own) return steps;
    seen.add(key);
    open.push({ of: waits.ofKey(key), path: steps });
    return undefined;
  };
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const one of next.of) {
      const key = ownerKey(one.request);
      for (const [holder, owner] of holders(one)) {
        const cycle = seen.has(holder) ? undefined : follow(one, holder, owner, next.path);
        if (cycle !== undefined) return cycle;
      }
      // A request that comes back to its place stands before some who wait already.
      const returned = waiter.ticket < one.ticket ? [waiter] : [];
      for (const before of [...waits.before(one.ticket), ...returned]) {
        const other = ownerKey(before.request);
        if (seen.has(other) || !conflicts(before.request, one.request) || holders(before).has(key)) continue;
        const cycle = follow(one, other, before.request.owner, next.path);
        if (cycle !== undefined) return cycle;
      }
    }
  }
  return undefined;
}

/** Whether somebody waits for the owner already: for what it holds, or behind another wait of it. Mostly nobody does. */
function mayBeWaitedFor({ request, ticket }: Waiter, holds: HoldIndex, waits: WaitQueue): boolean {
  const held = holds.ofOwner(request);
  if (waits.ofOwner(request).length > 0 || waits.lastTicket > ticket || held.size > MOST_COMPARED) return true;
  return waits.values().some((other) => waitsFor(other, held));
}

/** Whether one that waits does so for one of these holdings. */
export function waitsFor({ request }: Waiter, held: ReadonlySet<{ readonly fence: number } & typeof request>): boolean {
  if (held.size > MOST_COMPARED) return false;
  for (const hold of held) if (conflicts(hold, request)) return true;
  return false;
}
