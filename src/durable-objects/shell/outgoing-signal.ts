import type { NewSignal } from "../../core/signals/signal.ts";

/** A signal that an object emits. */
export interface Draft {
  readonly signal: string;
  readonly source: string;
  readonly facts: Record<string, unknown>;
  /** Time of the event, in milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly cause?: string | undefined;
  readonly trace?: string | undefined;
  readonly depth?: number | undefined;
  readonly hops?: number | undefined;
}

/** Text of a signal as an outbox stores it. */
export function writeOutgoingSignal({ facts, ...draft }: Draft): string {
  const signal: NewSignal = { ...NOTHING, ...draft, factsJson: JSON.stringify(facts) };
  return JSON.stringify(signal);
}

/** @throws TypeError where `text` is not what an outbox stores */
export function readOutgoingSignal(text: string): NewSignal {
  const stored: unknown = JSON.parse(text);
  if (!isStoredSignal(stored)) throw new TypeError("an outbox holds something that is no signal");
  return { ...NOTHING, ...stored };
}

type StoredSignal = Partial<NewSignal> & Pick<NewSignal, "signal" | "source" | "factsJson">;

/** Checks only the fields that an append needs; the others were checked before the row was stored. */
function isStoredSignal(value: unknown): value is StoredSignal {
  if (typeof value !== "object" || value === null) return false;
  const { signal, source, factsJson } = value as Record<string, unknown>;
  return typeof signal === "string" && typeof source === "string" && typeof factsJson === "string";
}

/** JSON drops what is undefined; the log's type has every field. */
export const NOTHING = { id: undefined, timestampMs: undefined, cause: undefined, trace: undefined, depth: undefined };
