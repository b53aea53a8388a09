import { describe, expect, it } from "vitest";
import {
  type AnswerOutcome,
  advance,
  answer,
  type Changed,
  cancel,
  dueMs,
  newQuestion,
  type QuestionEvent,
} from "../../../src/core/questions/machine.ts";
import { questionSignal } from "../../../src/core/questions/question-signal.ts";
import type { QuestionTerms } from "../../../src/core/questions/settings.ts";
import { type Actor, QuestionState } from "../../../src/core/questions/state.ts";
import { knownSignal } from "../../../src/core/signals/known-signals.ts";
import fc from "../../fast-check.ts";

const START = Date.UTC(2026, 0, 1);
const asker: Actor = { name: "coder", id: "t1", way: "token" };
const people: readonly Actor[] = [
  { name: "ada", id: "t2", way: "token" },
  { name: "bo", id: "s1", way: "session" },
  { name: "ops-chat", id: "message 1", way: "link" },
  { name: "small-sums", id: "r", way: "rule" },
];
const LIFE = 10_000;

/** A question with a clock, whose changes are stored with their events, or lost with them. */
class World {
  nowMs = START;
  stored: QuestionState;
  readonly told: QuestionEvent[] = [];

  constructor(terms: QuestionTerms) {
    const asked = newQuestion(terms, asker, START);
    this.stored = asked.state;
    this.told.push(...asked.events);
  }

  /** @param lost - a crash before the change was stored */
  do<Outcome extends Changed>(outcome: Outcome, lost: boolean): Outcome | undefined {
    if (lost) return undefined;
    this.stored = QuestionState.parse(JSON.parse(JSON.stringify(outcome.state)));
    this.told.push(...outcome.events);
    return outcome;
  }
}

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      ms: fc.constantFrom(-2_000, 1, 999, 1_000, 2_500, 9_999, LIFE),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("answer" as const),
      by: fc.constantFrom(...people),
      answer: fc.constantFrom("yes", "no", "perhaps"),
      key: fc.constantFrom(null, "k1", "k2"),
      lost: fc.boolean(),
      again: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("alarm" as const), lost: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), lost: fc.boolean() }) },
);

const terms = fc
  .record({
    options: fc.constantFrom<readonly string[] | null>(null, ["yes", "no"]),
    onTimeout: fc.constantFrom(null, "no"),
    remindMs: fc.constantFrom(null, 1_000, 3_000),
    escalateAtMs: fc.constantFrom(null, START + 1_000, START + 5_000),
  })
  .map(
    (given): QuestionTerms => ({
      question: "Deploy?",
      recipient: "ops",
      contextJson: null,
      expiresMs: START + LIFE,
      escalateTo: given.escalateAtMs === null ? null : "boss",
      cause: null,
      permission: null,
      ...given,
    }),
  );

const ENDS: readonly QuestionEvent[] = ["answered", "expired", "cancelled"];

describe("a question, whatever happens to it", () => {
  it("is over once, by the first that counts, and stays so, over crashes, clocks that are set back and requests that come again", () => {
    fc.assert(
      fc.property(terms, fc.array(step, { maxLength: 40 }), (given, steps) => {
        const world = new World(given);
        // As obvious as it can be: what it became, when, and by whom.
        let over: { state: string; answer: string | null; by: string | null; key: string | null } | undefined;
        const timedOut = () => {
          if (over !== undefined || world.nowMs < given.expiresMs) return;
          const silence = given.onTimeout;
          over = {
            state: silence === null ? "expired" : "answered",
            answer: silence,
            by: silence === null ? null : "timeout",
            key: null,
          };
        };
        const tryAnswer = (by: Actor, text: string, key: string | null, lost: boolean): void => {
          const before = over;
          const outcome = world.do<AnswerOutcome>(
            answer(world.stored, { answer: text, comment: null, by, key }, world.nowMs),
            lost,
          );
          if (outcome === undefined) return;
          timedOut();
          if (over !== undefined) {
            const same =
              before !== undefined &&
              over.state === "answered" &&
              key !== null &&
              key === over.key &&
              text === over.answer;
            expect(outcome.refused).toBe(same ? undefined : over.state);
          } else if (given.options?.includes(text) === false) expect(outcome.refused).toBe("option");
          else {
            expect(outcome.refused).toBeUndefined();
            over = { state: "answered", answer: text, by: by.name, key };
          }
        };
        for (const one of steps) {
          switch (one.do) {
            case "pass":
              world.nowMs = Math.max(START, world.nowMs + one.ms);
              break;
            case "alarm": {
              const done = world.do(advance(world.stored, world.nowMs), one.lost);
              if (done !== undefined) timedOut();
              break;
            }
            case "cancel": {
              const done = world.do(cancel(world.stored, asker, world.nowMs), one.lost);
              if (done === undefined) break;
              timedOut();
              over ??= { state: "cancelled", answer: null, by: asker.name, key: null };
              break;
            }
            case "answer":
              tryAnswer(one.by, one.answer, one.key, one.lost);
              if (one.again) tryAnswer(one.by, one.answer, one.key, false);
          }
          const { state, closedBy, answer: text } = world.stored;
          expect({ state, text, by: closedBy?.name ?? null }).toEqual(
            over === undefined
              ? { state: "open", text: null, by: null }
              : { state: over.state, text: over.answer, by: over.by },
          );
          expect(world.told.filter((event) => ENDS.includes(event))).toEqual(over === undefined ? [] : [over.state]);
          expect(world.told.filter((event) => event === "escalated").length).toBeLessThanOrEqual(1);
          // An alarm at the due time has something to do, and none is due when it is over.
          const due = dueMs(world.stored);
          if (over !== undefined) expect(due).toBeUndefined();
          else expect(advance(world.stored, due ?? 0).events).not.toEqual([]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("tells of each event by a signal whose facts are those of its name", () => {
    const asked = newQuestion(
      {
        question: "Go?",
        recipient: "ops",
        options: ["a"],
        contextJson: '{"x":1}',
        expiresMs: START + LIFE,
        onTimeout: null,
        remindMs: 1_000,
        escalateTo: "boss",
        escalateAtMs: START + 1,
        cause: "c1",
        permission: null,
      },
      asker,
      START,
    );
    const state = { ...asked.state, signal: "s1" };
    const ended = answer(
      state,
      { answer: "a", comment: "fine", by: people[0] ?? asker, key: null },
      START + 2_000,
    ).state;
    const events: readonly QuestionEvent[] = ["asked", "reminded", "escalated", "answered", "expired", "cancelled"];
    for (const event of events) {
      const { signal, facts, cause } = questionSignal("q1", event, event === "answered" ? ended : state);
      expect(knownSignal(signal)?.facts.safeParse(facts).success, signal).toBe(true);
      expect(cause).toBe(event === "asked" ? "c1" : "s1");
    }
    expect(questionSignal("q1", "answered", ended).facts).toMatchObject({
      answer: "a",
      answered_by: "ada",
      way: "token",
      comment: "fine",
    });
  });

  it("reminds ever again, of what was missed once, and nobody of what has expired", () => {
    const { state } = newQuestion(
      {
        question: "Go?",
        recipient: "ops",
        options: null,
        contextJson: null,
        expiresMs: START + LIFE,
        onTimeout: null,
        remindMs: 1_000,
        escalateTo: null,
        escalateAtMs: null,
        cause: null,
        permission: null,
      },
      asker,
      START,
    );
    expect(advance(state, START + 999).events).toEqual([]);
    const late = advance(state, START + 5_500);
    expect([late.events, late.state.reminders, dueMs(late.state)]).toEqual([["reminded"], 1, START + 6_500]);
    expect(advance(state, START + LIFE).events).toEqual(["expired"]);
  });
});
