/** How long after a refusal of the disk the edge counts as not ready: callers who were refused come again within it. */
const NOT_READY_MS = 10_000;

let refused: { readonly atMs: number; readonly problem: string } | undefined;

/** The disk refused to store or to read something. @param detail - what is wrong, and what to do about it */
export function noteDiskTrouble(detail: string, nowMs: number): void {
  refused = { atMs: nowMs, problem: detail };
}

/** @returns what is wrong with the disk, while its last refusal is recent */
export function diskTrouble(nowMs: number): string | undefined {
  return refused !== undefined && nowMs - refused.atMs < NOT_READY_MS ? refused.problem : undefined;
}
