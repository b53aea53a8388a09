import { describe, expect, it } from "vitest";
import { framesOf } from "../../../../src/core/signals/log/signal-frames.ts";

const line = (seq: number, text: string) => JSON.stringify({ seq, id: `s${seq}`, signal: "Q_A", facts: { text } });

describe("frames of signals", () => {
  it("hold all signals once and in order, and no frame takes more bytes than it may", () => {
    const lines = Array.from({ length: 50 }, (_, place) => line(place + 1, "€".repeat(place)));
    const frames = [...framesOf(lines, 1_000)];
    const read = frames.map(({ text }) => JSON.parse(text) as { last: number; signals: { seq: number }[] });
    expect(read.flatMap(({ signals }) => signals.map(({ seq }) => seq))).toEqual(lines.map((_, place) => place + 1));
    for (const [place, { text, bytes, last, signals }] of frames.entries()) {
      expect(bytes).toBe(Buffer.byteLength(text));
      expect(bytes).toBeLessThanOrEqual(1_000);
      expect([last, signals]).toEqual([read[place]?.last, read[place]?.signals.length]);
      expect(read[place]?.signals.at(-1)?.seq).toBe(last);
    }
  });

  it("hold a signal alone that is larger than a frame may be", () => {
    const lines = [line(1, ""), line(2, "x".repeat(5_000)), line(3, "")];
    expect([...framesOf(lines, 1_000)].map(({ signals }) => signals)).toEqual([1, 1, 1]);
  });

  it("are none without signals", () => expect([...framesOf([], 1_000)]).toEqual([]));
});
