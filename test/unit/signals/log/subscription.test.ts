import { describe, expect, test } from "vitest";
import { CREDIT, Subscription } from "../../../../src/core/signals/log/subscription.ts";
import fc from "../../../fast-check.ts";

const fresh = () => new Subscription({ patterns: [], sent: 0, pushed: 0, seen: 0 });

interface Flight {
  readonly last: number;
  readonly signals: number;
  readonly bytes: number;
}

const sum = (flights: readonly Flight[], field: "signals" | "bytes") =>
  flights.reduce((total, flight) => total + flight[field], 0);

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

  test("is known in every history of frames, acknowledgements, subscriptions and hibernations, and returns as a whole", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("push" as const),
        signals: fc.constantFrom(0, 1, 100, 8_191, 8_192),
        bytes: fc.constantFrom(1, 1_000, CREDIT.bytes - 1, CREDIT.bytes),
        skipped: fc.constantFrom(0, 1, 50),
      }),
      fc.record({ kind: fc.constant("skip" as const), signals: fc.constantFrom(1, 10, -1) }),
      fc.constant({ kind: "hibernate" as const }),
      fc.record({ kind: fc.constant("subscribe" as const), back: fc.constantFrom(0, 1, 10, 1_000_000) }),
      // Late and absurd ones too.
      fc.record({ kind: fc.constant("seen" as const), back: fc.constantFrom(0, 0, 1, 1_000, -1, -1_000_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (history) => {
        let subscription = fresh();
        let head = 0;
        let top = 0;
        let received = 0;
        let seen = 0;
        let unread = 0;
        /** What is on its way, as far as it is known, for this subscription and for earlier ones. */
        let flights: Flight[] = [];
        let carried: Flight[] = [];
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
            // After waking only the whole is known, not the frames.
            if (flights.length > 0)
              flights = [{ last: received, signals: sum(flights, "signals"), bytes: sum(flights, "bytes") }];
          } else if (event.kind === "subscribe") {
            const after = Math.max(0, head - event.back);
            subscription = subscription.replaced([], after);
            carried = [...carried, ...flights];
            unread = carried.length > 0 ? unread + 1 : 0;
            flights = [];
            head = received = seen = after;
          } else if (event.kind === "seen") {
            const seq = received - event.back;
            expect(subscription.acknowledge(seq)).toBe(seq <= Math.max(top, head));
            if (seq <= Math.max(top, head)) {
              seen = Math.max(seen, Math.min(seq, head));
              const left = flights.filter(({ last }) => last > seq);
              const arrived =
                left.length < flights.length || (carried.length > 0 && carried.every(({ last }) => last <= seq));
              flights = left;
              // A socket delivers in order: what was sent for earlier subscriptions has arrived as well.
              if (arrived) {
                carried = [];
                unread = 0;
              }
            }
          }
          top = Math.max(top, head);
          const all = [...carried, ...flights];
          const credit = sum(all, "signals") < CREDIT.signals && sum(all, "bytes") < CREDIT.bytes;
          expect(
            [
              ...[subscription.sent, subscription.seen, subscription.inFlight, subscription.bytes],
              ...[subscription.hasCredit, subscription.mayProbe, subscription.unread],
            ].join(),
          ).toBe(
            [
              ...[head, seen, sum(all, "signals"), sum(all, "bytes")],
              ...[credit, carried.length > 0 && flights.length === 0, unread],
            ].join(),
          );
        }
        subscription.acknowledge(top);
        expect([subscription.inFlight, subscription.bytes, subscription.hasCredit]).toEqual([0, 0, true]);
      }),
      { numRuns: 1_000 },
    );
  });

  test("is not given anew to one who subscribes again and acknowledges nothing", () => {
    let subscription = fresh();
    subscription.pushed(100, 100, 100, CREDIT.bytes);
    for (let times = 1; times <= 20; times++) {
      subscription = new Subscription(subscription.replaced([], 0).snapshot());
      expect([subscription.hasCredit, subscription.bytes, subscription.unread]).toEqual([false, CREDIT.bytes, times]);
    }
  });

  test("returns to one who dropped what was sent before it subscribed anew, with the first signal after that", () => {
    const subscription = fresh();
    subscription.pushed(100, 100, 100, CREDIT.bytes);
    const next = subscription.replaced([], 50);
    expect([next.hasCredit, next.mayProbe]).toEqual([false, true]);
    next.pushed(51, 51, 1, 100);
    expect(next.mayProbe).toBe(false);
    next.acknowledge(51);
    expect([next.hasCredit, next.bytes, next.unread]).toEqual([true, 0, 0]);
  });

  test("is as the worst case for a socket that an older version of the edge wrote", () => {
    const subscription = new Subscription({ patterns: [], sent: 20_000, pushed: 20_000, seen: 4_000 });
    expect([subscription.inFlight, subscription.hasCredit]).toEqual([CREDIT.signals, false]);
    subscription.acknowledge(20_000);
    expect(subscription.hasCredit).toBe(true);
  });
});

test("an acknowledgement of what was never sent is found out and changes nothing", () => {
  const subscription = fresh();
  subscription.pushed(5, 5, 5, 500);
  expect(subscription.acknowledge(9e15)).toBe(false);
  expect([subscription.seen, subscription.inFlight, subscription.bytes]).toEqual([0, 5, 500]);
  // The other end may have taken what was sent for an earlier subscription, which went further.
  expect(subscription.replaced([], 2).acknowledge(5)).toBe(true);
});
