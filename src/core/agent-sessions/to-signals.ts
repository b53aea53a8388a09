import { formatTimestamp } from "../signals/timestamp.ts";
import type { Unknown } from "./read-records.ts";
import type { SessionRecord } from "./record.ts";

/** A signal as its door admits it. */
export interface SessionSignalInput {
  readonly id?: string;
  readonly signal: string;
  readonly source: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly timestamp?: string;
  readonly trace?: string;
}

export interface SignalMaking {
  readonly nowMs: number;
  /** The source of a program that names none. @param agent - name of the program */
  readonly sourceOf: (agent: string) => string;
  /** SHA-256, as hexadecimal digits. */
  readonly digest: (text: string) => Promise<string>;
}

const ID_DIGITS = 40;

/** The signals of records, each with an id that follows from its record: an export that is repeated doubles nothing. */
export function signalsOf(records: readonly SessionRecord[], making: SignalMaking): Promise<SessionSignalInput[]> {
  const { nowMs, sourceOf, digest } = making;
  const newest = records.reduce((latest, { atMs }) => Math.max(latest, atMs ?? 0), 0);
  // A clock that is ahead: nothing happens later than it is reported. The times keep their distances.
  const aheadMs = Math.max(0, newest - nowMs);
  return Promise.all(
    records.map(async (record) => {
      const { signal, session, agent, from, source, atMs, task, identity } = record;
      const trace = traceOf(record);
      const facts: Record<string, unknown> = { session, agent, from };
      for (const [name, fact] of Object.entries(record.facts)) if (fact !== undefined) facts[name] = fact;
      if (task !== undefined) facts.task = task;
      return {
        ...(identity === undefined ? {} : { id: `session-${(await digest(identity)).slice(0, ID_DIGITS)}` }),
        signal,
        source: source ?? sourceOf(agent),
        facts,
        ...(atMs === undefined ? {} : { timestamp: formatTimestamp(Math.max(0, atMs - aheadMs)) }),
        ...(trace === undefined ? {} : { trace }),
      };
    }),
  );
}

/**
 * One observation of all that is not known in an export: what a new version of a program sends is seen, and refused by nobody.
 *
 * @param text - of the export
 */
export async function unknownSignal(
  { agents, names, records }: Unknown,
  text: string,
  { sourceOf, digest }: SignalMaking,
): Promise<SessionSignalInput> {
  const [agent = "otlp"] = agents;
  return {
    id: `session-${(await digest(`unknown ${text}`)).slice(0, ID_DIGITS)}`,
    signal: "OBSERVATION",
    source: sourceOf(agent),
    facts: { zooid: agent, unknown_records: records, unknown_names: [...names] },
  };
}

function traceOf({ traceId, spanId }: SessionRecord): string | undefined {
  if (traceId === undefined) return undefined;
  return `00-${traceId}-${spanId ?? traceId.slice(16)}-01`;
}
