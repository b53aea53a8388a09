import { describe, expect, test } from "vitest";
import { readEdgeFrame } from "../../../local-agent/link/edge-frame.ts";
import { TOO_DEEP } from "../../../src/core/json/prune-deep.ts";

describe("a frame of signals from the edge", () => {
  test("with one that is nested too deeply gives that one cut, and the others whole", () => {
    const deep = "[".repeat(50_000) + "]".repeat(50_000);
    const signal = (seq: number, facts: string) => `{"seq":${seq},"id":"s${seq}.e","signal":"Q_A","facts":${facts}}`;
    const frame = readEdgeFrame(
      `{"type":"signals","last":3,"signals":[${signal(1, '{"n":1}')},${signal(2, `{"a":${deep}}`)},${signal(3, '{"n":3}')}]}`,
    );
    if (frame.type !== "signals") throw new Error(frame.type);
    const texts = frame.signals.map(({ text }) => text);
    expect([texts[0], texts[2]]).toEqual([signal(1, '{"n":1}'), signal(3, '{"n":3}')]);
    expect(texts[1]).toContain(TOO_DEEP);
    expect(texts[1]?.length).toBeLessThan(1_000);
  });
});
