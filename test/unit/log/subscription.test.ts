import { describe, expect, test } from "vitest";
import { CREDIT, Subscription } from "../../../src/core/log/subscription.ts";
import fc from "../../fast-check.ts";

const fresh = () => new Subscription({ patterns: [], sent: 0, pushed: 0, seen: 0 });

describe("credit of a subscriber", () => {
  test("ends when too much is unacknowledged, in signals or in bytes, and returns with the acknowledgement", () => {
    for (const flight of [
      { signals: CREDIT.signals, bytes: 1 },
      { signals: 1, bytes: CREDIT.bytes },
    ]) {
      const subscription = fresh();
      subscription.pushed(10, 10, flight.signals, flight.bytes);
      expect(subscription.hasCredit).toBe(false);
      subscription.acknowledge(9);
      expect(subscription.hasCredit).toBe(false);
      subscription.acknowledge(10);
      expect(subscription.hasCredit).toBe(true);
    }
  });

  test("a subscriber who acknowledges what reached it always regains its whole credit, over hibernation too", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("push" as const),
        signals: fc.constantFrom(1, 100, 8_192),
        skipped: fc.constantFrom(0, 1, 50),
      }),
      fc.record({ kind: fc.constant("skip" as const), signals: fc.constantFrom(1, 10) }),
      fc.constant({ kind: "hibernate" as const }),
      fc.record({ kind: fc.constant("seen" as const), back: fc.constantFrom(0, 1, 1_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (history) => {
        let subscription = fresh();
        let head = 0;
        let received = 0;
        for (const event of history) {
          if (event.kind === "push" && subscription.hasCredit) {
            received = head + event.signals;
            head = received + event.skipped;
            subscription.pushed(head, received, event.signals, event.signals * 100);
          } else if (event.kind === "skip") {
            head += event.signals;
            subscription.skipped(head);
          } else if (event.kind === "hibernate") subscription = new Subscription(subscription.snapshot());
          else if (event.kind === "seen") subscription.acknowledge(received - event.back);
          expect(subscription.sent).toBe(head);
        }
        subscription.acknowledge(received);
        expect(subscription.inFlight).toBe(0);
        expect(subscription.hasCredit).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test("an acknowledgement of what was never sent gives nothing away", () => {
    const subscription = fresh();
    subscription.pushed(5, 5, 5, 500);
    subscription.acknowledge(1_000_000);
    expect(subscription.seen).toBe(5);
  });
});
