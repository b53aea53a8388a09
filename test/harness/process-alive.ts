import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { PATIENCE_MS } from "./until.ts";

/** Whether process `pid` runs: a zombie, which only waits for its parent to notice, does not. */
export function alive(pid: number): boolean {
  try {
    // "pid (name) state …"; the name may hold anything, even a bracket.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

/** Resolves when none of the processes runs. Nothing tells of the end of a process that is not one's child: it is looked for. */
export async function untilEnded(pids: readonly number[], patienceMs = PATIENCE_MS): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (let left = pids.filter(alive); left.length > 0; left = left.filter(alive)) {
    if (performance.now() > deadline) throw new Error(`processes ${left.join(", ")} run after ${patienceMs} ms`);
    await pause(10);
  }
}
