/** What the notes of one ecosystem may take. Sizes are bytes of UTF-8. */
export const NOTE_LIMITS = {
  /** Of one value, as JSON. */
  valueBytes: 16 * 1024,
  notes: 10_000,
  /** Of all values together. */
  bytes: 32 * 1024 * 1024,
  /** Notes of one task: whoever takes it gets them. */
  ofTask: 100,
  /** Of a task's notes, as the worker gets them with the task. The rest is counted. */
  handedBytes: 32 * 1024,
  /** Of a value in the signal about its change. A larger one is left out, and its size is said. */
  signalBytes: 8 * 1024,
} as const;

/** Shortest and longest time for which a note is kept, where it has one. */
export const TTL_MS = { min: 1_000, max: 366 * 86_400_000 } as const;

/** Notes of tasks end by themselves, so long after their last change: nobody tidies up after a task. */
export const TASK_TTL_MS = 30 * 86_400_000;

/** Longest wait for the next change of a note. */
export const MAX_NOTE_WAIT_MS = 30_000;
