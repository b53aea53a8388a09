import { describe, expect, test } from "vitest";
import { chainOf } from "../../../dashboard/chain/chain.ts";
import { lanesOf } from "../../../dashboard/chain/lane-layout.ts";
import type { Lineage } from "../../../src/core/lineage/api.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import fc from "../../fast-check.ts";

const T0 = Date.parse("2026-01-31T12:00:00Z");

function aSignal(seq: number, cause?: string, source = "agent"): Signal {
  const at = new Date(T0 + seq * 10).toISOString();
  return {
    seq,
    id: `s${seq}`,
    signal: `SIGNAL_${seq}`,
    source,
    ecosystem: "default",
    timestamp: at,
    received_at: at,
    facts: { seq },
    ...(cause === undefined ? {} : { cause }),
  };
}

const lineage = (change: Partial<Lineage>): Lineage => ({
  signal: aSignal(1),
  causes: [],
  effects: [],
  decisions: [],
  tasks: [],
  deliveries: [],
  dead_letters: [],
  truncated: false,
  ...change,
});

describe("a chain", () => {
  test("stands as a tree: each step behind its cause, siblings in the order of the log", () => {
    const effects = [aSignal(2, "s1"), aSignal(3, "s1"), aSignal(4, "s2"), aSignal(5, "s4")];
    const { rows } = chainOf(lineage({ effects }));
    expect(rows.map(({ title, depth }) => [title, depth])).toEqual([
      ["SIGNAL_1", 0],
      ["SIGNAL_2", 1],
      ["SIGNAL_4", 2],
      ["SIGNAL_5", 3],
      ["SIGNAL_3", 1],
    ]);
  });

  test("marks the signal on which it was opened, below its causes", () => {
    const chain = chainOf(lineage({ causes: [aSignal(0)], signal: aSignal(1, "s0") }));
    expect(chain.rows.map(({ asked, depth }) => [asked, depth])).toEqual([
      [false, 0],
      [true, 1],
    ]);
  });

  test("puts tasks, deliveries, forwards and dead letters below the signals that led to them", () => {
    const { rows } = chainOf(
      lineage({
        effects: [aSignal(2, "s1")],
        tasks: [{ queue: "builds", task_id: "t", cause: "s2", status: "failed", error: "exit 1" }],
        deliveries: [{ delivery_id: "d", endpoint: "pager", cause: "s1", rule: "r", state: "delivered" }],
        forwards: [{ forward_id: "f", ecosystem: "b", signal: "X", cause: "s1", rule: "r", state: "refused" }],
        dead_letters: [
          {
            id: "l",
            kind: "signal",
            error: "too deep",
            daemon: "ganglion/policy",
            attempts: 1,
            first_failed_at: "2026-01-31T12:00:01Z",
            last_failed_at: "2026-01-31T12:00:01Z",
            lineage: ["s2"],
          },
        ],
      }),
    );
    expect(rows.map(({ kind, depth, state }) => [kind, depth, state])).toEqual([
      ["signal", 0, "calm"],
      ["signal", 1, "calm"],
      ["task", 2, "critical"],
      ["dead letter", 2, "critical"],
      ["delivery", 1, "good"],
      ["forward", 1, "critical"],
    ]);
  });

  test("shows effects at the top whose cause the answer does not hold", () => {
    const { rows } = chainOf(lineage({ effects: [aSignal(2, "dropped-long-ago")] }));
    expect(rows.map(({ depth }) => depth)).toEqual([0, 0]);
  });

  test("holds every step once, whatever the order and whoever names whom as the cause", () => {
    const causes = fc.array(fc.nat(60), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(causes, (parents) => {
        // Each names an earlier one, as a log has it; some name one that is not there.
        const effects = parents.map((parent, place) => aSignal(place + 2, `s${Math.min(parent, place + 1)}`));
        const { rows } = chainOf(lineage({ effects }));
        expect(rows.map(({ key }) => key).sort()).toEqual(["s1", ...effects.map(({ id }) => id)].sort());
        const depths = new Map(rows.map(({ key, depth }) => [key, depth]));
        for (const { id, cause = "" } of effects) {
          if (depths.has(cause)) expect(depths.get(id)).toBe((depths.get(cause) ?? 0) + 1);
        }
      }),
    );
  });

  test("of twenty thousand effects, each the cause of the next, needs no deep call stack", () => {
    const effects = Array.from({ length: 20_000 }, (_, place) => aSignal(place + 2, `s${place + 1}`));
    const { rows } = chainOf(lineage({ effects }));
    expect(rows).toHaveLength(20_001);
    expect(rows.at(-1)?.depth).toBe(20_000);
  });

  test("spans the time from its first to its last step", () => {
    const chain = chainOf(lineage({ effects: [aSignal(51, "s1")] }));
    expect(chain.untilMs - chain.fromMs).toBe(500);
  });
});

describe("the lanes of a chain", () => {
  test("are the sources in the order of their first steps, with each step at its time", () => {
    const chain = chainOf(lineage({ effects: [aSignal(6, "s1", "worker"), aSignal(11, "s6")] }));
    expect(lanesOf(chain)).toEqual([
      {
        name: "agent",
        hidden: 0,
        marks: [
          expect.objectContaining({ key: "s1", x: 0, asked: true }),
          expect.objectContaining({ key: "s11", x: 1 }),
        ],
      },
      { name: "worker", hidden: 0, marks: [expect.objectContaining({ key: "s6", x: 0.5 })] },
    ]);
  });

  test("are twelve at most: the rest share the last", () => {
    const effects = Array.from({ length: 40 }, (_, place) => aSignal(place + 2, "s1", `source-${place}`));
    const lanes = lanesOf(chainOf(lineage({ effects })));
    expect(lanes).toHaveLength(12);
    expect(lanes.at(-1)?.name).toBe("30 others");
    expect(lanes.at(-1)?.marks).toHaveLength(30);
  });

  test("draw steps at one place once, and count the others", () => {
    const effects = Array.from({ length: 5_000 }, (_, place) => aSignal(place + 2, "s1", "worker"));
    const [, worker] = lanesOf(chainOf(lineage({ effects })));
    expect(worker?.marks.length).toBeLessThan(250);
    expect((worker?.marks.length ?? 0) + (worker?.hidden ?? 0)).toBe(5_000);
  });
});
