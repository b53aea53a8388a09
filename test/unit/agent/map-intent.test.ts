import { describe, expect, it } from "vitest";
import { mapIntent } from "../../../src/core/intents/map-intent.ts";
import { admitSignal } from "../../../src/core/signals/admit.ts";

describe("intent map", () => {
  it("makes a question about a module out of a discovery, with everything the intent says", () => {
    const data = { question: "What is foo?", priority: "high", evidence: ["a", "b"], path: "/opt/foo" };
    expect(mapIntent({ id: "i-1", type: "discover.module.foo", data })).toEqual({
      ok: true,
      signal: "Q_CURIOSITY_INVESTIGATE",
      facts: { ...data, question_id: "i-1", intent_type: "discover.module.foo" },
    });
  });

  it("asks a question of its own about a module that comes without one", () => {
    const mapped = mapIntent({ id: "i-1", type: "discover.module.foo.bar", data: {} });
    expect(mapped).toMatchObject({ ok: true, facts: { priority: "normal", evidence: [] } });
    expect(mapped.ok && mapped.facts.question).toContain("foo.bar");
  });

  it.each([
    "question",
    "question.x",
    "team.question",
    "generic",
    "generic.x",
    "curiosity.x",
    "investigate.x",
    "ask",
    "ask.x",
    "reinvestigate.x",
    "discover.module.x",
  ])("routes the type %s to a signal that the edge admits", (type) => {
    const mapped = mapIntent({ id: 7, type, data: { question: "Why?", evidence: "one" } });
    expect(mapped).toMatchObject({ ok: true, facts: { question: "Why?", question_id: "7", evidence: ["one"] } });
    if (mapped.ok) expect(admitSignal({ signal: mapped.signal, source: "s", facts: mapped.facts }).ok).toBe(true);
  });

  it("prefers the question's own id to that of the intent", () => {
    const mapped = mapIntent({ id: "i-1", type: "ask", data: { question: "Why?", question_id: "q-9" } });
    expect(mapped).toMatchObject({ facts: { question_id: "q-9" } });
  });

  it("names every field that is missing or wrong, by its place in the intent", () => {
    expect(mapIntent({ type: "ask", data: { priority: "urgent", evidence: [1] } })).toEqual({
      ok: false,
      reason: "the intent lacks what its signal needs",
      intentType: "ask",
      errors: [
        { pointer: "/data/question", message: "give data.question" },
        { pointer: "/data/question_id", message: "give data.question_id or id" },
        { pointer: "/data/priority", message: "give one of low, normal, high, critical" },
        { pointer: "/data/evidence", message: "give a list of texts" },
      ],
    });
  });

  it("does not invent a question about nothing", () => {
    expect(mapIntent({ id: "i", type: "discover.module.", data: {} })).toMatchObject({ ok: false });
  });

  it("names the known types when none matches", () => {
    expect(mapIntent({ id: "i", type: "launch.rocket", data: {} })).toMatchObject({
      ok: false,
      reason: expect.stringContaining("discover.module.*, reinvestigate.*, question"),
      intentType: "launch.rocket",
    });
  });

  it.each([
    [null],
    [[]],
    ["text"],
    [7],
    [{}],
    [{ type: 7 }],
    [{ type: "ask", data: [] }],
    [{ type: "ask", id: "__proto__" }],
  ])("refuses %j with a reason", (intent) => {
    expect(mapIntent(intent)).toMatchObject({ ok: false, reason: expect.any(String) });
  });
});
