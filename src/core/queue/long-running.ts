import type { Entry } from "./entry.ts";

/** Finds the tasks that have run for longer than a limit, without looking at the others. */
export class LongRunning {
  /** Start times, in the order of the starts. */
  readonly #running = new Map<Entry, number>();
  /** Start times of the tasks that {@link over} has found before. */
  readonly #long = new Map<Entry, number>();

  begin(entry: Entry, startedMs: number): void {
    this.#running.set(entry, startedMs);
  }

  end(entry: Entry): void {
    this.#running.delete(entry);
    this.#long.delete(entry);
  }

  /** When the task began that has run longest. */
  get firstMs(): number | undefined {
    const [long] = this.#long.values();
    const [running] = this.#running.values();
    return long ?? running;
  }

  /** As {@link over}, for one more limit. */
  longerThan(limitMs: number, nowMs: number): { readonly entry: Entry; readonly ms: number }[] {
    const found: { entry: Entry; ms: number }[] = [];
    for (const started of [this.#long, this.#running])
      for (const [entry, startedMs] of started) {
        if (nowMs - startedMs <= limitMs) break;
        found.push({ entry, ms: nowMs - startedMs });
      }
    return found;
  }

  /** When the next task will have run for longer than `limitMs`. */
  nextMs(limitMs: number): number | undefined {
    const [startedMs] = this.#running.values();
    return startedMs === undefined ? undefined : startedMs + limitMs + 1;
  }

  /** Tasks that have run for longer than `limitMs`, each with its running time. */
  *over(limitMs: number, nowMs: number): Generator<{ readonly entry: Entry; readonly ms: number }> {
    for (const [entry, startedMs] of this.#running) {
      if (nowMs - startedMs <= limitMs) break;
      this.#running.delete(entry);
      this.#long.set(entry, startedMs);
    }
    for (const [entry, startedMs] of this.#long) yield { entry, ms: nowMs - startedMs };
  }
}
