import type { QueueOverloaded } from "../../core/queue/api.ts";

/** Answer of a queue that could not write, or that has too much waiting to be written. Nothing of the request was kept. */
export const OVERLOADED: QueueOverloaded = { overloaded: true, retry_after_ms: 500 };

/** What is thrown because of what was processed, and not because of where it should be written. */
export const isDataError = (error: unknown) =>
  error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError;
