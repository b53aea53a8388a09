import { describe, expect, it } from "vitest";
import { LaneSender, WINDOW } from "../../../local-agent/link/lane-sender.ts";
import type { Batch } from "../../../local-agent/store/spool.ts";

/** Numbers from 1 to `last`, in batches of ten, without those in `gone`. */
function spoolOf(last: number, gone = new Set<number>()) {
  return {
    gone,
    producer: () => "a.0.bus",
    read(_: string, from: number, maxSignals: number): Batch | null {
      const texts: string[] = [];
      let first = from;
      while (gone.has(first)) first++;
      for (let n = first; n <= last && !gone.has(n) && texts.length < Math.min(10, maxSignals); n++)
        texts.push(`{"n":${n}}`);
      return texts.length === 0 ? null : { first, last: first + texts.length - 1, texts };
    },
  };
}

const first = (frame: string | null) => (frame === null || frame === "stuck" ? frame : JSON.parse(frame).first);
const later = () => 1_000;

describe("sender of a lane", () => {
  it("fills its window, and sends more as answers come", () => {
    const sender = new LaneSender(spoolOf(1_000), "bus");
    for (let batch = 1; batch <= WINDOW; batch++) expect(first(sender.frame(batch, 0))).toBe(batch * 10 - 9);
    expect(sender.frame(99, 0)).toBeNull();
    expect(sender.appended(1, 10)).toBe(10);
    expect(first(sender.frame(100, 0))).toBe(81);
  });

  it("takes one answer for all batches that it covers", () => {
    const sender = new LaneSender(spoolOf(1_000), "bus");
    for (let batch = 1; batch <= WINDOW; batch++) sender.frame(batch, 0);
    expect(sender.appended(8, 80)).toBe(80);
    expect(sender.oldestSentMs).toBeUndefined();
  });

  it("goes back to the first refused batch, once, and waits as long as asked", () => {
    const sender = new LaneSender(spoolOf(1_000), "bus");
    for (let batch = 1; batch <= 4; batch++) sender.frame(batch, 0);
    expect(sender.refused(2, 503, 50, 0, later)).toEqual({ kind: "retry", notBeforeMs: 50 });
    expect(sender.refused(3, 503, 50, 0, later)).toBeNull();
    expect(sender.frame(5, 49)).toBeNull();
    expect(sender.waitingUntil(49)).toBe(50);
    expect(first(sender.frame(5, 50))).toBe(11);
    expect(sender.appended(1, 10)).toBe(10);
  });

  it("asks for a new connection when a refused batch was shed", () => {
    const spool = spoolOf(100);
    const sender = new LaneSender(spool, "bus");
    sender.frame(1, 0);
    sender.refused(1, 503, 0, 0, later);
    spool.gone.add(1);
    expect(sender.frame(2, 1)).toBe("stuck");
    sender.restart();
    expect(first(sender.frame(3, 1))).toBe(2);
  });

  it("stops at a signal that is never taken until the signal is removed", () => {
    const spool = spoolOf(1);
    const sender = new LaneSender(spool, "bus");
    sender.frame(1, 0);
    expect(sender.refused(1, 422, undefined, 0, later)).toEqual({ kind: "unsendable", number: 1, text: '{"n":1}' });
    expect(sender.frame(2, 0)).toBeNull();
    sender.resume(0);
    expect(first(sender.frame(3, 0))).toBe(1);
  });

  it("restarts at the oldest unconfirmed number on a new connection", () => {
    const sender = new LaneSender(spoolOf(100), "bus");
    for (let batch = 1; batch <= 4; batch++) sender.frame(batch, 0);
    sender.appended(1, 10);
    sender.restart();
    expect(first(sender.frame(5, 0))).toBe(11);
  });
});
