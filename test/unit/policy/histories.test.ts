import { expect, test } from "vitest";
import { admitRule } from "../../../src/core/policy/admit-rule.ts";
import type { Effect } from "../../../src/core/policy/effect.ts";
import { PolicyEngine } from "../../../src/core/policy/engine.ts";
import type { Rule } from "../../../src/core/policy/rule.ts";
import type { Evaluation } from "../../../src/core/policy/rule-outcome.ts";
import type { StateRow } from "../../../src/core/policy/state.ts";
import { planStateImport } from "../../../src/core/policy/state-import.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import fc from "../../fast-check.ts";
import { T0 } from "./a-signal.ts";
import { anyHistory, expectedEffects, RULES, type Seen, type Step } from "./histories.ts";

const rules = RULES.map((rule): Rule => {
  const admitted = admitRule(rule);
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.errors));
  return { ...admitted.rule, version: 1 };
});

/** The engine with a store: after a restart it has the state that was written. */
class EngineOnDisk {
  engine = new PolicyEngine(rules);
  readonly effects: string[] = [];
  readonly #rows = new Map<string, StateRow>();

  /** @param written - false: the machine stops before the evaluation is written */
  run(evaluate: (engine: PolicyEngine) => Evaluation, written = true): void {
    const { mutations, outcomes } = evaluate(this.engine);
    if (!written) return this.restart();
    for (const change of mutations) {
      const place = `${change.kind} ${change.rule} ${change.key}`;
      if (change.body === null) this.#rows.delete(place);
      else this.#rows.set(place, JSON.parse(JSON.stringify(change)) as StateRow);
    }
    for (const { rule, effects } of outcomes) this.effects.push(...effects.map((effect) => nameOf(rule.id, effect)));
  }

  restart(): void {
    this.engine = new PolicyEngine(rules);
    this.engine.restore(this.#rows.values());
  }
}

function nameOf(rule: string, effect: Effect): string {
  const facts = effect.kind === "emit" ? effect.facts : (effect as { body: { by: string } }).body;
  return `${rule === "answer" ? "late" : rule} ${String((facts as { by: unknown }).by)}`;
}

/** @returns the mutations of an import */
function importInto(engine: PolicyEngine, imported: NonNullable<Seen["imported"]>, key: string, nowMs: number) {
  const { rule: id, sinceMs: since, untilMs: until } = imported;
  const request =
    id === "dream"
      ? { in_flight: [{ since, until }], fired: [] }
      : { in_flight: [], fired: [{ at: since, until, ...(id === "answer" ? { key } : {}) }] };
  const plan = planStateImport(rules.find((rule) => rule.id === id) as Rule, request, nowMs);
  if ("errors" in plan) throw new Error(JSON.stringify(plan.errors));
  return engine.holdBack(id, plan.marks, "ops").mutations;
}

/** Runs a history with its crashes. @returns the effects, and the signals as a log would have them */
function live(history: readonly Step[]) {
  const disk = new EngineOnDisk();
  const signals: Seen[] = [];
  let atMs = T0;
  let fails = false;
  for (const step of history) {
    if (step.what === "restart") disk.restart();
    else if (step.what === "fail to write") fails = true;
    else {
      if (step.what !== "import") atMs += step.afterMs;
      const nowMs = atMs;
      let evaluate = (engine: PolicyEngine) => engine.advanceClock(nowMs);
      if (step.what === "signal") {
        const seq = signals.length + 1;
        signals.push({ id: `s${seq}`, name: step.name, key: step.key, atMs });
        const signal: Signal = {
          seq,
          id: `s${seq}`,
          signal: step.name,
          source: "t",
          ecosystem: "e",
          facts: { key: step.key },
          timestamp: new Date(atMs).toISOString(),
          received_at: new Date(atMs).toISOString(),
        };
        evaluate = (engine) => engine.evaluate(signal);
      }
      if (step.what === "import") {
        const { rule, agoMs, lastsMs, again } = step;
        const before = signals.findLast(({ imported }) => again && imported?.rule === rule);
        const imported = before?.imported ?? { rule, sinceMs: atMs - agoMs, untilMs: atMs - agoMs + lastsMs };
        const key = before?.key ?? step.key;
        signals.push({ id: "", name: "import", key, atMs, imported });
        evaluate = (engine) => ({
          outcomes: [],
          quarantined: [],
          mutations: importInto(engine, imported, key, nowMs),
        });
      }
      if (fails) disk.run(evaluate, false);
      fails = false;
      disk.run(evaluate);
    }
  }
  return { effects: disk.effects.sort(), signals, endMs: atMs };
}

test("policy engine has the effects of seeing each signal once and in order, over any history of restarts", () => {
  fc.assert(
    fc.property(anyHistory, (history) => {
      const { effects, signals, endMs } = live(history);
      // The engine decides time-outs with the next signal or when the clock advances; the model decides them at the end.
      const last = history.findLast(({ what }) => what === "signal" || what === "wait");
      expect(effects).toEqual(last === undefined ? [] : expectedEffects(signals, endMs));
    }),
    { numRuns: 1_000 },
  );
});

test("policy engine has the effects of seeing each signal once and in order, without restarts", () => {
  const quiet = anyHistory.map((history) =>
    history.filter(({ what }) => what !== "restart" && what !== "fail to write"),
  );
  fc.assert(
    fc.property(quiet, (history) => {
      const { effects, signals, endMs } = live(history);
      expect(effects).toEqual(expectedEffects(signals, endMs));
    }),
    { numRuns: 1_000 },
  );
});
