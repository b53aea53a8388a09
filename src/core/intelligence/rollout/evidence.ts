import * as z from "zod";
import { ARMS, type ArmName, type OutcomeReport, SummedOutcomes } from "./api.ts";
import { Arm } from "./arm.ts";

/** Evidence is kept in slices of this length. */
const SLICE_MS = 10_000;
/** How long evidence is kept, for the dashboard and for the comparison. */
export const KEPT_MS = 3_600_000;

/** A slice as it is stored. */
export const StoredSlice = z.object({ live: SummedOutcomes, library: SummedOutcomes });
export type StoredSlice = z.infer<typeof StoredSlice>;

export interface SliceKey {
  readonly startMs: number;
  /** Version from which on this evidence is judged; {@link SUPERSEDED}: it came too late, and is shown alone. */
  readonly epoch: number;
}

/** Evidence from before a rollback that was taken back since. */
export const SUPERSEDED = -1;

type Slice = SliceKey & Readonly<Record<ArmName, Arm>>;

/** What askers reported in the last hour. */
export class Evidence {
  readonly #slices = new Map<string, Slice>();

  /** Adds a report to its slice. @returns which slice has changed */
  add(report: OutcomeReport, epoch: number, nowMs: number): SliceKey {
    const key = { startMs: nowMs - (nowMs % SLICE_MS), epoch };
    const slice = this.#sliceOf(key);
    for (const name of ARMS) {
      const outcomes = report[name];
      if (outcomes !== undefined) slice[name].add(outcomes);
    }
    return key;
  }

  restore(key: SliceKey, { live, library }: StoredSlice): void {
    const slice = this.#sliceOf(key);
    slice.live.add(live);
    slice.library.add(library);
  }

  stored(key: SliceKey): StoredSlice {
    const { live, library } = this.#sliceOf(key);
    return { live: live.outcomes(), library: library.outcomes() };
  }

  /** Drops what is older than {@link KEPT_MS}. @returns the time before which slices were dropped */
  forget(nowMs: number): number {
    const endMs = nowMs - KEPT_MS;
    for (const [name, { startMs }] of this.#slices) if (startMs < endMs) this.#slices.delete(name);
    return endMs;
  }

  clear(): void {
    this.#slices.clear();
  }

  /** The evidence of the last time, whole slices. @param epoch - `undefined`: whether or not it is judged */
  over(lastMs: number, nowMs: number, epoch?: number): Readonly<Record<ArmName, Arm>> {
    const sum = { live: new Arm(), library: new Arm() };
    for (const slice of this.#slices.values()) {
      if (slice.startMs + SLICE_MS <= nowMs - lastMs || (epoch !== undefined && slice.epoch !== epoch)) continue;
      sum.live.merge(slice.live);
      sum.library.merge(slice.library);
    }
    return sum;
  }

  #sliceOf(key: SliceKey): Slice {
    const name = `${key.startMs} ${key.epoch}`;
    const known = this.#slices.get(name);
    if (known !== undefined) return known;
    const slice: Slice = { ...key, live: new Arm(), library: new Arm() };
    this.#slices.set(name, slice);
    return slice;
  }
}
