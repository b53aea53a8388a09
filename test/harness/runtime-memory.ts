import { readdirSync, readFileSync } from "node:fs";

/** The runtime that a process of the edge has started. */
export interface RuntimeMemory {
  /** Another one than before: the runtime has ended and was started again. 0: there is none. */
  readonly pid: number;
  /** Resident memory: of V8's heap and of everything else. */
  readonly bytes: number;
}

export function runtimeMemory(edgePid: number): RuntimeMemory {
  let largest: RuntimeMemory = { pid: 0, bytes: 0 };
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/status`, "utf8");
      const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
      const bytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1_024;
      if (parent === edgePid && /^Name:\s+workerd/m.test(status) && bytes > largest.bytes)
        largest = { pid: Number(name), bytes };
    } catch {
      // The process has ended since it was listed.
    }
  }
  return largest;
}
