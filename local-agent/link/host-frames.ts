import { LIMITS } from "../../src/core/signals/limits.ts";
import { fitRecord } from "./fit-record.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** What the facts of a frame may take. */
const MAX_FACTS_BYTES = LIMITS.batchBytes - 16 * 1024;
/** What the status of a host may take: the edge stores it in one row with other things. */
const MAX_STATUS_BYTES = 120 * 1024;

const tooLarge = (most: number) => (bytes: number) => ({
  error: `too large to be sent: ${bytes} bytes, where all fields together may take ${most}`,
});

/** The frame with what this host runs and how it fares. A field that is too large for it says so. */
export function statusFrame(status: Fields): string {
  return JSON.stringify({ ...fitRecord(status, MAX_STATUS_BYTES, tooLarge(MAX_STATUS_BYTES)), type: "status" });
}

/** The frame with what the edge asked for, by monitor. What is too large for it says so. */
export function factsFrame(request: string, facts: Fields): string {
  return JSON.stringify({
    type: "facts",
    request,
    facts: fitRecord(facts, MAX_FACTS_BYTES, tooLarge(MAX_FACTS_BYTES)),
  });
}
