import { runInDurableObject } from "cloudflare:test";
import { expect } from "vitest";

/** The reason that the test runner's own resets give: it keeps that one out of its output. */
const REASON = "Instance dispose";

/** Loses an object's memory between two lines, as a crash does; its storage stays. */
export async function crash(stub: DurableObjectStub): Promise<void> {
  await expect(runInDurableObject(stub, (_, state) => state.abort(REASON))).rejects.toThrow(REASON);
}
