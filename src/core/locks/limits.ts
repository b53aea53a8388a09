/** Bounds of what an ecosystem may hold. */
export const LOCK_LIMITS = {
  /** Locks that are held or waited for. */
  locks: 20_000,
  /** Of these, names with wildcards: each is compared with every name that is asked for. */
  patterns: 500,
  waiters: 1_000,
  /** What one token may have of them; administrators are exempt. */
  tokenLocks: 10_000,
  tokenWaiters: 500,
  /** Channels that one token may have open. */
  channels: 5_000,
  ttlMs: 86_400_000,
  waitMs: 60_000,
} as const;

export type LockLimit = "locks" | "patterns" | "waiters" | "tokenLocks" | "tokenWaiters" | "channels";

/** A wait of more than this needs somebody, and is told of when it ends, in milliseconds. */
export const LATE_MS = 60_000;
/** Who asks again within this time after a wait has its place in the order of before, in milliseconds. */
export const PLACE_MS = 5_000;
