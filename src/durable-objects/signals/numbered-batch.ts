import type { FieldError } from "../../core/problem/field-error.ts";
import { admitSignal, admitWellFormed } from "../../core/signals/admit.ts";
import type { AppendRequest } from "../../core/signals/api.ts";
import { foreignSource, hasReserved, reservedFields } from "../../core/signals/reserved.ts";
import type { NewSignal } from "../../core/signals/signal.ts";
import type { AgentFrame } from "../../core/wire/link-frames.ts";
import type { AppendFindings } from "./read-frame.ts";

export interface Rejected {
  readonly number: number;
  readonly errors: readonly { pointer: string; message: string }[];
  readonly signal: unknown;
}

/**
 * Splits a numbered batch into runs of valid, consecutive signals, and the signals that are rejected.
 *
 * @param owner - the host of the link, which owns the ids
 * @param maySay - whether the link's token may name a source; `undefined`: it may name all
 */
export function admitNumbered(
  frame: Extract<AgentFrame, { type: "append" }>,
  owner: string,
  findings: AppendFindings = {},
  maySay?: (source: string) => boolean,
): {
  runs: AppendRequest[];
  rejected: Rejected[];
} {
  const runs: AppendRequest[] = [];
  const rejected: Rejected[] = [];
  let signals: NewSignal[] = [];
  let first = frame.first;
  const finish = () => {
    if (signals.length > 0) runs.push({ producer: { name: frame.producer, first, remote: true }, owner, signals });
  };
  frame.signals.forEach((input, place) => {
    const judged = judge(input, place, findings, maySay);
    if (!Array.isArray(judged)) {
      signals.push(judged);
      return;
    }
    rejected.push({ number: frame.first + place, errors: judged, signal: whole(input, findings.facts?.[place]) });
    finish();
    signals = [];
    first = frame.first + place + 1;
  });
  finish();
  return { runs, rejected };
}

/** @returns the signal as it is appended, or why it is rejected */
function judge(
  input: unknown,
  place: number,
  { faults, facts }: AppendFindings,
  maySay: ((source: string) => boolean) | undefined,
): NewSignal | FieldError[] {
  if (faults === undefined) {
    // Nearly every signal ends here: no pointer is made for errors that it does not have.
    const quick = admitWellFormed(input, facts?.[place]);
    if (quick !== undefined && !hasReserved(quick, false) && maySay?.(quick.source) !== false) return quick;
  }
  const at = `/signals/${place}`;
  const wrong = faults?.get(at);
  const admission =
    wrong === undefined ? admitSignal(whole(input, facts?.[place]), at) : { ok: false as const, errors: wrong };
  if (!admission.ok) return [...admission.errors];
  const { signal } = admission;
  const errors = reservedFields(signal, false, at);
  if (maySay?.(signal.source) === false) errors.push(foreignSource(signal.source, at));
  return errors.length === 0 ? signal : errors;
}

/** @param facts - JSON of the facts that the frame has apart */
function whole(input: unknown, facts: string | undefined): unknown {
  return facts === undefined ? input : { ...(input as object), facts: JSON.parse(facts) as unknown };
}

/** Rejected signals of a batch whose errors are named; the dead letters name those of the others. */
const MAX_EXPLAINED = 100;

/** The frame that confirms a durable batch. */
export function appended(batch: number, producer: string, last: number, rejected: readonly Rejected[]): string {
  const frame = { type: "appended", batch, producer, last };
  if (rejected.length === 0) return JSON.stringify(frame);
  const explained = rejected.map(({ number, errors }, place) => ({
    number,
    errors: place < MAX_EXPLAINED ? errors : [],
  }));
  return JSON.stringify({ ...frame, rejected: explained });
}
