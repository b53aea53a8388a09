import type { Entry } from "./entry.ts";
import { Holders } from "./holders.ts";
import { LongRunning } from "./long-running.ts";
import type { Lease } from "./task.ts";

/** The tasks that workers hold, by who holds them and since when. */
export class LeasedTasks {
  readonly longRunning = new LongRunning();
  readonly holders = new Holders();

  /** To be called once, with the tasks that were read from storage: those among them that are leased. */
  holdAll(entries: Iterable<Entry>): void {
    const leased = [...entries].flatMap((entry) => (entry.lease === null ? [] : { entry, lease: entry.lease }));
    // LongRunning expects the order of the starts.
    leased.sort((a, b) => a.lease.startedMs - b.lease.startedMs);
    for (const { entry, lease } of leased) this.hold(entry, lease);
  }

  hold(entry: Entry, lease: Lease): void {
    entry.lease = lease;
    this.holders.add(lease.holder, entry);
    this.longRunning.begin(entry, lease.startedMs);
  }

  /** Of a task that nobody holds nothing changes. */
  release(entry: Entry, nowMs: number): void {
    const { lease } = entry;
    if (lease === null) return;
    entry.ranMs += Math.max(0, nowMs - lease.startedMs);
    entry.lease = null;
    entry.unsure = false;
    this.holders.remove(lease.holder, entry);
    this.longRunning.end(entry);
  }
}
