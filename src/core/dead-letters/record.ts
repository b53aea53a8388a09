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
