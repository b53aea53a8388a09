export const DEAD_LETTER_KINDS = ["signal", "task", "intent", "webhook", "reaction"] as const;
export type DeadLetterKind = (typeof DEAD_LETTER_KINDS)[number];

/** Something that could not be processed, as whoever failed on it hands it over (R29). */
export interface DeadLetterRecord {
  /** The same failure again has the same id: it is counted, not kept twice. */
  readonly id: string;
  readonly kind: DeadLetterKind;
  /** What could not be processed, as it came; the one that its kind says. */
  readonly signal?: unknown;
  readonly task?: unknown;
  readonly intent?: unknown;
  readonly webhook?: unknown;
  readonly reaction?: unknown;
  /** The host on which it lies, where it is not at the edge. */
  readonly host?: string;
  /** Ids of the signal and of the causes above it, where the loop guard ended a chain. */
  readonly lineage?: readonly string[];
  readonly error: string;
  /** Who failed on it. */
  readonly daemon: string;
}

/** @throws TypeError where `text` is no record, as {@link DeadLetterRecord} is stored and sent */
export function readDeadLetterRecord(text: string): DeadLetterRecord {
  const stored: unknown = JSON.parse(text);
  if (!isDeadLetterRecord(stored)) throw new TypeError("the record of a dead letter lacks id, kind, error or daemon");
  return stored;
}

function isDeadLetterRecord(value: unknown): value is DeadLetterRecord {
  if (typeof value !== "object" || value === null) return false;
  const { id, kind, error, daemon } = value as Record<string, unknown>;
  return (
    [id, error, daemon].every((field) => typeof field === "string") && DEAD_LETTER_KINDS.some((one) => one === kind)
  );
}

/**
 * Id of the signal that a letter goes back to where its own id does not say: of a task, of a message, of what a host
 * did about a signal. `null`: to none that is known.
 */
export function causeOfDeadLetter({ kind, task, webhook, signal }: DeadLetterRecord): string | null {
  if (kind === "task") return textIn(task, "cause");
  if (kind === "webhook") return textIn(webhook, "cause");
  if (kind !== "reaction") return null;
  // A task that was put in the form of a signal has no place in the log, and is nobody's cause itself.
  return (signal as { seq?: unknown } | undefined)?.seq === 0 ? textIn(signal, "cause") : textIn(signal, "id");
}

function textIn(value: unknown, name: string): string | null {
  const found = (value as Record<string, unknown> | null | undefined)?.[name];
  return typeof found === "string" ? found : null;
}
