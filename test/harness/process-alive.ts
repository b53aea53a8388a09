import { readFileSync } from "node:fs";

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
