import type { Sample } from "../../../../src/core/introspection/window/sample.ts";

/** A sample at `seq` in the log, a millisecond after the one before it. */
export function aSample(seq: number, facts: Record<string, unknown>, more: Partial<Sample> = {}): Sample {
  return {
    seq,
    id: `s${seq}`,
    trace: undefined,
    depth: 0,
    tsMs: seq,
    reporter: "r",
    niche: null,
    ok: true,
    ttrMs: null,
    incidentId: null,
    facts,
    party: { sender: "", source: "t" },
    bytes: 300,
    ...more,
  };
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
