import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_SETTINGS } from "../../../src/core/queue/queue-settings.ts";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const percentiles = {
  mean_ms: 12,
  waiting_mean_ms: 1,
  p50_ms: 10,
  p95_ms: 20,
  p99_ms: 30,
  waiting_p50_ms: 1,
  waiting_p95_ms: 2,
  waiting_p99_ms: 3,
};
const status = {
  queue: "work",
  depth: 3,
  running: 1,
  by_priority: { 1: 0, 2: 3 },
  by_level: { high: 3, normal: 0, low: 0 },
  oldest_age_ms: 1_500,
  by_recipient: { coder: { queued: 3, running: 1, complete: 7, failed: 2, ...percentiles } },
  workers: { coder: 1 },
  alerts: [{ rule: "queue_deep", subject: "queue", raised_at: "2026-01-01T00:00:00.000Z" }],
  settings: { ...DEFAULT_SETTINGS, capacity: 100 },
};

describe("ganglion tasks", () => {
  it("queues a task with what was said, under an id of its own", async () => {
    const edge = await startEdge(() => [202, { tasks: [{ task_id: "x", status: "queued" }] }]);
    const args = [
      "tasks",
      "add",
      "coder",
      "--type",
      "BUG_REPORT",
      "--priority",
      "2",
      "--payload",
      '{"bug":7}',
      "--delay",
      "50",
    ];
    const { code, out, err } = await ganglion([...args, "--url", edge.url]);
    expect([code, out, err]).toEqual([0, "x queued\n", ""]);
    expect(edge.received[0]?.url.pathname).toBe("/v1/default/queues/work/tasks");
    expect(edge.received[0]?.body).toEqual([
      {
        recipient: "coder",
        type: "BUG_REPORT",
        priority: 2,
        payload: { bug: 7 },
        delay_ms: 50,
        sender: "this-host",
        task_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      },
    ]);
  });

  it.each([
    [["--check", "tests"], { check: "tests" }],
    [["--accept-rule", "result.failed == 0"], { rule: "result.failed == 0" }],
    [["--reviewer", "ops"], { reviewer: "ops" }],
  ])("queues a task that must prove that it is done, with %j", async (option, accept) => {
    const edge = await startEdge(() => [202, { tasks: [{ task_id: "x", status: "queued" }] }]);
    const args = ["tasks", "add", "coder", "--type", "FIX", ...option, "--url", edge.url];
    expect(await ganglion(args)).toMatchObject({ code: 0, out: "x queued\n" });
    expect(edge.received[0]?.body).toMatchObject([{ recipient: "coder", accept }]);
  });

  it("gives one proof to each line of --bulk that names none of its own", async () => {
    const edge = await startEdge(() => [
      202,
      {
        tasks: [
          { task_id: "a", status: "queued" },
          { task_id: "b", status: "queued" },
        ],
      },
    ]);
    const file = join(await mkdtemp(join(tmpdir(), "bulk-")), "tasks.jsonl");
    await writeFile(file, '{"task_id":"a","payload":1}\n{"task_id":"b","payload":2,"accept":{"reviewer":"ops"}}\n');
    const args = ["tasks", "add", "coder", "--type", "FIX", "--bulk", file, "--check", "tests", "--url", edge.url];
    expect((await ganglion(args)).code).toBe(0);
    expect(edge.received[0]?.body).toMatchObject([
      { task_id: "a", accept: { check: "tests" } },
      { task_id: "b", accept: { reviewer: "ops" } },
    ]);
  });

  it("refuses two proofs of one task, and asks no edge", async () => {
    const edge = await startEdge(() => [202, { tasks: [] }]);
    const args = ["tasks", "add", "coder", "--type", "FIX", "--check", "tests", "--reviewer", "ops", "--url", edge.url];
    const { code, err } = await ganglion(args);
    expect([code, edge.received.length]).toEqual([2, 0]);
    expect(err).toContain("give one of --check, --accept-rule and --reviewer");
  });

  it("cancels tasks, and fails when one has ended already", async () => {
    const conflict = {
      type: "/problems/task-finished",
      title: "The action conflicts with the state of the task",
      status: 409,
    };
    const edge = await startEdge(({ url }) =>
      url.pathname.includes("/b/") ? [409, conflict] : [200, { task_id: "a", status: "failed" }],
    );
    const { code, out, err } = await ganglion(["tasks", "cancel", "a", "b", "--queue", "q2", "--url", edge.url]);
    expect([code, out]).toEqual([1, "a failed\n"]);
    expect(err).toContain("The action conflicts with the state of the task");
    expect(edge.received.map(({ url }) => url.pathname)).toEqual(
      ["a", "b"].map((id) => `/v1/default/queues/q2/tasks/${id}/cancel`),
    );
  });
});

describe("ganglion tasks, about a task that the queue knows", () => {
  it("says that it queued nothing where the id is known already", async () => {
    const edge = await startEdge(() => [202, { tasks: [{ task_id: "x", status: "running", known: true }] }]);
    const { out } = await ganglion(["tasks", "add", "coder", "--type", "T", "--id", "x", "--url", edge.url]);
    expect(out).toBe("x running (known already: not queued again)\n");
  });

  it("warns where it retries a task that had been cancelled", async () => {
    const edge = await startEdge(() => [200, { task_id: "x", status: "queued", was: "cancelled" }]);
    const { out, err } = await ganglion(["tasks", "retry", "x", "--url", edge.url]);
    expect([out, err]).toEqual(["x queued\n", expect.stringContaining("x had been cancelled")]);
  });
});

describe("ganglion tasks show", () => {
  const task = {
    task_id: "x",
    recipient: "coder",
    type: "T",
    sender: null,
    priority: 5,
    created_at: "2026-01-01T00:00:00.000Z",
    max_attempts: 3,
    timeout_ms: null,
    deadline_at: null,
    status: "queued",
    attempt: 0,
    waited_ms: 1,
    ran_ms: 0,
    history: [],
    payload: {},
  };
  it("lists the tasks that wait to be judged", async () => {
    const edge = await startEdge(() => [
      200,
      {
        tasks: [
          { ...task, task_id: "a", status: "verifying", attempt: 1 },
          { ...task, task_id: "b", status: "queued", attempt: 0 },
        ],
        next: null,
      },
    ]);
    const { code, out } = await ganglion(["tasks", "list", "--status", "verifying", "--url", edge.url]);
    expect(code).toBe(0);
    expect(out).toMatch(/^a +verifying/m);
    expect(out).not.toMatch(/^b /m);
  });

  it.each([
    [[], "work"],
    [["--queue", "q2"], "q2"],
  ])("says which queue it asked, with %j", async (option, queue) => {
    const edge = await startEdge(() => [200, task]);
    const { out } = await ganglion(["tasks", "show", "x", ...option, "--url", edge.url]);
    expect(edge.received[0]?.url.pathname).toBe(`/v1/default/queues/${queue}/tasks/x`);
    expect(out).toMatch(new RegExp(`^queue +${queue}$`, "m"));
  });
});

describe("ganglion call, without a reply", () => {
  it.each([
    [504, "call-timed-out"],
    [502, "responder-failed"],
  ])("prints the id by which a later result is found, after %s", async (status, kind) => {
    const edge = await startEdge(() => [status, { type: `/problems/${kind}`, title: "No reply", status }]);
    const { code, err } = await ganglion(["call", "coder", "ASK", "--queue", "q2", "--url", edge.url]);
    const sent = edge.received[0]?.body as { correlation_id: string } | undefined;
    expect([code, err]).toEqual([1, expect.stringContaining(`ganglion tasks show ${sent?.correlation_id} --queue q2`)]);
  });

  it("names no id where the call was refused", async () => {
    const refused = { type: "/problems/no-responder", title: "No responder is connected", status: 503 };
    const edge = await startEdge(() => [503, refused]);
    const { err } = await ganglion(["call", "coder", "ASK", "--require-responder", "--url", edge.url]);
    expect(err).not.toContain("correlation id");
  });
});

describe("ganglion queue, metrics and call", () => {
  it("shows a queue at a glance", async () => {
    const edge = await startEdge(() => [200, status]);
    const { out } = await ganglion(["queue", "work", "--url", edge.url]);
    expect(out).toMatch(
      /queued +3 of 100\nrunning +1\nby priority +2: 3\nby level +high \(1-3\): 3, normal \(4-7\): 0, low \(8-10\): 0\noldest waits +1.5 s\nworkers +coder: 1\nalerts +queue_deep \(queue\)/,
    );
    expect(out).toMatch(/coder +3 +1 +7 +2 +12 +10 +20 +30 +2/);
  });

  it("says which tasks wait to be judged and by whom, and which are parked for closed limits", async () => {
    const since = "2026-01-01T00:00:00.000Z";
    const edge = await startEdge(() => [
      200,
      {
        ...status,
        verifying: 3,
        unjudged: [
          { accept: { reviewer: "ops" }, task_id: "a", tasks: 1, since, why: "waits for ops to accept or refuse it" },
          { accept: { check: "t" }, task_id: "b", tasks: 2, since, why: "no host that is connected has the check t" },
        ],
        parked: 2,
        closed_limits: [{ limit: "anthropic", until: since, reason: "usage limit", parked: 2 }],
      },
    ]);
    const { out } = await ganglion(["queue", "work", "--url", edge.url]);
    expect(out).toMatch(/^verifying +3$/m);
    expect(out).toMatch(/^to be judged +1: waits for ops to accept or refuse it$/m);
    expect(out).toMatch(/^… \(2\) +2: no host that is connected has the check t$/m);
    expect(out).toMatch(/^parked +2$/m);
    expect(out).toMatch(/^closed limits +anthropic until .* \(usage limit\): 2$/m);
  });

  it("names the breakers of a queue that are not closed, with the time of the next probe", async () => {
    const reason = "5 calls in a row failed; the last one had no answer in time";
    const at = "2026-01-01T00:00:10.000Z";
    const breaker = { recipient: "coder", state: "open", reason, since: at, next_probe_at: at, failed_probes: 0 };
    const edge = await startEdge(() => [200, { ...status, breakers: [breaker] }]);
    const { out } = await ganglion(["queue", "work", "--url", edge.url]);
    expect(out).toMatch(`coder: ${reason}; next probe at ${at}`);
  });

  it("shows a queue of an edge that knows no breakers", async () => {
    const older = Object.fromEntries(Object.entries(status.settings).filter(([key]) => !key.startsWith("breaker_")));
    const edge = await startEdge(() => [200, { ...status, settings: older }]);
    expect(await ganglion(["queue", "work", "--url", edge.url])).toMatchObject({ code: 0 });
  });

  it("tells an agent's figures, for programs too", async () => {
    const edge = await startEdge(() => [200, status]);
    const { out } = await ganglion(["metrics", "--agent", "coder", "--json", "--url", edge.url]);
    expect(JSON.parse(out)).toMatchObject({
      agent: "coder",
      complete: 7,
      mean_ms: 12,
      p95_ms: 20,
      queue: { name: "work", by_level: { high: 3 } },
    });
    const shown = await ganglion(["metrics", "--agent", "coder", "--url", edge.url]);
    expect(shown.out).toMatch(/mean_ms +12\n/);
    expect(shown.out).toMatch(/waiting in work +high \(1-3\): 3, normal \(4-7\): 0, low \(8-10\): 0/);
  });

  it("prints the reply to a call, and fails as the call does", async () => {
    const reply = { correlation_id: "c", result: { answer: 42 }, responder: "gpu-01", duration_ms: 5 };
    const none = { type: "/problems/no-responder", title: "No responder is connected", status: 503 };
    const edge = await startEdge(({ body }) =>
      (body as { require_responder: boolean }).require_responder ? [503, none] : [200, reply],
    );
    expect(await ganglion(["call", "coder", "ASK", "--url", edge.url])).toMatchObject({
      code: 0,
      out: '{"answer":42}\n',
    });
    const refused = await ganglion(["call", "coder", "ASK", "--require-responder", "--url", edge.url]);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("No responder is connected");
  });
});

describe("ganglion queue", () => {
  it("pauses and resumes a queue", async () => {
    const paused = { since: "2026-01-01T00:00:00.000Z", by: "ada", reason: "the model is down" };
    const edge = await startEdge(({ url }) => [
      200,
      { queue: "work", paused: url.pathname.endsWith("/pause") ? paused : null },
    ]);
    const { out } = await ganglion(["queue", "pause", "work", "--reason", "the model is down", "--url", edge.url]);
    expect(out).toContain("2026-01-01T00:00:00.000Z");
    expect(edge.received[0]?.body).toEqual({ reason: "the model is down" });
    expect((await ganglion(["queue", "resume", "work", "--url", edge.url])).out).toContain("no");
    expect(edge.received.map(({ url }) => url.pathname)).toEqual([
      "/v1/default/queues/work/pause",
      "/v1/default/queues/work/resume",
    ]);
  });

  it("counts what a purge would take, and takes it with --yes", async () => {
    const edge = await startEdge(({ body }) => {
      const { dry_run } = body as { dry_run: boolean };
      return [200, { dry_run, matched: 3, done: dry_run ? 0 : 3, running: false }];
    });
    const args = ["queue", "purge", "work", "--type", "TEST", "--older-than", "2h", "--url", edge.url];
    const first = await ganglion(args);
    expect(first.err).toContain("nothing was changed");
    expect((await ganglion([...args, "--yes"])).out).toMatch(/purged +3/);
    const filter = { type: "TEST", older_than_ms: 7_200_000 };
    expect(edge.received.map(({ body }) => body)).toEqual([
      { filter, dry_run: true },
      { filter, dry_run: false },
    ]);
  });

  it("sets what it is given as name=value, and only of a queue that exists", async () => {
    const edge = await startEdge(({ method }) => [200, method === "GET" ? status : DEFAULT_SETTINGS]);
    const args = ["queue", "set", "work", "capacity=500", "overflow=drop_oldest", "alert_depth=null"];
    expect((await ganglion([...args, "--url", edge.url])).code).toBe(0);
    expect(edge.received.map(({ method }) => method)).toEqual(["GET", "PATCH"]);
    expect(edge.received[1]?.body).toEqual({ capacity: 500, overflow: "drop_oldest", alert_depth: null });
    const wrong = await ganglion(["queue", "set", "work", "capacity=many", "--url", edge.url]);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("capacity")]);
  });

  it("shows a queue by its name, also one that is called like a command", async () => {
    const paused = { since: "2026-01-01T00:00:00.000Z", by: "ada", reason: null };
    const edge = await startEdge(() => [200, { ...status, paused, bulk: null }]);
    expect((await ganglion(["queue", "work", "--url", edge.url])).out).toMatch(/paused +by ada since 2026-01-01/);
    await ganglion(["queue", "show", "list", "--url", edge.url]);
    expect(edge.received.map(({ url }) => url.pathname)).toEqual([
      "/v1/default/queues/work",
      "/v1/default/queues/list",
    ]);
  });
});

describe("ganglion reply", () => {
  it("prints a late reply, and fails while there is none", async () => {
    let answer: object = { correlation_id: "c", status: "running" };
    const edge = await startEdge(() => [200, answer]);
    const early = await ganglion(["reply", "c", "--url", edge.url]);
    expect([early.code, early.out, early.err]).toEqual([
      1,
      "",
      "ganglion: the call c has no reply yet, it is running: ask again later, or see ganglion tasks show c --queue work\n",
    ]);
    answer = { correlation_id: "c", result: { n: 1 }, responder: "r", duration_ms: 3 };
    expect(await ganglion(["reply", "c", "--url", edge.url])).toMatchObject({ code: 0, out: '{"n":1}\n' });
    expect(edge.received[0]?.url.pathname).toBe("/v1/default/queues/work/calls/c");
  });
});
