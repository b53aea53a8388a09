/** A pattern that matches no signal. An empty list of patterns would match all signals. */
export const NOTHING: readonly string[] = ["!*"];

export function isNothing(patterns: readonly string[]): boolean {
  return patterns.length === 1 && patterns[0] === NOTHING[0];
}
