/** Something that could not be processed, as whoever failed on it hands it over (R29). */
export interface DeadLetterRecord {
  /** The same failure again has the same id: it is counted, not kept twice. */
  readonly id: string;
  readonly kind: "signal" | "task";
  /** What could not be processed, as it came; one of the two. */
  readonly signal?: unknown;
  readonly task?: unknown;
  /** Ids of the signal and of the causes above it, where the loop guard ended a chain. */
  readonly lineage?: readonly string[];
  readonly error: string;
  /** Who failed on it. */
  readonly daemon: string;
}
