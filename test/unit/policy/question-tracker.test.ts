import { describe, expect, test } from "vitest";
import type { Answer } from "../../../src/core/models/question.ts";
import { type OpenQuestion, QuestionTracker, type SettledQuestion } from "../../../src/core/policy/question-tracker.ts";
import fc from "../../fast-check.ts";

type Effect = string;
type Open = OpenQuestion<Effect>;
const CHOICES = ["yes", "no", "constructor"];
const T0 = 1_000_000;

const anOpen = (id: string, deadlineMs: number): Open => ({
  question: { id, model: "m", prompt: "p", choices: CHOICES.map((name) => ({ name })), timeoutMs: 1_000 },
  fallback: "no",
  effects: Object.fromEntries(CHOICES.map((choice) => [choice, [`${id}:${choice}`]])),
  deadlineMs,
});
const answerOf = (choice: string | null): Answer => ({
  choice,
  ...(choice === null ? { failure: "nonsense" as const } : {}),
  cost_usd: 0,
  tokens_in: 0,
  tokens_out: 0,
  duration_ms: 1,
});

/** A store with the open questions and the emitted effects. A crash loses what was not written in one transaction. */
class FakeStore {
  stored = new Map<string, Open>();
  emitted: Effect[] = [];
  tracker = new QuestionTracker<Effect>();

  ask(open: Open): void {
    this.stored.set(open.question.id, open);
    this.tracker.ask(open);
  }

  write(settled: readonly (SettledQuestion<Effect, Open> | undefined)[], crash: boolean): void {
    if (crash) return this.restart();
    for (const one of settled) {
      if (one === undefined) continue;
      this.stored.delete(one.open.question.id);
      this.emitted.push(...one.effects);
    }
  }

  restart(): void {
    this.tracker = new QuestionTracker<Effect>();
    this.tracker.restore(this.stored.values());
  }
}

describe("question tracker", () => {
  test("settles each question once, by a choice or the fallback, over any history of answers, deadlines and crashes", () => {
    const id = fc.constantFrom("a", "b", "c");
    const step = fc.oneof(
      fc.record({ kind: fc.constant("ask" as const), id, waitMs: fc.constantFrom(1, 1_000, 1_001) }),
      fc.record({
        kind: fc.constant("answer" as const),
        id,
        choice: fc.constantFrom("yes", "no", "constructor", "toString", "drop table", null),
        crash: fc.boolean(),
      }),
      fc.record({ kind: fc.constant("alarm" as const), crash: fc.boolean() }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 999, 1_000) }),
      fc.record({ kind: fc.constant("restart" as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (history) => {
        const store = new FakeStore();
        const expected = new Map<string, { deadlineMs: number; outcome: string | undefined }>();
        let nowMs = T0;
        for (const event of history) {
          const known = "id" in event ? expected.get(event.id) : undefined;
          switch (event.kind) {
            case "ask":
              if (known !== undefined) break;
              store.ask(anOpen(event.id, nowMs + event.waitMs));
              expected.set(event.id, { deadlineMs: nowMs + event.waitMs, outcome: undefined });
              break;
            case "answer":
              store.write([store.tracker.answer(event.id, answerOf(event.choice), nowMs)], event.crash);
              if (known === undefined || known.outcome !== undefined || event.crash) break;
              known.outcome =
                nowMs < known.deadlineMs && event.choice !== null && CHOICES.includes(event.choice)
                  ? event.choice
                  : "no";
              break;
            case "alarm":
              store.write(store.tracker.expire(nowMs), event.crash);
              if (event.crash) break;
              for (const one of expected.values()) if (nowMs >= one.deadlineMs) one.outcome ??= "no";
              break;
            case "wait":
              nowMs += event.ms;
              break;
            case "restart":
              store.restart();
          }
          const open = [...expected.values()].filter(({ outcome }) => outcome === undefined);
          expect(store.tracker.open.length).toBe(open.length);
          expect(store.tracker.nextDeadlineMs).toBe(
            open.length === 0 ? undefined : Math.min(...open.map(({ deadlineMs }) => deadlineMs)),
          );
        }
        nowMs += 10_000;
        store.write(store.tracker.expire(nowMs), false);
        expect(store.emitted.sort()).toEqual(
          [...expected].map(([name, one]) => `${name}:${one.outcome ?? "no"}`).sort(),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test("says why the fallback was taken", () => {
    const tracker = new QuestionTracker<Effect>();
    tracker.restore([anOpen("a", T0), anOpen("b", T0 + 1), anOpen("c", T0 + 1)]);
    expect(tracker.answer("a", answerOf("yes"), T0)).toMatchObject({
      state: "fallback",
      why: "deadline",
      choice: "no",
    });
    const off = { ...answerOf(null), failure: "off" as const };
    expect(tracker.answer("b", off, T0)).toMatchObject({ state: "fallback", why: "off", answer: off });
    expect(tracker.answer("b", answerOf("yes"), T0)).toBeUndefined();
    expect(tracker.expire(T0 + 1)).toMatchObject([{ state: "fallback", why: "deadline", effects: ["c:no"] }]);
  });
});
