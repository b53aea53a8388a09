import { describe, expect, test } from "vitest";
import { LogState } from "../../../../src/core/signals/log/log-state.ts";
import { Producers } from "../../../../src/core/signals/log/producers.ts";
import fc from "../../../fast-check.ts";

/** Stores what is to be written, as the log does. */
function store(rows: Map<number, string>, producers: Producers, silentSinceMs?: number): void {
  for (const { page, body } of producers.takeChanged(silentSinceMs)) {
    if (body === null) rows.delete(page);
    else rows.set(page, body);
  }
}

function restored(rows: ReadonlyMap<number, string>): Producers {
  const producers = new Producers();
  for (const [page, body] of rows) producers.restore({ page, body });
  return producers;
}

const bytes = (text: string) => new TextEncoder().encode(text).length;

describe("producers of a log", () => {
  test("are known again after a restart, whatever was written in between (histories)", () => {
    const step = fc.oneof(
      fc.record({ producer: fc.integer({ min: 0, max: 40 }), more: fc.integer({ min: 1, max: 5 }) }),
      fc.constant("store" as const),
      fc.constant("restart" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const rows = new Map<number, string>();
        const model = new Map<string, number>();
        let stored = new Map<string, number>();
        let producers = new Producers();
        for (const [atMs, one] of steps.entries()) {
          if (one === "store") {
            store(rows, producers);
            stored = new Map(model);
          } else if (one === "restart") {
            producers = restored(rows);
            // The headers of the segments since then tell the rest.
            for (const [name, last] of model) {
              if (stored.get(name) !== last) producers.set(name, last, atMs);
            }
          } else {
            const name = `p${one.producer}`;
            const last = (model.get(name) ?? 0) + one.more;
            model.set(name, last);
            producers.set(name, last, atMs);
          }
          for (const [name, last] of model) expect(producers.last(name)).toBe(last);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("take rows of bounded size, however many there are and however long their names", () => {
    const rows = new Map<number, string>();
    const producers = new Producers();
    for (let n = 0; n < 40_000; n++) producers.set(`${"p".repeat(200)}${n}`, n + 1, n);
    store(rows, producers);
    expect(Math.max(...[...rows.values()].map(bytes))).toBeLessThan(1_000_000);
    expect(restored(rows).last(`${"p".repeat(200)}39999`)).toBe(40_000);
  });

  test("are written where they have changed, and nowhere else", () => {
    const rows = new Map<number, string>();
    const producers = new Producers();
    for (let n = 0; n < 40_000; n++) producers.set(`producer-number-${n}`, 1, 0);
    store(rows, producers);
    expect(rows.size).toBeGreaterThan(4);
    producers.set("producer-number-7", 2, 1);
    producers.set("producer-number-8", 2, 1);
    expect(producers.takeChanged().map(({ page }) => page)).toEqual([0]);
    expect(producers.takeChanged()).toEqual([]);
  });

  test("are forgotten after they were silent for the retention, and their rows with them", () => {
    const rows = new Map<number, string>();
    const producers = new Producers();
    for (let n = 0; n < 40_000; n++) producers.set(`producer-number-${n}`, 1, n);
    store(rows, producers);
    const before = rows.size;
    store(rows, producers, 39_999);
    expect(producers.size).toBe(1);
    expect(rows.size).toBeLessThan(before);
    expect(restored(rows).last("producer-number-39999")).toBe(1);
    expect(restored(rows).last("producer-number-0")).toBe(0);
  });

  test("are forgotten from the longest silent on where they are more than the memory should hold", () => {
    const producers = new Producers();
    producers.set("old", 1, 0);
    for (let n = 0; n < 110_000; n++) producers.set(`p${n}`, 1, n + 1);
    expect(producers.size).toBeLessThan(106_000);
    expect(producers.last("old")).toBe(0);
    expect(producers.last("p109999")).toBe(1);
  });

  test("that an earlier version stored in its bases and zones are taken over", () => {
    const base = { epoch: "abcdef", nextSeq: 1, receivedMs: 5, producers: { a: 3, b: 1 } };
    const state = new LogState("eco", base);
    const zone = {
      firstSeq: 1,
      lastSeq: 9,
      firstTs: 0,
      lastTs: 0,
      receivedMs: 7,
      names: ["Q"],
      foreignIds: 0,
      producers: { a: 8, c: 2 },
      active: ["a", "c"],
    };
    state.restore(zone, []);
    expect(["a", "b", "c"].map((name) => state.lastNumber(name))).toEqual([8, 1, 2]);
    const again = new LogState("eco", state.base());
    again.restore(
      undefined,
      [],
      state.takeProducers().flatMap(({ page, body }) => (body === null ? [] : [{ page, body }])),
    );
    expect(["a", "b", "c"].map((name) => again.lastNumber(name))).toEqual([8, 1, 2]);
  });
});
