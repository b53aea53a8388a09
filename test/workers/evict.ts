import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import type { StateReports } from "../../src/durable-objects/shell/state-reports.ts";

/**
 * Puts an object out of memory, as the platform does with one that rests. What the object waits to report goes out at once:
 * an object with a timer does not rest, and its time is seconds.
 */
export async function evict(stub: DurableObjectStub): Promise<void> {
  await runInDurableObject(stub, (instance) => (instance as unknown as { reports: StateReports }).reports.flush());
  await evictDurableObject(stub);
}
