import type { Entry } from "./entry.ts";

/** Which running tasks have run for longer than a limit, found without looking at the others. */
export class LongRunning {
  /** In the order in which they began, with when. */
  readonly #running = new Map<Entry, number>();
  readonly #long = new Map<Entry, number>();

  begin(entry: Entry, startedMs: number): void {
    this.#running.set(entry, startedMs);
  }

  end(entry: Entry): void {
    this.#running.delete(entry);
    this.#long.delete(entry);
  }

  /** When the next one will have run for longer than `limitMs`. */
  nextMs(limitMs: number): number | undefined {
    const [startedMs] = this.#running.values();
    return startedMs === undefined ? undefined : startedMs + limitMs + 1;
  }

  /** Those that have, each with for how long. Each is looked at anew, the others not at all. */
  *over(limitMs: number, nowMs: number): Generator<{ readonly entry: Entry; readonly ms: number }> {
    for (const [entry, startedMs] of this.#running) {
      if (nowMs - startedMs <= limitMs) break;
      this.#running.delete(entry);
      this.#long.set(entry, startedMs);
    }
    for (const [entry, startedMs] of this.#long) yield { entry, ms: nowMs - startedMs };
  }
}
