/** For how long after its end an expectation that was not met counts as late, in milliseconds. */
export const LATE_MS = 3_600_000;
/** Late expectations that are remembered; beyond that those that were due first are forgotten. */
export const MAX_LATE = 100;

/** A signal that was expected and did not come in time, while its rule has not begun to wait for it anew. */
export interface LateExpectation {
  readonly rule: string;
  /** Value of the rule's `by`; empty: it has none. */
  readonly key: string;
  readonly dueMs: number;
  /** Which signal did not come, in words. */
  readonly reason: string;
  /** Id of the signal that began the wait. */
  readonly origin: string;
}

/** What of the rules may need somebody. */
export interface PolicyAttention {
  /** Rules that are not evaluated any more. */
  readonly quarantined: readonly string[];
  readonly late: readonly LateExpectation[];
  /** Forwarded signals that wait, by the ecosystem to which they go. */
  readonly forwardsWaiting: Readonly<Record<string, number>>;
  /** Every signal up to here was taken in. */
  readonly cursor: number;
}
