import type { FieldError } from "../../src/core/problem/field-error.ts";
import { admitSignal } from "../../src/core/signals/admit.ts";
import type { TimedSignal } from "./signal-text.ts";

export type Intake =
  | { readonly ok: true; readonly signal: TimedSignal }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** Admits a signal by the rules of the edge. One without a timestamp gets the present time: it may be sent much later. */
export function takeIn(input: unknown, nowMs: number): Intake {
  const admission = admitSignal(input);
  if (!admission.ok) return admission;
  const { signal } = admission;
  return { ok: true, signal: { ...signal, timestampMs: signal.timestampMs ?? nowMs } };
}

/** One line for people. */
export function errorsText(errors: readonly FieldError[]): string {
  return errors.map(({ pointer, message }) => `${pointer || "/"}: ${message}`).join("; ");
}
