import type { Party } from "../../collections/fair-queue.ts";
import { EDGE } from "../../signals/log/senders.ts";
import type { Signal } from "../../signals/signal.ts";
import { parseTimestamp } from "../../signals/timestamp.ts";
import type { Observation } from "../api.ts";

/** An observation inside the window, with the signal that carried it. */
export interface Sample {
  /** Sequence number of its signal: breaks ties of time, and makes evidence traceable. */
  readonly seq: number;
  readonly id: string;
  readonly trace: string | undefined;
  readonly depth: number;
  /** Time of the measurement, capped at the time of receipt, in milliseconds since the epoch. */
  readonly tsMs: number;
  readonly reporter: string;
  readonly niche: string | null;
  readonly ok: boolean;
  readonly ttrMs: number | null;
  readonly incidentId: string | null;
  readonly facts: Readonly<Record<string, unknown>>;
  /** Who sent it: where there are too many samples, those who send the most give way. */
  readonly party: Party;
  /** What the sample takes in memory, about. */
  readonly bytes: number;
}

/** Of a sample, its places in the window and in scanners. */
const SAMPLE_BYTES = 220;
/** A larger number is a time in milliseconds: in seconds it would lie after the year 5138. */
const LEAST_MS = 1e11;
/** Characters of a signal around its facts. */
const AROUND_FACTS = 230;

/**
 * Reads an `OBSERVATION` signal.
 * @param sender - who sent the signal, see senders.ts
 * @param chars - of the signal as the log has it
 * @throws TypeError when the facts name no reporter, which admission refuses
 */
export function sampleOf(signal: Signal, sender = EDGE, chars = 0): Sample {
  const { facts } = signal;
  const reporter = facts.zooid ?? facts.zooid_name;
  if (typeof reporter !== "string") throw new TypeError("facts.zooid must be a string: the name of the reporter");
  // Otherwise an observation of a host whose clock runs ahead would stay in the window too long, as the newest of all.
  const tsMs = Math.min(measuredMs(facts) ?? Date.parse(signal.timestamp), Date.parse(signal.received_at));
  if (Number.isNaN(tsMs)) throw new TypeError("timestamp must be a time");
  return {
    seq: signal.seq,
    id: signal.id,
    trace: signal.trace,
    depth: signal.depth ?? 0,
    tsMs,
    reporter,
    niche: typeof facts.niche === "string" ? facts.niche : null,
    ok: typeof facts.ok === "boolean" ? facts.ok : true,
    ttrMs: typeof facts.ttr_ms === "number" ? facts.ttr_ms : null,
    incidentId: typeof facts.incident_id === "string" ? facts.incident_id : null,
    facts,
    party: { sender, source: signal.source },
    bytes: SAMPLE_BYTES + Math.max(0, chars - AROUND_FACTS),
  };
}

/** Older programs measure, and send later: their facts hold the time of the measurement, the signal that of the sending. */
function measuredMs({ timestamp }: Signal["facts"]): number | undefined {
  if (timestamp === undefined) return undefined;
  return parseTimestamp(typeof timestamp === "number" && timestamp > LEAST_MS ? timestamp / 1_000 : timestamp);
}

export function observationOf(sample: Sample): Observation {
  return {
    ts: new Date(sample.tsMs).toISOString(),
    zooid_name: sample.reporter,
    niche: sample.niche,
    ok: sample.ok,
    ttr_ms: sample.ttrMs,
    incident_id: sample.incidentId,
    facts: sample.facts,
  };
}
