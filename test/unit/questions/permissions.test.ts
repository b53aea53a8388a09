import { describe, expect, it } from "vitest";
import {
  advance,
  answer,
  type Changed,
  cancel,
  newQuestion,
  type QuestionEvent,
} from "../../../src/core/questions/machine.ts";
import { admitPermission } from "../../../src/core/questions/permission.ts";
import { questionSignal } from "../../../src/core/questions/question-signal.ts";
import { admitQuestion, type QuestionTerms } from "../../../src/core/questions/settings.ts";
import { type Actor, QuestionState, WAYS } from "../../../src/core/questions/state.ts";
import { questionView } from "../../../src/core/questions/view.ts";
import { knownSignal } from "../../../src/core/signals/known-signals.ts";
import fc from "../../fast-check.ts";

const START = Date.UTC(2026, 0, 1);
const LIFE = 600_000;
const session: Actor = { name: "claude", id: "t1", way: "token" };
const ada: Actor = { name: "ada", id: "t2", way: "token" };
const input = { tool_name: "Bash", description: "Publish", input_preview: "npm publish", recipient: "ops" };

function admitted(more: object = {}): QuestionTerms {
  const admission = admitPermission({ ...input, ...more }, START);
  if (!admission.ok) throw new Error(JSON.stringify(admission.errors));
  return admission.terms;
}
const refused = (more: object) => {
  const admission = admitPermission({ ...input, ...more }, START);
  return admission.ok ? [] : admission.errors.map(({ pointer }) => pointer);
};
const asked = () => newQuestion(admitted(), session, START).state;

describe("a request of permission", () => {
  it("is a question with the answers allow and deny, for ten minutes, to which silence is no answer", () => {
    expect(admitted()).toMatchObject({
      options: ["allow", "deny"],
      expiresMs: START + LIFE,
      onTimeout: null,
      remindMs: null,
    });
  });

  it("keeps the beginning of the input, without secrets", () => {
    const { permission } = admitted({ input_preview: `API_KEY=${"abc123"}def ${"x".repeat(5_000)}` });
    expect(permission?.preview).toMatch(/^API_KEY=\[hidden\] x+…$/);
    expect(permission?.preview).toHaveLength(1_000);
  });

  it("names each field that is wrong, and lasts a day at most", () => {
    expect(refused({ tool_name: "" })).toEqual(["/tool_name"]);
    expect(refused({ recipient: "a b" })).toEqual(["/recipient"]);
    expect(refused({ expires: "25h" })).toEqual(["/expires"]);
    expect(refused({ input_preview: "x".repeat(16_385) })).toEqual(["/input_preview"]);
    expect(refused({ on_timeout: "allow" })).toEqual(["/on_timeout"]);
  });

  it("is over by a token that may permit and has not asked, by its expiry, or taken back, and by nothing else, whatever happens", () => {
    const step = fc.oneof(
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("pass" as const),
          ms: fc.constantFrom(-1_000, 1, 200_000, LIFE - 1, LIFE),
        }),
      },
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant("answer" as const),
          by: fc.record({
            name: fc.constantFrom("claude", "ada"),
            id: fc.constantFrom("t1", "t2", "s1"),
            way: fc.constantFrom(...WAYS),
          }),
          answer: fc.constantFrom("allow", "deny", "yes"),
          key: fc.constantFrom(null, "k"),
          permits: fc.boolean(),
          lost: fc.boolean(),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let nowMs = START;
        let stored = asked();
        const told: QuestionEvent[] = [];
        let over: { state: string; answer: string | null } | undefined;
        const store = ({ state, events }: Changed) => {
          stored = QuestionState.parse(JSON.parse(JSON.stringify(state)));
          told.push(...events);
        };
        const expire = () => {
          if (nowMs >= START + LIFE) over ??= { state: "expired", answer: null };
        };
        for (const one of steps) {
          if (one.do === "pass") nowMs = Math.max(START, nowMs + one.ms);
          else if (one.do === "cancel") {
            expire();
            store(cancel(stored, session, nowMs));
            over ??= { state: "cancelled", answer: null };
          } else {
            const { by, key, permits } = one;
            const outcome = answer(
              stored,
              { answer: one.answer, comment: null, by, key, ...(permits ? { permits: true as const } : {}) },
              nowMs,
            );
            if (one.lost) continue;
            expire();
            store(outcome);
            const may = permits && by.id !== session.id && one.answer !== "yes";
            if (over === undefined && may) over = { state: "answered", answer: one.answer };
            if (!permits) expect(outcome.refused).toBe("kind");
            else if (by.id === session.id) expect(outcome.refused).toBe("asker");
          }
          const shown = { state: stored.state, answer: stored.answer };
          // What is due and was not looked at is open still.
          expect(shown).toEqual(over ?? { state: "open", answer: null });
        }
        expect(told).toEqual(over === undefined ? [] : [over.state]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is answered neither by the call for other questions nor by its time, and no other question by its call", () => {
    const given = { answer: "allow", comment: null, by: ada, key: null };
    expect(answer(asked(), given, START)).toMatchObject({ refused: "kind", state: { state: "open" } });
    expect(advance(asked(), START + LIFE).state).toMatchObject({ state: "expired", answer: null });
    const plain = admitQuestion({ question: "Go?", recipient: "ops", options: ["allow", "deny"] }, START);
    if (!plain.ok) throw new Error("refused");
    const question = newQuestion(plain.terms, session, START).state;
    expect(answer(question, { ...given, permits: true }, START)).toMatchObject({
      refused: "kind",
      state: { state: "open" },
    });
  });

  it("is told of by signals of its own, with who decided, and with the input in the first alone", () => {
    const state = { ...asked(), signal: "s1" };
    const done = answer(state, { answer: "deny", comment: "no", by: ada, key: null, permits: true }, START + 1).state;
    for (const event of ["asked", "answered", "expired", "cancelled"] as const) {
      const { signal, facts } = questionSignal("p1", event, event === "answered" ? done : state);
      expect(signal).toBe(`Q_PERMISSION_${event.toUpperCase()}`);
      expect(knownSignal(signal)?.facts.safeParse(facts).success, signal).toBe(true);
      expect("input_preview" in facts, signal).toBe(event === "asked");
    }
    const { facts, cause } = questionSignal("p1", "answered", done);
    expect(facts).toMatchObject({
      permission_id: "p1",
      tool: "Bash",
      behavior: "deny",
      answered_by: "ada",
      answered_by_id: "t2",
      way: "token",
    });
    expect(cause).toBe("s1");
  });

  it("is none of a stored question of an earlier version", () => {
    const { permission: _, ...earlier } = asked();
    const read = QuestionState.parse(earlier);
    expect(read.permission).toBeNull();
    expect("permission" in questionView("q", read)).toBe(false);
  });
});
