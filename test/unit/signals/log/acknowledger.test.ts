import { describe, expect, test } from "vitest";
import { ACKNOWLEDGE_MS, Acknowledger } from "../../../../src/core/signals/log/acknowledger.ts";
import { CREDIT, Subscription } from "../../../../src/core/signals/log/subscription.ts";
import fc from "../../../fast-check.ts";

/** An acknowledger whose only timer the test lets elapse. */
function underTest(acknowledged: (seq: number) => void = () => undefined) {
  const sent: number[] = [];
  let timer: { ms: number; run: () => void } | undefined;
  const acknowledger = new Acknowledger({
    send: (seq) => {
      sent.push(seq);
      acknowledged(seq);
    },
    later: (ms, run) => {
      timer = { ms, run };
      return () => {
        timer = undefined;
      };
    },
  });
  const elapse = () => {
    const { run } = timer ?? {};
    timer = undefined;
    run?.();
  };
  return { acknowledger, sent, elapse, waitsMs: () => timer?.ms };
}

describe("acknowledgements of a subscriber", () => {
  test("are one for all deliveries of a second", () => {
    const { acknowledger, sent, elapse, waitsMs } = underTest();
    for (let seq = 1; seq <= 1_000; seq++) acknowledger.handled(seq, 1, 500);
    expect(sent).toEqual([]);
    expect(waitsMs()).toBe(ACKNOWLEDGE_MS);
    elapse();
    expect(sent).toEqual([1_000]);
    expect(waitsMs()).toBeUndefined();
  });

  test("are sent with each quarter of the credit, in signals or in bytes", () => {
    const { acknowledger, sent, waitsMs } = underTest();
    for (let seq = 64; seq <= CREDIT.signals; seq += 64) acknowledger.handled(seq, 64, 1);
    expect(sent).toEqual([1, 2, 3, 4].map((quarter) => (quarter * CREDIT.signals) / 4));
    acknowledger.handled(9_000, 1, CREDIT.bytes / 4);
    expect(sent).toHaveLength(5);
    expect(waitsMs()).toBeUndefined();
  });

  test("are sent at once when the edge requests them, until it has what it waits for", () => {
    const { acknowledger, sent, waitsMs } = underTest();
    acknowledger.handled(1, 1, 1);
    acknowledger.request(3);
    acknowledger.handled(2, 1, 1);
    acknowledger.handled(3, 1, 1);
    expect(sent).toEqual([1, 2, 3]);
    acknowledger.handled(4, 1, 1);
    expect(sent).toHaveLength(3);
    expect(waitsMs()).toBe(ACKNOWLEDGE_MS);
    acknowledger.request(3);
    expect(sent).toEqual([1, 2, 3, 4]);
    acknowledger.handled(5, 1, 1);
    expect(sent).toHaveLength(4);
  });

  test("end with the connection", () => {
    const { acknowledger, sent, waitsMs } = underTest();
    acknowledger.handled(1, 1, 1);
    acknowledger.end();
    expect(waitsMs()).toBeUndefined();
    acknowledger.flush();
    expect(sent).toEqual([]);
  });

  test("leave the edge credit in every history of frames, without the second having to pass", () => {
    const frame = fc.record({
      signals: fc.integer({ min: 1, max: 1_024 }),
      bytes: fc.integer({ min: 1, max: 262_144 }),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 300 }), (frames) => {
        const subscription = new Subscription({ patterns: [], sent: 0, pushed: 0, seen: 0 });
        const { acknowledger } = underTest((seq) => subscription.acknowledge(seq));
        let seq = 0;
        for (const { signals, bytes } of frames) {
          expect(subscription.hasCredit).toBe(true);
          seq += signals;
          subscription.pushed(seq, seq, signals, bytes);
          acknowledger.handled(seq, signals, bytes);
        }
      }),
    );
  });
});
