import type { DeadLetterKind } from "./record.ts";

/** What could not be processed, kept aside with its reason (R29). */
export interface DeadLetter {
  readonly id: string;
  readonly kind: DeadLetterKind;
  /** The signal as it came, where it was one. It need not be valid: that may be why it is here. */
  readonly signal?: unknown;
  /** The task as its queue last had it, where it was one. */
  readonly task?: unknown;
  /** The intent file as its host read it. */
  readonly intent?: unknown;
  /** The delivery that no endpoint took. */
  readonly webhook?: unknown;
  /** The reaction of a host that failed, with what it was run for. */
  readonly reaction?: unknown;
  /** The host on which it lies, where it is not at the edge. */
  readonly host?: string;
  /** Ids of the signal and of the causes above it, nearest first, where the loop guard ended a chain. */
  readonly lineage?: readonly string[];
  readonly error: string;
  /** Which part gave up on it. */
  readonly daemon: string;
  readonly attempts: number;
  readonly first_failed_at: string;
  readonly last_failed_at: string;
  /** When somebody last had it replayed, and what came of it: `replayed`, `already`, or why it failed. */
  readonly replayed_at?: string;
  readonly replay_outcome?: string;
}
