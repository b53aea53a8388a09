import type { FoundLockCycle, LockWait } from "../locks/api.ts";
import type { EcosystemState } from "./ecosystem-state.ts";
import { type Finding, look } from "./finding.ts";

/** What needs somebody of locks: long waits, one row for each lock in the way, and cycles of waits. */
export function lockFindings({ locks, ecosystem }: EcosystemState): Finding[] {
  if (locks === undefined) return [];
  const byLock = new Map<string, [LockWait, ...LockWait[]]>();
  for (const wait of locks.waits) {
    const key = `${wait.blocked_by?.name ?? wait.name}/${wait.blocked_by?.owner ?? ""}`;
    const others = byLock.get(key);
    if (others === undefined) byLock.set(key, [wait]);
    else others.push(wait);
  }
  return [
    ...[...byLock.values()].map((waits) => waiting(waits, ecosystem)),
    ...locks.cycles.map((cycle) => inCycle(cycle, ecosystem)),
  ];
}

function waiting([first, ...more]: readonly [LockWait, ...LockWait[]], ecosystem: string): Finding {
  const { name, owner, since, blocked_by: by } = first;
  const lock = by?.name ?? name;
  const others = more.length === 0 ? "" : more.length === 1 ? " and another one" : ` and ${more.length} others`;
  return {
    id: `lock_waiting/${lock}/${by?.owner ?? ""}`,
    kind: "lock_waiting",
    severity: "warning",
    subject: lock,
    what: `${owner}${others} ${more.length === 0 ? "waits" : "wait"} for the lock ${name}`,
    why:
      by === null
        ? "nobody holds it any more"
        : `${by.owner} ${by.fence === null ? "waits for" : "holds"} ${by.name} since ${by.since}${by.task === null ? "" : `, for ${by.task}`}`,
    since,
    consequence: "their work stands still",
    next_step: `ganglion lock list --name '${lock}'`,
    action: look("Show the locks", ecosystem, `/locks?name=${encodeURIComponent(lock)}`),
    chain: null,
    explainedBy: [],
  };
}

function inCycle({ at, steps, signal }: FoundLockCycle, ecosystem: string): Finding {
  const [first] = steps;
  const owners = [...new Set(steps.map(({ owner }) => owner))].sort();
  return {
    id: `lock_cycle/${owners.join("/")}/${first?.waits_for ?? ""}`.slice(0, 512),
    kind: "lock_cycle",
    severity: "warning",
    subject: first?.waits_for ?? "",
    what: `${owners.slice(0, 5).join(", ")} wait for locks of each other`,
    why: steps
      .slice(0, 5)
      .map(({ owner, waits_for, held_by }) => `${owner} waits for ${waits_for} of ${held_by}`)
      .join(", "),
    since: at,
    consequence: "the wait of the last was refused, and the others go on when it releases what it holds",
    next_step: "ganglion lock list",
    action: look("Show the locks", ecosystem, "/locks"),
    chain: signal,
    explainedBy: [],
  };
}
