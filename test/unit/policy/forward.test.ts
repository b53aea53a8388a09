import { describe, expect, test } from "vitest";
import type { Effect } from "../../../src/core/policy/effect.ts";
import { PolicyEngine } from "../../../src/core/policy/engine.ts";
import type { RuleOutcome } from "../../../src/core/policy/rule-outcome.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import fc from "../../fast-check.ts";
import { aRule, aSignal } from "./a-signal.ts";

const forward = (ecosystem: string, signal?: string) => ({
  forward: { ecosystem, ...(signal === undefined ? {} : { signal }) },
});

describe("forward as an effect", () => {
  test("carries the signal as it is, and where it came from", () => {
    const signal = aSignal("Q_A", { n: 1 });
    const [outcome] = new PolicyEngine([aRule({ then: [forward("fleet")] })]).evaluate(signal).outcomes;
    expect(outcome?.effects).toEqual([
      {
        kind: "forward",
        ecosystem: "fleet",
        signal: "Q_A",
        facts: { n: 1 },
        timestamp: signal.timestamp,
        via: { ecosystem: "e", seq: signal.seq, id: signal.id, signal: "Q_A", source: "t" },
      },
    ]);
  });

  test("fails the rule where the other name asks for other facts", () => {
    const engine = new PolicyEngine([aRule({ then: [forward("fleet", "OBSERVATION")] })]);
    const [outcome] = engine.evaluate(aSignal("Q_A", { n: 1 })).outcomes;
    expect(outcome).toMatchObject({ outcome: "failed", effects: [] });
    expect(outcome?.reason).toContain("invalid facts for OBSERVATION");
  });

  test("in a rule that forwards fails for a signal that has crossed as often as signals may, and in no other rule", () => {
    const rules = [aRule({ id: "forwards", then: [forward("fleet")] }), aRule({ id: "stays" })];
    const engine = new PolicyEngine(rules);
    const decided = (hops: number) =>
      engine.evaluate({ ...aSignal("Q_A"), hops }).outcomes.map(({ rule, outcome, cut }) => [rule.id, outcome, cut]);
    expect(decided(7)).toEqual([
      ["forwards", "fired", undefined],
      ["stays", "fired", undefined],
    ]);
    expect(decided(8)).toEqual([
      ["forwards", "failed", "hops"],
      ["stays", "fired", undefined],
    ]);
  });

  test("ends in every ring of ecosystems, whatever else lies on the way round", () => {
    const ring = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(ring, (between) => {
        // Each ecosystem emits so many signals of its own before it forwards the last of them.
        const engines = between.map((count, place) => {
          const steps = Array.from({ length: count }, (_, n) =>
            aRule({ id: `r${n}`, when: `Q_${n}`, then: [{ emit: { signal: `Q_${n + 1}`, facts: {} } }] }),
          );
          const next = forward(`e${(place + 1) % between.length}`, "Q_0");
          return new PolicyEngine([...steps, aRule({ id: "on", when: `Q_${count}`, then: [next] })]);
        });
        let here = 0;
        let signal: Signal | undefined = aSignal("Q_0");
        let crossed = 0;
        for (let turn = 0; signal !== undefined; turn++) {
          expect(turn).toBeLessThan(20);
          const [outcome]: readonly RuleOutcome[] = engines[here]?.evaluate(signal).outcomes ?? [];
          const [effect]: readonly Effect[] = outcome?.effects ?? [];
          const { depth = 0, hops = 0 }: Signal = signal;
          signal = undefined;
          if (effect?.kind === "emit") signal = { ...aSignal(effect.signal, {}, 0, depth + 1), hops };
          if (effect?.kind === "forward") {
            crossed++;
            here = (here + 1) % engines.length;
            signal = { ...aSignal(effect.signal, {}, 0, depth + 1), hops: hops + 1 };
          }
        }
        expect(crossed).toBeLessThanOrEqual(8);
      }),
    );
  });
});
