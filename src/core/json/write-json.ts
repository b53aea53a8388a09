import { pruneDeep } from "./prune-deep.ts";

/**
 * JSON of a value that may come from before its depth was limited: what is nested beyond what the stack can write is cut,
 * in place. Costs nothing for any other value.
 */
export function writeJson(value: object): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return JSON.stringify(pruneDeep(value));
  }
}
