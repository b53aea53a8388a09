import { describe, expect, test } from "vitest";
import { pathParts, placeOf, sumOf, wantedItems } from "../../../dashboard/attention/order.ts";
import { standingOf, totalsOf, wantedHosts } from "../../../dashboard/fleet/fleet.ts";
import { matches } from "../../../dashboard/palette/matches.ts";
import { heatOf, sentenceOf, waitAgainstRun, wantedQueues } from "../../../dashboard/queues/heat.ts";
import type { AttentionItem } from "../../../src/core/attention/api.ts";
import type { FleetHost, FleetProcess } from "../../../src/core/hosts/fleet.ts";

const item = (change: Partial<AttentionItem>): AttentionItem => ({
  id: "host_down/gpu-01",
  cause: "host_down/gpu-01",
  ecosystem: "default",
  kind: "host_down",
  severity: "critical",
  subject: "gpu-01",
  what: "the host gpu-01 is down",
  why: "it has lost its link",
  since: null,
  consequence: "its tasks wait",
  next_step: "ganglion hosts gpu-01",
  action: null,
  chain: null,
  effects: [],
  effects_total: 0,
  ...change,
});

describe("what needs somebody", () => {
  test("is filtered by severity, and by any text of it and of its effects", () => {
    const items = [
      item({}),
      item({ id: "q", severity: "warning", what: "the queue builds is slow", effects: ["a poison task"] }),
    ];
    expect(wantedItems(items, { text: "POISON", severity: "" }).map(({ id }) => id)).toEqual(["q"]);
    expect(wantedItems(items, { text: "", severity: "critical" })).toHaveLength(1);
  });

  test("is summed up with the most urgent first", () => {
    expect(sumOf([item({ severity: "warning" }), item({}), item({ severity: "warning" })])).toBe(
      "1 critical, 2 warning",
    );
  });

  test("leads to the view that shows it closer", () => {
    expect(placeOf(item({}))).toMatchObject({ view: "hosts", id: "gpu-01" });
    expect(placeOf(item({ kind: "agent_given_up", id: "agent_given_up/gpu-01/coder" }))).toMatchObject({
      view: "hosts",
      id: "gpu-01",
      query: { process: "coder" },
    });
    expect(placeOf(item({ kind: "gap", id: "gap/cpu" }))).toMatchObject({ view: "gaps", id: "cpu" });
    expect(placeOf(item({ kind: "question_open", id: "question_open/deploy-42" }))).toMatchObject({
      view: "coordination",
      query: { tab: "questions", sel: "deploy-42" },
    });
    expect(placeOf(item({ kind: "limit_closed" }))).toMatchObject({ view: "coordination", query: { tab: "limits" } });
    expect(placeOf(item({ kind: "lock_cycle" }))).toMatchObject({ view: "coordination", query: { tab: "locks" } });
  });

  test("has an action whose path is called with its query", () => {
    expect(pathParts("/v1/default/x?force=true&a=1&a=2")).toEqual({
      path: "/v1/default/x",
      query: { force: ["true"], a: ["1", "2"] },
    });
  });
});

const process = (name: string, change: Partial<FleetProcess> = {}): FleetProcess => ({
  name,
  state: "up",
  verdict: "working",
  task: null,
  waiting_for: null,
  since: null,
  restarts: 0,
  detail: null,
  ...change,
});
const host = (name: string, processes: readonly FleetProcess[], change: Partial<FleetHost> = {}): FleetHost => ({
  host: name,
  state: "up",
  since: "2026-01-31T12:00:00.000Z",
  reason: "linked",
  last_seen: "2026-01-31T12:00:00.000Z",
  version: null,
  alerts: [],
  processes,
  ...change,
});

describe("the fleet", () => {
  test("says nothing of the processes of a host that is down", () => {
    expect(standingOf(process("a", { verdict: "working" }), false)).toEqual({ tone: "calm", word: "unknown" });
  });

  test("names a process that was given up before its last verdict", () => {
    expect(standingOf(process("a", { state: "gave_up", verdict: "dead" }), true).word).toBe("given up");
  });

  test("puts hosts that are down first, then those in trouble, then the others by name", () => {
    const hosts = [
      host("c", [process("x")]),
      host("b", [process("x", { verdict: "hung" })]),
      host("d", [], { state: "down" }),
      host("a", [process("x")]),
    ];
    expect(wantedHosts(hosts, "", "").map((one) => one.host)).toEqual(["d", "b", "a", "c"]);
  });

  test("puts processes in trouble first, and the others by name and number", () => {
    const processes = [process("agent-10"), process("agent-2"), process("z", { verdict: "hung" })];
    expect(wantedHosts([host("a", processes)], "", "")[0]?.processes.map(({ name }) => name)).toEqual([
      "z",
      "agent-2",
      "agent-10",
    ]);
  });

  test("is filtered by the name of a host or process, and by what a process waits for", () => {
    const waits = process("coder", { verdict: "waiting", waiting_for: "a person: approve the merge" });
    const hosts = [host("gpu-01", [waits, process("tester")]), host("gpu-02", [process("tester")])];
    expect(wantedHosts(hosts, "approve", "")).toMatchObject([{ host: "gpu-01", processes: [{ name: "coder" }] }]);
    expect(wantedHosts(hosts, "gpu-02", "")).toMatchObject([{ host: "gpu-02", processes: [{ name: "tester" }] }]);
    expect(wantedHosts(hosts, "", "waiting")).toHaveLength(1);
  });

  test("is counted by how its processes stand", () => {
    const { words, down } = totalsOf([
      host("a", [process("x"), process("y")]),
      host("b", [process("z")], { state: "down" }),
    ]);
    expect(down).toBe(1);
    expect(words.map(([word, count]) => [word, count])).toEqual([
      ["working", 2],
      ["unknown", 1],
    ]);
  });
});

const queue = (change: Partial<Parameters<typeof sentenceOf>[0]>) => ({
  queue: "builds",
  ready: 0,
  leased: 0,
  oldest_ms: null,
  wait_p50_ms: null,
  run_p50_ms: null,
  workers: 1,
  alerts: [],
  ...change,
});

describe("a queue at a glance", () => {
  test.each([
    [null, 0, 0],
    [1_000, 1, 1],
    [31_000, 1, 3],
    [3_600_000, 9, 5],
  ])("with an oldest task of %s ms has the heat %s", (oldest_ms, ready, heat) => {
    expect(heatOf({ oldest_ms, ready })).toBe(heat);
  });

  test("stands before colder ones", () => {
    const queues = [queue({ queue: "a" }), queue({ queue: "b", oldest_ms: 5 }), queue({ queue: "c", oldest_ms: 50 })];
    expect(wantedQueues(queues, "").map((one) => one.queue)).toEqual(["c", "b", "a"]);
  });

  test("says that nobody works, before anything else", () => {
    expect(sentenceOf(queue({ ready: 3, workers: 0 }))).toMatchObject({ tone: "critical" });
  });

  test("says whether tasks wait or work takes the time", () => {
    const waiting = sentenceOf(queue({ ready: 3, leased: 1, wait_p50_ms: 9_000, run_p50_ms: 1_000 })).text;
    const working = sentenceOf(queue({ ready: 3, leased: 1, wait_p50_ms: 1_000, run_p50_ms: 9_000 })).text;
    expect(waiting).toContain("more workers");
    expect(working).toContain("the work itself");
  });

  test("compares waiting with running only where both are known", () => {
    expect(waitAgainstRun({ wait_p50_ms: 300, run_p50_ms: 100 })).toBe(0.75);
    expect(waitAgainstRun({ wait_p50_ms: null, run_p50_ms: 100 })).toBeUndefined();
  });
});

describe("the palette", () => {
  const entries = ["gpu-01", "queue builds", "rebuild", "g-pool-up"].map((title) => ({
    kind: "k",
    title,
    href: title,
  }));

  test("puts what begins as typed first, then words that do, then texts that hold it, then letters in order", () => {
    expect(matches(entries, "build").map(({ title }) => title)).toEqual(["queue builds", "rebuild"]);
    expect(matches(entries, "gpu").map(({ title }) => title)).toEqual(["gpu-01", "g-pool-up"]);
  });

  test("shows all it knows before anything is typed, and nothing that does not match", () => {
    expect(matches(entries, "")).toHaveLength(4);
    expect(matches(entries, "zzz")).toHaveLength(0);
  });
});
