import { hash } from "node:crypto";
import { ExpiringMap } from "../../src/core/collections/expiring-map.ts";
import type { MessageMarks } from "./read-message.ts";

/** For as long the subscribers of older buses remember an `incident_id`. */
const INCIDENT_MS = 60_000;
/** Older publishers send the first message of a topic twice, 150 ms apart. */
const SAME_BYTES_MS = 1_000;
const REMEMBERED = 100_000;

/**
 * Recognises messages that older programs send twice, so that a late subscriber hears one of the two. A message is the same as
 * an earlier one where its name and `incident_id` are, within a minute, or, without an `incident_id`, where the message has
 * `ts` and is equal byte by byte, within a second. Two equal messages with neither are two measurements. What was seen is in
 * memory alone: a bus drops what is published while the agent is away, so no restart stands between the two copies.
 */
export class RepeatedMessages {
  readonly #incidents = new ExpiringMap<true>(REMEMBERED, INCIDENT_MS);
  readonly #bodies = new ExpiringMap<true>(REMEMBERED, SAME_BYTES_MS);

  /** @param body - the frame of JSON */
  isRepeated(name: string, { incidentId, hasTs }: MessageMarks, body: Buffer, nowMs: number): boolean {
    if (incidentId !== undefined) return wasSeen(this.#incidents, `${name} ${incidentId}`, nowMs);
    return hasTs && wasSeen(this.#bodies, `${name} ${hash("sha256", body, "base64")}`, nowMs);
  }
}

/** The first message counts: a program that repeats itself for ever must be heard again after a while. */
function wasSeen(seen: ExpiringMap<true>, key: string, nowMs: number): boolean {
  if (seen.has(key, nowMs)) return true;
  seen.set(key, true, nowMs);
  return false;
}
