import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readOlderState } from "../../../cli/commands/import/older-state/read.ts";
import { timeOf } from "../../../cli/commands/import/older-state/values.ts";
import type { Policy } from "../../../src/core/policy/api.ts";
import { BUILT_IN_RULES } from "../../../src/core/policy/built-in-rules.ts";
import { StateImport } from "../../../src/core/policy/state-import.ts";
import { startEdge } from "../cli/fake-edge.ts";
import { ganglion } from "../cli/ganglion.ts";
import { aRule } from "../policy/a-signal.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

const policyOf = (rule: (typeof BUILT_IN_RULES)[number]): Policy => ({
  ...rule,
  built_in: true,
  modified: false,
  changed_at: "2026-01-01T00:00:00.000Z",
  changed_by: null,
});
const RULES = [
  ...BUILT_IN_RULES,
  aRule({ id: "hot-gpu", when: "Q_HEALTH_ALERT", cooldown: "1h", then: [{ emit: { signal: "Q_GPU_HOT" } }] }),
  aRule({ id: "per-incident", when: "Q_X", once_per: { by: "facts.incident_id", within: "1d" } }),
].map(policyOf);

const SAVED = 1_790_000_000;
const T = SAVED - 600;
const iso = (seconds: number) => new Date(seconds * 1_000).toISOString();

/** Fields with the rule that takes them, the time, and the key or why not. */
function read(text: string, saved = SAVED) {
  const { fields } = readOlderState(parse(text), RULES, saved * 1_000);
  return fields.map(({ field, rule, mark, reason }) => {
    if (mark === undefined) return [field, rule, reason];
    const { kind, key, sinceMs, untilMs } = mark;
    const until = untilMs === undefined ? [] : [`until ${untilMs / 1_000}`];
    return [field, rule, [kind, ...(key === undefined ? [] : [key]), sinceMs / 1_000, ...until].join(" ")];
  });
}
const DREAM = "promotions-to-dream";
const GAP = "gap-to-investigation";

describe("the state of an older policy daemon", () => {
  it.each([
    [`{"dream_in_flight": true}`, "dream_in_flight", `in_flight ${SAVED}`],
    [`{"dream_in_flight": true, "dream_in_flight_since": ${T}}`, "dream_in_flight", `in_flight ${T}`],
    [`{"dream_in_flight": true, "last_dream_trigger": ${T * 1_000}}`, "dream_in_flight", `in_flight ${T}`],
    [`{"dream_in_flight": {"since": "${iso(T)}"}}`, "dream_in_flight.since", `in_flight ${T}`],
    [`{"isDreaming": true}`, "isDreaming", `in_flight ${SAVED}`],
    [`{"in_flight": "dream"}`, "in_flight", `in_flight ${SAVED}`],
    [`{"in_flight": ["dream"]}`, "in_flight[0]", `in_flight ${SAVED}`],
    [`{"in_flight": [{"name": "dream", "since": ${T}}]}`, "in_flight[0]", `in_flight ${T}`],
    [`{"in_flight": {"dream": {"since": ${T}}}}`, "in_flight.dream", `in_flight ${T}`],
    [`{"in_flight": {"Q_DREAM_TRIGGER": ${T}}}`, "in_flight.Q_DREAM_TRIGGER", `in_flight ${T}`],
    [`{"in_flight": {"promotions-to-dream": true}}`, "in_flight.promotions-to-dream", `in_flight ${SAVED}`],
    [`{"dream_cycle": {"active": true, "started_at": ${T}}}`, "dream_cycle.active", `in_flight ${T}`],
    [`{"dream_state": {"status": "running", "start_time": "${T}.0"}}`, "dream_state.status", `in_flight ${T}`],
    [`{"active_dream": "cycle-17", "saved_at": ${T}}`, "active_dream", `in_flight ${T}`],
    [`{"policy": {"dream": {"in_flight": true, "since": ${T}}}}`, "policy.dream.in_flight", `in_flight ${T}`],
    [`last_dream_trigger: ${T}`, "last_dream_trigger", `in_flight ${T}`],
    [`last_triggered: {Q_DREAM_TRIGGER: ${T}}`, "last_triggered.Q_DREAM_TRIGGER", `in_flight ${T}`],
    [`last_triggered: {promotions-to-dream: {at: ${T}}}`, "last_triggered.promotions-to-dream", `in_flight ${T}`],
    [
      `cooldowns: {Q_DREAM_TRIGGER: ${SAVED + 60}}`,
      "cooldowns.Q_DREAM_TRIGGER",
      `in_flight ${SAVED} until ${SAVED + 60}`,
    ],
    [`dream_cooldown_until: ${SAVED + 60}`, "dream_cooldown_until", `in_flight ${SAVED} until ${SAVED + 60}`],
  ])("holds the rule of dreams back: %s", (text, field, mark) => {
    expect(read(text).find(([name]) => name === field)).toEqual([field, DREAM, mark]);
  });

  it.each([
    [`investigated: [cpu_gap]`, "investigated[0]", `in_flight cpu_gap ${SAVED}`],
    [`seen_gaps: {cpu_gap: ${T}}`, "seen_gaps.cpu_gap", `in_flight cpu_gap ${T}`],
    [`gaps_seen: [{gap_name: cpu_gap, at: ${T}}]`, "gaps_seen[0]", `in_flight cpu_gap ${T}`],
    [
      `investigated_gaps: {cpu_gap: {timestamp: "${iso(T)}", count: 3}}`,
      "investigated_gaps.cpu_gap",
      `in_flight cpu_gap ${T}`,
    ],
    [`active_investigations: {cpu_gap: ${T}}`, "active_investigations.cpu_gap", `in_flight cpu_gap ${T}`],
    [`in_flight: {investigations: [cpu_gap]}`, "in_flight.investigations[0]", `in_flight cpu_gap ${SAVED}`],
  ])("is no second question about a gap: %s", (text, field, mark) => {
    expect(read(text)).toEqual([[field, GAP, mark]]);
  });

  it.each([
    [`last_triggered: {hot-gpu: ${T}}`, [["last_triggered.hot-gpu", "hot-gpu", `fired ${T}`]]],
    [`last_triggered: {Q_GPU_HOT: ${T}}`, [["last_triggered.Q_GPU_HOT", "hot-gpu", `fired ${T}`]]],
    [
      `cooldowns: {hot-gpu: ${SAVED + 60}}`,
      [["cooldowns.hot-gpu", "hot-gpu", `fired ${SAVED - 3_540} until ${SAVED + 60}`]],
    ],
    [
      `cooldowns: {hot-gpu: ${SAVED + 7_200}}`,
      [["cooldowns.hot-gpu", "hot-gpu", `fired ${SAVED} until ${SAVED + 7_200}`]],
    ],
    [`processed_incidents: [i-1]`, [["processed_incidents[0]", "per-incident", `fired i-1 ${SAVED}`]]],
  ])("is what rules of one's own keep: %s", (text, rows) => {
    expect(read(text)).toEqual(rows);
  });

  it.each([
    [`dream_in_flight: false`, "nothing holds the rule back"],
    [`in_flight: {dream: false}`, "nothing holds the rule back"],
    [`dream_status: idle`, "nothing holds the rule back"],
    [`current_dream: null`, "nothing holds the rule back"],
    [`in_flight: []`, "names no rule"],
    [`last_dream_trigger: null`, "nothing to take over"],
    [`last_dream_trigger: 123.4`, "no time of day"],
    [`last_dream_trigger: soon`, "no time: seconds"],
    [`last_triggered: {Q_ODD: ${T}}`, "no rule here is called Q_ODD"],
    [`last_promotion_check: ${T}`, "no rule here is called promotion_check"],
    [`active_gaps: [cpu_gap]`, "no rule here is called"],
    [`in_flight: true`, "names no rule"],
    [`in_flight: [odd]`, "no rule here is called odd"],
    [`cooldowns: {hot-gpu: ${T}}`, "it was over when the file was saved"],
    [`cooldowns: {hot-gpu: 3600}`, "a length of time"],
    [`cooldowns: {host-down: ${SAVED + 60}}`, "the rule has no cooldown; give it one"],
    [`last_triggered: {host-down: ${T}}`, "neither cooldown nor while_in_flight"],
    [`last_triggered: {gap-to-investigation: ${T}}`, "keeps apart by facts.gap_name"],
    [`in_flight: [hot-gpu]`, "the rule has no while_in_flight"],
    [`acknowledged_promotions: [p.json]`, "move it into acknowledged/"],
    [`asked_questions: [q-1]`, "no rule here keeps questions apart (by facts.question_id)"],
    [`processed: [a]`, "does not say what they are"],
    [`seen_gaps: []`, "there are none"],
    [`last_dream_complete: ${T}`, "what has ended holds no rule back"],
    [`trigger_count: 7`, "neither says what is in flight"],
    [`version: 2`, "nothing to take over"],
    [`a: {b: {c: {d: 1}}}`, "nested more deeply"],
  ])("says of everything else why it is not taken over: %s", (text, reason) => {
    const rows = read(text);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.[2]).toContain(reason);
  });

  it("knows from one field that what another says is over", () => {
    expect(read(`{last_dream_trigger: ${T}, last_dream_complete: ${T + 1}}`)[0]?.[2]).toContain("it ended at");
    expect(read(`{last_dream_trigger: ${T}, last_dream_complete: ${T - 1}}`)[0]?.[2]).toBe(`in_flight ${T}`);
    expect(read(`{last_dream_trigger: ${T}, dream_in_flight: false}`)[0]?.[2]).toContain(
      "nothing is in flight any more",
    );
  });

  it.each([
    [T, T],
    [T * 1_000, T],
    [T * 1e6, T],
    [`${T}.25`, T + 0.25],
    [iso(T), T],
    [iso(T).replace("T", " ").replace("Z", "000"), T],
    [12_345.6, undefined],
    [true, undefined],
    ["", undefined],
  ])("has times in seconds, milliseconds or RFC 3339: %s", (value, seconds) => {
    expect(timeOf(value)).toBe(seconds === undefined ? undefined : seconds * 1_000);
  });

  it("is an object", () => {
    for (const text of ["[]", "7", ""]) expect(() => read(text)).toThrow("one object");
  });
});

describe("ganglion import policy-state", () => {
  const seconds = () => Math.round(Date.now() / 1_000);
  async function anEdge() {
    const marks: unknown[] = [];
    const edge = await startEdge(({ method, url, body }) => {
      if (method === "GET") return [200, { policies: RULES }];
      const { in_flight } = StateImport.parse(body);
      marks.push(body);
      const policy = url.pathname.split("/").at(-2);
      const unchanged = in_flight.length > 1 ? ["/in_flight/1"] : [];
      const ignored = policy === GAP ? [{ pointer: "/in_flight/0", message: "ended" }] : [];
      return [200, { policy, in_flight: 1, fired: 0, unchanged, ignored, held_until: null }];
    });
    return { env: { GANGLION_URL: edge.url }, edge, marks };
  }
  function aFile(text: string) {
    const file = join(temporaryDirectory(), "policy_state.json");
    writeFileSync(file, text);
    return file;
  }

  it("shows every field, and changes nothing in a dry run", async () => {
    const { env, edge, marks } = await anEdge();
    const file = aFile(JSON.stringify({ dream_in_flight: true, last_dream_trigger: seconds() - 60, odd: 1 }));
    const { code, out, err } = await ganglion(["import", "policy-state", file, "--dry-run"], { env });
    expect(out.split("\n")).toMatchObject([
      expect.stringMatching(/^FIELD +MEANS +RULE +HERE/),
      expect.stringMatching(/^dream_in_flight +in flight +promotions-to-dream +would be held back until 20/),
      expect.stringMatching(/^last_dream_trigger +triggered last at 20\S+ +promotions-to-dream +would be held back/),
      expect.stringMatching(/^odd +no mark of a rule +- +it neither says/),
      "",
    ]);
    expect([code, err]).toEqual([0, "2 of 3 would hold a rule back from now on\n"]);
    expect([marks, edge.received.map(({ method }) => method)]).toEqual([[], ["GET"]]);
  });

  it("gives each rule its marks, and says what the edge made of each", async () => {
    const { env, marks } = await anEdge();
    const at = seconds() - 60;
    const state = {
      dream_in_flight: true,
      last_dream_trigger: at,
      seen_gaps: ["a"],
      cooldowns: { "hot-gpu": at + 600 },
    };
    const stale = { last_triggered: { "hot-gpu": at - 7_200 }, future: 1, dream_started_at: at + 7_200 };
    const file = aFile(JSON.stringify({ ...state, ...stale }));
    const { code, out } = await ganglion(["import", "policy-state", file, "--json"], { env });
    expect(code).toBe(0);
    const { fields, dry_run } = JSON.parse(out) as { fields: Record<string, string>[]; dry_run: boolean };
    expect(dry_run).toBe(false);
    expect(Object.fromEntries(fields.map(({ field, outcome, reason }) => [field, reason ?? outcome]))).toEqual({
      dream_in_flight: expect.stringContaining("in the future"),
      last_dream_trigger: "taken",
      "seen_gaps[0]": "ended",
      "cooldowns.hot-gpu": "taken",
      "last_triggered.hot-gpu": expect.stringContaining("the rule keeps it for 1h at most"),
      future: expect.stringContaining("neither says"),
      dream_started_at: expect.stringContaining("in the future"),
    });
    expect(marks).toHaveLength(3);
  });

  it("refuses a file that holds no state", async () => {
    const { env } = await anEdge();
    for (const [text, words] of [
      ["{", "neither JSON nor YAML"],
      ["[1]", "one object"],
    ] as const) {
      const { code, err } = await ganglion(["import", "policy-state", aFile(text)], { env });
      expect([code, err]).toEqual([1, expect.stringContaining(words)]);
    }
    const { code, err } = await ganglion(["import", "policy-state", "/nowhere.json"], { env });
    expect([code, err]).toEqual([1, expect.stringContaining("there is no file /nowhere.json")]);
  });
});
