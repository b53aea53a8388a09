import { exceedsBytes } from "../signals/limits.ts";

/**
 * Stands in the place of an output that is too large to be passed on: nothing of a value that was cut is passed on as if
 * it were the value.
 */
export interface TooLargeOutput {
  readonly truncated: true;
  /** Bytes that the command printed. */
  readonly size: number;
  /** File with the whole output; `null`: it could not be kept, see `problem`. */
  readonly path: string | null;
  /** The host that has the file. */
  readonly host: string;
  /** The end of the output, for people. */
  readonly output: string;
  /** Why the file does not hold the whole output. */
  readonly problem?: string;
}

/** Whether a value fits into a signal, or into the result of a task, as JSON. */
export function fitsAsJson(value: unknown, maxBytes: number): boolean {
  return !exceedsBytes(JSON.stringify(value) ?? "", maxBytes);
}
