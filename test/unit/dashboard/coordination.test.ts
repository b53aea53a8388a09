import { describe, expect, test } from "vitest";
import { allows } from "../../../dashboard/base/allows.ts";
import { parkedOf, usesOf } from "../../../dashboard/coordination/limit-use.ts";
import { readObject } from "../../../dashboard/parts/json-object.ts";
import type { Scope } from "../../../src/core/access/scopes.ts";
import type { Limit } from "../../../src/core/limits/api.ts";
import type { TaskView } from "../../../src/core/queue/api.ts";

const limit = (change: Partial<Limit>): Limit => ({
  name: "anthropic",
  zone: "UTC",
  reservation_seconds: 600,
  ramp_seconds: 60,
  when_away: "open",
  state: "open",
  closed_until: null,
  reason: null,
  used: { requests: 0, input_tokens: 0, output_tokens: 0 },
  held: 0,
  shares: [],
  spent_usd: 0,
  held_usd: 0,
  created_at: "2026-01-31T12:00:00.000Z",
  changed_at: "2026-01-31T12:00:00.000Z",
  ...change,
});

describe("what is used of a limit", () => {
  test("stands against what is allowed, dollars with those that are reserved", () => {
    const used = { requests: 12, input_tokens: 0, output_tokens: 0 };
    expect(usesOf(limit({ requests_per_minute: 50, usd_per_day: 20, used, spent_usd: 4, held_usd: 1 }))).toEqual([
      { what: "requests a minute", text: "12 of 50", share: 0.24 },
      { what: "today", text: "$5.00 of $20.00", share: 0.25 },
    ]);
  });

  test("is shown without a share where nothing is allowed or forbidden, and not at all where it is nothing", () => {
    expect(usesOf(limit({ held: 3 }))).toEqual([{ what: "at a time", text: "3", share: undefined }]);
    expect(usesOf(limit({}))).toEqual([]);
  });

  test("is never more than the whole, also where settlements used more than was reserved", () => {
    expect(usesOf(limit({ usd_per_day: 1, spent_usd: 7 }))[0]?.share).toBe(1);
  });
});

test("parked tasks are those that say why, the first to be given out again first", () => {
  const task = (task_id: string, change: Partial<TaskView>) => ({ task_id, ...change }) as TaskView;
  const why = { parked_reason: "the limit anthropic is closed: used up" };
  const found = parkedOf([
    ["a", [task("later", { ...why, parked_until: "2026-01-31T18:00:00.000Z" }), task("runs", {})]],
    ["b", [task("sooner", { ...why, parked_until: "2026-01-31T17:00:00.000Z" })]],
  ]);
  expect(found.map(({ queue, task: { task_id } }) => `${queue}/${task_id}`)).toEqual(["b/sooner", "a/later"]);
});

test.each<[readonly Scope[], boolean]>([
  [["tasks:work"], true],
  [["admin"], true],
  [["tasks:read", "policy:write"], false],
])("a session of a token with %j is offered what takes tasks:work: %s", (scopes, offered) => {
  expect(allows(scopes, "tasks:work")).toBe(offered);
});

test.each(["7", "null", "[1]", '"text"', "{"])(
  "what is typed as a JSON object, and is none, is refused: %s",
  (text) => {
    expect(() => readObject(text)).toThrow();
    expect(readObject('{"a": [1]}')).toEqual({ a: [1] });
  },
);
