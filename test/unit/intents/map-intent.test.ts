import { describe, expect, it } from "vitest";
import { IntentsSettings, intentRoutes } from "../../../local-agent/intents/settings.ts";
import { mapIntent } from "../../../src/core/intents/map-intent.ts";
import { admitSignal } from "../../../src/core/signals/admit.ts";

describe("the default intent map", () => {
  it("makes a discovery into a question about the module, with all data of the intent", () => {
    const data = { question: "What is foo?", priority: "high", evidence: ["a", "b"], path: "/opt/foo" };
    expect(mapIntent({ id: "i-1", type: "discover.module.foo", data })).toEqual({
      ok: true,
      signal: "Q_CURIOSITY_INVESTIGATE",
      facts: { ...data, question_id: "i-1", intent_type: "discover.module.foo" },
    });
  });

  it("adds a default question to a discovery without one", () => {
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

  it("prefers the id of the question to the id of the intent", () => {
    const mapped = mapIntent({ id: "i-1", type: "ask", data: { question: "Why?", question_id: "q-9" } });
    expect(mapped).toMatchObject({ facts: { question_id: "q-9" } });
  });

  it("points at every field of the intent that is missing or wrong", () => {
    expect(mapIntent({ type: "ask", data: { priority: "urgent", evidence: [1] } })).toEqual({
      ok: false,
      reason: "the intent lacks facts that its signal needs",
      intentType: "ask",
      errors: [
        { pointer: "/data/question", message: "give data.question" },
        { pointer: "/data/question_id", message: "give data.question_id or id" },
        { pointer: "/data/priority", message: "give one of low, normal, high, critical" },
        { pointer: "/data/evidence", message: "give a list of strings" },
      ],
    });
  });

  it("refuses a discovery without a module name instead of asking about nothing", () => {
    expect(mapIntent({ id: "i", type: "discover.module.", data: {} })).toMatchObject({ ok: false });
  });

  it.each([
    ["discover.module", "Should the module vision become one of our capabilities?"],
    ["reinvestigate", "What has changed about the slow builds?"],
  ])("takes the type %s exactly, as older programs write it", (type, question) => {
    const intent = { id: "intent_1769860800", type, data: { question, priority: "high", evidence: ["path:/m"] } };
    expect(mapIntent(intent)).toEqual({
      ok: true,
      signal: "Q_CURIOSITY_INVESTIGATE",
      facts: { ...intent.data, question_id: "intent_1769860800", intent_type: type },
    });
    expect(mapIntent({ id: "i", type, data: {} })).toMatchObject({
      ok: false,
      errors: [{ pointer: "/data/question", message: "give data.question" }],
    });
  });

  it("lists the known types for an intent of another type", () => {
    expect(mapIntent({ id: "i", type: "launch.rocket", data: {} })).toMatchObject({
      ok: false,
      reason: expect.stringContaining("discover.module, discover.module.*, reinvestigate, reinvestigate.*, question"),
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
  ])("refuses the intent %j with a reason", (intent) => {
    expect(mapIntent(intent)).toMatchObject({ ok: false, reason: expect.any(String) });
  });
});

describe("a configured intent map", () => {
  const map = intentRoutes(
    IntentsSettings.parse({
      default_map: false,
      map: [
        {
          types: "deploy.*",
          signal: "Q_DEPLOY",
          facts: {
            service: "{rest}",
            build: "v{data.version}-{data.tags}",
            version: "{data.version}",
            who: { from: ["data.user", "data.author"], otherwise: "nobody" },
            stage: { from: "data.stage", one_of: ["test", "live"], optional: true },
            rank: 3,
          },
          data: false,
        },
        { types: ["*"], signal: "Q_OTHER" },
      ],
    }),
  );

  it("fills templates, keeps the JSON type of a template that is one path, and drops other data", () => {
    const data = { version: 3, tags: ["a"], author: "me", more: true };
    expect(mapIntent({ type: "deploy.web", data }, map)).toEqual({
      ok: true,
      signal: "Q_DEPLOY",
      facts: { service: "web", build: 'v3-["a"]', version: 3, who: "me", rank: 3 },
    });
    expect(mapIntent({ type: "any.thing", data }, map)).toEqual({ ok: true, signal: "Q_OTHER", facts: data });
  });

  it("points at values that are missing or not allowed", () => {
    expect(mapIntent({ type: "deploy.web", data: { version: 1, stage: "moon" } }, map)).toEqual({
      ok: false,
      reason: "the intent lacks facts that its signal needs",
      intentType: "deploy.web",
      errors: [
        { pointer: "/data/tags", message: "give data.tags" },
        { pointer: "/data/stage", message: "give one of test, live" },
      ],
    });
    expect(mapIntent({ type: "deploy.", data: { version: 1, tags: "x" } }, map)).toMatchObject({ ok: false });
  });

  it("does not read the prototype of an intent's data through a template", () => {
    const odd = intentRoutes(
      IntentsSettings.parse({ map: [{ types: "x", signal: "Q_X", facts: { f: "{data.__proto__.y}" } }] }),
    );
    expect(mapIntent({ type: "x", data: {} }, odd)).toMatchObject({ ok: false });
  });
});
