import * as z from "zod";
import { formatTimestamp } from "../signals/timestamp.ts";
import type { Erasure } from "./api.ts";

const Place = z.strictObject({
  table: z.string(),
  key: z.array(z.union([z.string(), z.number()])).nullable(),
});

/**
 * An erasure and how far it has come, as the log stores it with the rows that it changed. First the log is searched, then the
 * projections take in what it has, then the log is searched for what they made of the source's signals meanwhile; then comes
 * each object of the ecosystem. What the edge has made of the source's signals until then begins another cycle.
 */
export const StoredErasure = z.object({
  id: z.string(),
  digest: z.string(),
  /** Until the erasure is complete. */
  source: z.string().nullable(),
  /** Names under which the source sent measurements, until the erasure is complete. */
  reporters: z.array(z.string()).readonly(),
  beganMs: z.number(),
  doneMs: z.number().nullable(),
  throughSeq: z.int(),
  signals: z.int(),
  rows: z.int(),
  at: z.discriminatedUnion("part", [
    /** `after`: first sequence number of the segment that was searched last. `toSeq`: the end of this search. */
    z.object({ part: z.literal("log"), after: z.int(), toSeq: z.int() }),
    z.object({ part: z.literal("projections"), cycle: z.int() }),
    /** `found`: signals of this search. */
    z.object({ part: z.literal("effects"), cycle: z.int(), after: z.int(), toSeq: z.int(), found: z.int() }),
    /** `found`: rows of this search of the object; an object is searched until nothing is found. */
    z.object({
      part: z.literal("object"),
      cycle: z.int(),
      object: z.string(),
      place: Place.nullable(),
      found: z.int(),
      round: z.int(),
    }),
    z.object({ part: z.literal("done") }),
  ]),
});
export type StoredErasure = Readonly<z.infer<typeof StoredErasure>>;

/** Names of reporters that are remembered: a source that measures for more of them is no source, but a relay. */
const MAX_REPORTERS = 1_000;

export function withReporters(known: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...known, ...more])].slice(0, MAX_REPORTERS);
}

/** Searches of one object, and cycles through all of them. What a later one would find came after the erasure had begun. */
const MAX_ROUNDS = 4;
const MAX_CYCLES = 8;

type At = StoredErasure["at"];

/** What follows a search of the log for effects. @param first - the object that is searched first */
export function afterEffects({ cycle, found }: Extract<At, { part: "effects" }>, first: string): At {
  if (cycle > 0 && (found === 0 || cycle >= MAX_CYCLES)) return { part: "done" };
  return { part: "object", cycle, object: first, place: null, found: 0, round: 1 };
}

/** Whether an object has to be searched again, because something was found that its memory may have written meanwhile. */
export function isSearchedAgain({ found, round }: Extract<At, { part: "object" }>): boolean {
  return found > 0 && round < MAX_ROUNDS;
}

/** What a caller is shown. */
export function erasureView({ id, digest, at, throughSeq, signals, rows, beganMs, doneMs }: StoredErasure): Erasure {
  const searched = at.part === "log" ? Math.min(at.after, throughSeq) : throughSeq;
  return {
    id,
    state: at.part === "done" ? "complete" : "running",
    source_sha256: digest,
    through_seq: throughSeq,
    searched_seq: searched,
    signals,
    rows,
    part: at.part === "done" ? null : at.part === "object" ? at.object : at.part,
    began_at: formatTimestamp(beganMs),
    done_at: doneMs === null ? null : formatTimestamp(doneMs),
  };
}
