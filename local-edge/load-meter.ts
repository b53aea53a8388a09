import type { Threads } from "./process-load.ts";

/** What all threads of a process had in some time, together, in milliseconds. */
export interface ProcessLoad {
  /** Time on a processor. */
  readonly cpuMs: number;
  /** Time in which a thread could have run and had to wait for a processor. */
  readonly waitedMs: number;
  /** Time in which at least one thread waited for a disk, as far as looking now and then tells. */
  readonly diskMs: number;
}

/** Adds up the load of a process from look to look. What a thread had stays counted when the thread ends. */
export class LoadMeter {
  #threads: Threads;
  #atMs: number;
  #load: ProcessLoad = { cpuMs: 0, waitedMs: 0, diskMs: 0 };

  /** @param nowMs - of any clock that never goes back, in milliseconds */
  constructor(threads: Threads, nowMs: number) {
    this.#threads = threads;
    this.#atMs = nowMs;
  }

  /** @returns the load since the meter was made */
  look(threads: Threads, nowMs: number): ProcessLoad {
    let { cpuMs, waitedMs, diskMs } = this.#load;
    for (const [thread, load] of threads) {
      const before = this.#threads.get(thread);
      cpuMs += load.cpuMs - (before?.cpuMs ?? 0);
      waitedMs += load.waitedMs - (before?.waitedMs ?? 0);
    }
    // The kernel counts these waits only where it was told to at its start, so the state at each look stands for the time since.
    if ([...threads.values()].some(({ onDisk }) => onDisk)) diskMs += nowMs - this.#atMs;
    this.#threads = threads;
    this.#atMs = nowMs;
    this.#load = { cpuMs, waitedMs, diskMs };
    return this.#load;
  }
}
