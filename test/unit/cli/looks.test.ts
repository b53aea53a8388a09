import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../../src/core/audit/api.ts";
import { overviewOf } from "../../../src/core/overview/compose.ts";
import { gap, host, process } from "../attention/state-under-test.ts";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const AT = "2026-01-31T12:00:00.000Z";

describe("ganglion audit", () => {
  const entry = (number: number): AuditEntry => ({
    number,
    at: AT,
    by: "ops",
    by_id: "t1",
    method: "PUT",
    operation: "/v1/{eco}/budget",
    target: "/v1/site/budget",
    status: 200,
    outcome: "done",
  });

  it("reads as many pages as it is asked for, of the ecosystem or of the deployment", async () => {
    const edge = await startEdge(({ url }) => {
      const after = Number(url.searchParams.get("after") ?? "10");
      return [200, { entries: [entry(after - 1)], next: after - 1 }];
    });
    const { out, err } = await ganglion([
      "--ecosystem",
      "site",
      "audit",
      "--limit",
      "2",
      "--by",
      "ops",
      "--url",
      edge.url,
    ]);
    expect(out).toMatch(
      /TIME +BY +SESSION +METHOD +TARGET +STATUS +OUTCOME\n.*ops +- +PUT +\/v1\/site\/budget +200 +done\n/,
    );
    expect(err).toContain("raise --limit");
    expect(edge.received.map(({ url }) => [url.pathname, url.searchParams.get("after")])).toEqual([
      ["/v1/site/audit", null],
      ["/v1/site/audit", "9"],
    ]);
    const { out: json } = await ganglion(["audit", "--deployment", "--json", "--limit", "1", "--url", edge.url]);
    expect(JSON.parse(json)).toMatchObject({ by: "ops" });
    expect(edge.received.at(-1)?.url.pathname).toBe("/v1/audit");
  });
});

describe("ganglion overview", () => {
  it("shows an ecosystem at a glance", async () => {
    const overview = overviewOf({
      ecosystem: "site",
      atMs: Date.parse(AT),
      items: [],
      fleet: { hosts: [host("gpu-01", { processes: [process("coder")] })], total: 1 },
      queues: [],
      queuesInAll: 0,
      gaps: [gap("hot", 1)],
      deadLetters: 2,
      log: { head_seq: 7, oldest_seq: 1, signals_last_minute: 3, subscribers: 0, database_bytes: 0 },
      unread: [],
    });
    const edge = await startEdge(() => [200, overview]);
    const { out } = await ganglion(["overview", "--url", edge.url]);
    expect(out).toMatch(/hosts +1 of 1 up/);
    expect(out).toMatch(/processes +working: 1/);
    expect(out).toMatch(/dead letters +2/);
    expect(out).toMatch(/log +7 signals, 3 in the last minute/);
    expect(JSON.parse((await ganglion(["overview", "--json", "--url", edge.url])).out)).toEqual(overview);
  });
});

describe("ganglion tasks finished", () => {
  it("asks for what it is told to, page by page", async () => {
    const task = {
      task_id: "t1",
      recipient: "coder",
      type: "BUILD",
      sender: null,
      priority: 5,
      created_at: AT,
      max_attempts: 1,
      timeout_ms: null,
      deadline_at: null,
      status: "failed",
      outcome: "expired",
      attempt: 1,
      error: "out of memory",
      finished_at: AT,
      waited_ms: 1,
      ran_ms: 2,
      history: [],
      payload: {},
    };
    const edge = await startEdge(({ url }) => [
      200,
      { tasks: [task], next: url.searchParams.has("after") ? null : "p2" },
    ]);
    const { out } = await ganglion(["tasks", "finished", "--state", "expired", "--text", "memory", "--url", edge.url]);
    expect(out.match(/t1 +expired +coder +BUILD +1\/1 +1 +2 +out of memory/g)).toHaveLength(2);
    expect(edge.received.map(({ url }) => url.pathname)).toEqual(Array(2).fill("/v1/default/queues/work/finished"));
    const [first, second] = edge.received.map(({ url }) => Object.fromEntries(url.searchParams));
    expect(first).toEqual({ state: "expired", text: "memory", limit: "100" });
    expect(second).toMatchObject({ after: "p2", limit: "99" });
    expect((await ganglion(["tasks", "finished", "--state", "queued", "--url", edge.url])).code).toBe(2);
  });
});

describe("ganglion gaps --samples", () => {
  it("shows the samples of a gap with both thresholds", async () => {
    const samples = [{ at: AT, value: 97, reporter: "host/a", seq: 4 }];
    const evidence = {
      gap: gap("hot", 1),
      metric: "cpu_percent",
      unit: "percent",
      raise: 90,
      clear: 85,
      worse: "above",
      samples,
    };
    const edge = await startEdge(({ url }) =>
      url.pathname.endsWith("/evidence")
        ? [200, { ...evidence, left_out: 2, window_seconds: 600 }]
        : [200, { gaps: [gap("hot", 1)] }],
    );
    const { out, err } = await ganglion(["gaps", "hot", "--samples", "--url", edge.url]);
    expect(out).toMatch(/raised beyond +90\nresolved at +85\n/);
    expect(out).toMatch(/TIME +VALUE +REPORTER +SIGNAL\n\S+ +97 +host\/a +4/);
    expect(err).toBe("2 older samples are left out\n");
    expect((await ganglion(["gaps", "--samples", "--url", edge.url])).code).toBe(2);
  });
});

describe("ganglion signals --filter", () => {
  it("says on how many signals the filter could not be evaluated", async () => {
    const searched = { from: 1, through: 9, signals: 9, failed: 2, first_failure: "signal 3: No such key: n" };
    const edge = await startEdge(() => [200, { signals: [], searched, next: null }]);
    const { err } = await ganglion(["signals", "--filter", "facts.n > 1", "--url", edge.url]);
    expect(err).toContain("the filter could not be evaluated on 2 signals: signal 3: No such key: n");
    expect(edge.received[0]?.url.searchParams.get("filter")).toBe("facts.n > 1");
    const { code } = await ganglion(["signals", "--filter", "true", "--follow", "--url", edge.url]);
    expect(code).toBe(2);
  });
});
