/** How a JSON text may be built, wherever one comes in. */
export interface JsonLimits {
  /** Objects and lists inside each other. */
  readonly depth: number;
  /** Keys of one object. */
  readonly keys: number;
  /** Characters of one key. */
  readonly keyLength: number;
}

/**
 * Objects and lists that the content of a signal or a task (facts, a payload, a result) may hold inside each other. Far
 * below the thousands at which what walks a value by recursion (JSON.stringify among others) exhausts its stack.
 */
export const MAX_DEPTH = 64;

/**
 * Depth from which stored data is cut when it is read. More than {@link MAX_DEPTH}, because the edge's own signals and dead
 * letters carry content inside levels of their own.
 */
export const STORED_DEPTH = 96;

/** Limits of a document that is itself the content, such as a rule or the settings of a scanner. */
export const JSON_LIMITS: JsonLimits = { depth: MAX_DEPTH, keys: 10_000, keyLength: 1_024 };

/**
 * Limits of a document that carries content inside `levels` objects and lists of its own. A frame with a list of signals
 * has three: what one signal may hold does not depend on how it was sent.
 */
export function limitsAround(levels: number): JsonLimits {
  return { ...JSON_LIMITS, depth: MAX_DEPTH + levels };
}
