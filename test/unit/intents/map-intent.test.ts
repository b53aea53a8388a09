import { describe, expect, it } from "vitest";
import { IntentsSettings, intentRoutes } from "../../../local-agent/intents/settings.ts";
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

describe("a map of one's own", () => {
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

  it("fills templates, keeps the kind of a value that stands alone, and leaves the rest behind", () => {
    const data = { version: 3, tags: ["a"], author: "me", more: true };
    expect(mapIntent({ type: "deploy.web", data }, map)).toEqual({
      ok: true,
      signal: "Q_DEPLOY",
      facts: { service: "web", build: 'v3-["a"]', version: 3, who: "me", rank: 3 },
    });
    expect(mapIntent({ type: "any.thing", data }, map)).toEqual({ ok: true, signal: "Q_OTHER", facts: data });
  });

  it("says what is missing or not allowed, and where", () => {
    expect(mapIntent({ type: "deploy.web", data: { version: 1, stage: "moon" } }, map)).toEqual({
      ok: false,
      reason: "the intent lacks what its signal needs",
      intentType: "deploy.web",
      errors: [
        { pointer: "/data/tags", message: "give data.tags" },
        { pointer: "/data/stage", message: "give one of test, live" },
      ],
    });
    expect(mapIntent({ type: "deploy.", data: { version: 1, tags: "x" } }, map)).toMatchObject({ ok: false });
  });

  it("does not reach into what a template must not see", () => {
    const odd = intentRoutes(
      IntentsSettings.parse({ map: [{ types: "x", signal: "Q_X", facts: { f: "{data.__proto__.y}" } }] }),
    );
    expect(mapIntent({ type: "x", data: {} }, odd)).toMatchObject({ ok: false });
  });
});
