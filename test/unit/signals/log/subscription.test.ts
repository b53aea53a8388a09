import { describe, expect, test } from "vitest";
import { CREDIT, Subscription } from "../../../../src/core/signals/log/subscription.ts";
import fc from "../../../fast-check.ts";

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
        signals: fc.constantFrom(0, 1, 100, 8_191, 8_192),
        bytes: fc.constantFrom(1, 1_000, CREDIT.bytes - 1, CREDIT.bytes),
        skipped: fc.constantFrom(0, 1, 50),
      }),
      fc.record({ kind: fc.constant("skip" as const), signals: fc.constantFrom(1, 10, -1) }),
      fc.constant({ kind: "hibernate" as const }),
      // Late and absurd ones too.
      fc.record({ kind: fc.constant("seen" as const), back: fc.constantFrom(0, 0, 1, 1_000, -1, -1_000_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (history) => {
        let subscription = fresh();
        let head = 0;
        let received = 0;
        let seen = 0;
        /** What is on its way, as far as it is known. */
        let flights: { last: number; signals: number; bytes: number }[] = [];
        for (const event of history) {
          if (event.kind === "push" && subscription.hasCredit) {
            const last = head + event.signals;
            if (event.signals > 0) {
              received = last;
              flights.push({ last, signals: event.signals, bytes: event.bytes });
            }
            head = last + event.skipped;
            subscription.pushed(head, received, event.signals, event.bytes);
          } else if (event.kind === "skip") {
            subscription.skipped(head + event.signals);
            head += Math.max(0, event.signals);
          } else if (event.kind === "hibernate") {
            subscription = new Subscription(subscription.snapshot());
            // After waking only the span is known: as many signals as the credit allowed, and nothing of their size.
            const signals = Math.min(received - seen, CREDIT.signals);
            flights = received > seen ? [{ last: received, signals, bytes: 0 }] : [];
          } else if (event.kind === "seen") {
            const seq = received - event.back;
            subscription.acknowledge(seq);
            seen = Math.max(seen, Math.min(seq, head));
            flights = flights.filter(({ last }) => last > seq);
          }
          const signals = flights.reduce((sum, flight) => sum + flight.signals, 0);
          const bytes = flights.reduce((sum, flight) => sum + flight.bytes, 0);
          const credit = signals < CREDIT.signals && bytes < CREDIT.bytes;
          expect(
            `${subscription.sent} sent, ${subscription.seen} seen, ${subscription.inFlight} of them in flight, ${subscription.hasCredit}`,
          ).toBe(`${head} sent, ${seen} seen, ${signals} of them in flight, ${credit}`);
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
