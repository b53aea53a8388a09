import { formatTimestamp } from "../signals/timestamp.ts";
import type { FoundLockCycle } from "./api.ts";
import type { CycleStep } from "./outcomes.ts";
import { cycleView } from "./view.ts";

/** For so long a cycle needs somebody, in milliseconds: it was refused, and will come again. */
const SHOWN_MS = 600_000;
const MAX_SHOWN = 20;
const MAX_STEPS = 20;

interface Found {
  readonly atMs: number;
  readonly steps: readonly CycleStep[];
  readonly signal: string | null;
}

/** Cycles of waits that were found lately, each once. */
export class FoundCycles {
  /** By the locks in it, the newest last. */
  readonly #found = new Map<string, Found>();

  /** @returns whether it was not known: it is told of by a signal once */
  isNew(steps: readonly CycleStep[], nowMs: number): boolean {
    const known = this.#found.get(keyOf(steps));
    return known === undefined || nowMs - known.atMs > SHOWN_MS;
  }

  add(steps: readonly CycleStep[], signal: string | undefined, nowMs: number): void {
    const key = keyOf(steps);
    const before = this.#found.get(key)?.signal ?? null;
    this.#found.delete(key);
    this.#found.set(key, { atMs: nowMs, steps: steps.slice(0, MAX_STEPS), signal: signal ?? before });
    for (const [oldest] of this.#found) {
      if (this.#found.size <= MAX_SHOWN) break;
      this.#found.delete(oldest);
    }
  }

  views(nowMs: number): FoundLockCycle[] {
    return [...this.#found.values()].flatMap(({ atMs, steps, signal }) =>
      nowMs - atMs > SHOWN_MS ? [] : [{ at: formatTimestamp(atMs), steps: cycleView(steps), signal }],
    );
  }
}

/** The same cycle is found from whichever of its waits came last. */
const keyOf = (steps: readonly CycleStep[]) =>
  steps
    .map(({ owner, waitsFor }) => `${owner}\n${waitsFor}`)
    .sort()
    .join("\n\n");
