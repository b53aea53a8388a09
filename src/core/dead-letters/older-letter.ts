import * as z from "zod";
import { SIGNAL_NAME } from "../signals/signal.ts";
import { parseTimestamp } from "../signals/timestamp.ts";
import type { DeadLetterRecord } from "./dead-letter.ts";

/** A line of `failed_signals.jsonl`, in which older daemons keep what they could not process. */
const OlderLetter = z.looseObject({
  signal: z.unknown().optional(),
  intent_file: z.string().optional(),
  error: z.union([z.string(), z.number(), z.record(z.string(), z.unknown())]).nullish(),
  timestamp: z.union([z.string(), z.number()]).nullish(),
  daemon: z.string().nullish(),
});

const MAX_ERROR = 2_000;

/** A dead letter without an id and a host, which whoever imports it gives. */
export type ImportedLetter = Pick<DeadLetterRecord, "kind" | "signal" | "intent" | "error" | "daemon">;

/**
 * Reads a dead letter {signal or intent_file, error, timestamp, daemon} of an older daemon. Its signal gets what a replay
 * needs and older signals do not have: a source, and the time of its failure where it names none of its own.
 *
 * @throws TypeError for a line that is none
 */
export function readOlderLetter(line: unknown): ImportedLetter {
  const read = OlderLetter.safeParse(line);
  if (!read.success) throw new TypeError(`the line is no dead letter: ${z.prettifyError(read.error)}`);
  const { signal, intent_file, error, timestamp, daemon: by } = read.data;
  const isGiven = signal !== undefined && signal !== null;
  if (!isGiven && intent_file === undefined) throw new TypeError("the line names neither a signal nor an intent_file");
  const daemon = by ?? "unknown daemon";
  const reason =
    typeof error === "string" ? error : error === undefined || error === null ? "no reason" : JSON.stringify(error);
  const at = timestamp === undefined || timestamp === null ? "" : ` (imported; failed at ${timestamp})`;
  const common = { error: `${reason.slice(0, MAX_ERROR)}${at}`, daemon };
  if (!isGiven) return { kind: "intent", intent: { file: intent_file }, ...common };
  return { kind: "signal", signal: replayable(signal, daemon, timestamp), ...common };
}

function replayable(signal: unknown, daemon: string, failedAt: string | number | null | undefined): unknown {
  // A name alone is a signal without facts.
  if (typeof signal === "string")
    return SIGNAL_NAME.test(signal) ? { signal, source: daemon, facts: {}, ...timeOf(failedAt) } : signal;
  if (typeof signal !== "object" || signal === null || Array.isArray(signal)) return signal;
  const { signal: name, topic, source, facts, timestamp, ts } = signal as Record<string, unknown>;
  if (typeof (name ?? topic) !== "string") return signal;
  return {
    signal: name ?? topic,
    source: source ?? daemon,
    facts: facts ?? {},
    ...timeOf(timestamp ?? ts ?? failedAt),
  };
}

function timeOf(given: unknown): { timestamp?: unknown } {
  return parseTimestamp(given) === undefined ? {} : { timestamp: given };
}
