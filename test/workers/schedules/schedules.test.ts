import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Attention } from "../../../src/core/attention/api.ts";
import type { Schedule, SchedulePage, ScheduleRun } from "../../../src/core/schedules/api.ts";
import { directory, schedules } from "../../../src/workers/bindings/objects.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post, problemOf } from "../api/calls.ts";
import { queueOver } from "../queue/queue-under-test.ts";

afterEach(() => {
  vi.useRealTimers();
});

const MINUTE = 60_000;
const HOUR = 3_600_000;
const hourly = { every: "1h", task: { recipient: "coder", type: "backup", payload: { disk: "sda" } } };

/** Schedules of one ecosystem, as callers see them, with a clock of their own. */
function schedulesOf(eco = freshEcosystem()) {
  const stub = () => schedules(env, eco);
  const base = `/v1/${eco}/schedules`;
  const read = async <Body>(response: Promise<Response>) => (await (await response).json()) as Body;
  const act = (path: string, init: RequestInit = { method: "POST" }) => call(`${base}/${path}`, init);
  return {
    eco,
    stub,
    act,
    put: async (settings: object, name = "nightly") => {
      const answer = await post(`${base}/${name}`, settings, { method: "PUT" });
      if (answer.status !== 200) throw new Error(await answer.text());
      return (await answer.json()) as Schedule;
    },
    tryPut: (settings: object, token?: string) =>
      post(`${base}/nightly`, settings, { method: "PUT", ...(token === undefined ? {} : { token }) }),
    show: (name = "nightly") => read<Schedule>(call(`${base}/${name}`)),
    list: (query = "") => read<SchedulePage>(call(`${base}${query}`)),
    runs: async (name = "nightly") => (await read<{ runs: ScheduleRun[] }>(call(`${base}/${name}/runs`))).runs,
    report: (body: object, token?: string) => post(`${base}/nightly/runs`, body, token === undefined ? {} : { token }),
    attention: () => read<Attention>(call(`/v1/${eco}/attention`)),
    signals: async (name: string) =>
      (await read<{ signals: { facts: Record<string, unknown> }[] }>(call(`/v1/${eco}/signals?signal=${name}`)))
        .signals,
    /** Lets time pass, and the alarm of then fire. */
    async pass(ms: number): Promise<void> {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
      await runDurableObjectAlarm(stub());
    },
  };
}

describe("schedules", () => {
  it("puts a task into its queue at each time, once, whatever is lost in between, and follows the task to its end", async () => {
    const { put, pass, stub, runs, show, eco } = schedulesOf();
    const { next_at } = await put(hourly);
    await pass(HOUR + 1_000);
    await evictDurableObject(stub());
    const queue = queueOver(eco, "work");
    const [task, ...others] = await queue.lease("coder", { lease_ms: 60_000 });
    expect([task, others]).toMatchObject([
      {
        task_id: `schedule/nightly/${next_at?.replace(".000Z", "Z")}`,
        payload: { disk: "sda" },
        sender: "ganglion/schedules/nightly",
      },
      [],
    ]);
    expect((await show()).open).toMatchObject([{ run: task?.task_id, state: "running" }]);
    await queue.act(encodeURIComponent(task?.task_id ?? ""), "complete", { lease_id: task?.lease_id, result: 1 });
    expect(await runs()).toMatchObject([
      { run: task?.task_id, time: next_at, by: "time", state: "complete", broke: [] },
    ]);
    await pass(1_000);
    expect(await queue.lease("coder")).toEqual([]);
  });

  it("hands a task over again after a crash between its store and its hand-over", async () => {
    const { put, pass, stub, eco } = schedulesOf();
    await put(hourly);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + HOUR });
    // What an alarm stores before it calls the queue, and no more.
    await stub().ended("nightly", []);
    await evictDurableObject(stub());
    await pass(0);
    await pass(1_000);
    const leased = await queueOver(eco, "work").lease("coder", { max: 10 });
    expect(leased).toHaveLength(1);
  });

  it("emits a signal at each time, with its time", async () => {
    const { put, pass, signals } = schedulesOf();
    const { next_at } = await put({ every: "10m", signal: { signal: "Q_TICK", facts: { of: "clock" } } });
    await pass(10 * MINUTE);
    await pass(10 * MINUTE);
    expect((await signals("Q_TICK")).map(({ facts }) => facts)).toMatchObject([
      { of: "clock", schedule: "nightly", time: next_at },
      { of: "clock", schedule: "nightly" },
    ]);
  });

  it("makes a run by hand, the same for a request that is repeated, and refuses another while the run is not over", async () => {
    const { put, act, pass, eco } = schedulesOf();
    await put(hourly);
    const headers = { "Idempotency-Key": "k1" };
    const first = await act("nightly/run", { method: "POST", headers });
    const again = await act("nightly/run", { method: "POST", headers });
    expect([first.status, await again.json()]).toEqual([202, await first.json()]);
    await pass(0);
    expect(await problemOf(await act("nightly/run"))).toMatchObject({ status: 409, type: "/problems/run-skipped" });
    expect(await queueOver(eco, "work").lease("coder", { max: 10 })).toHaveLength(1);
  });

  it("makes no runs while it is paused, and is deleted with what it told of", async () => {
    const { put, act, pass, list, eco, runs } = schedulesOf();
    await put({ ...hourly, limits: { late_start: "1m" } });
    expect(await (await act("nightly/pause")).json()).toMatchObject({ paused: true, next_at: null });
    await pass(3 * HOUR);
    expect(await queueOver(eco, "work").lease("coder")).toEqual([]);
    expect(await (await act("nightly/resume")).json()).toMatchObject({ paused: false });
    expect(await runs()).toEqual([]);
    expect((await act("nightly", { method: "DELETE" })).status).toBe(204);
    expect(await list()).toEqual({ schedules: [], next: null });
    expect((await act("nightly", { method: "DELETE" })).status).toBe(404);
  });

  it("lists schedules by name, a page at a time", async () => {
    const { put, list } = schedulesOf();
    for (const name of ["b", "a", "c"]) await put(hourly, name);
    const first = await list("?limit=2");
    expect([first.schedules.map(({ name }) => name), first.next]).toEqual([["a", "b"], "b"]);
    expect((await list("?limit=2&after=b")).schedules.map(({ name }) => name)).toEqual(["c"]);
  });

  it("costs the same rows for a run beside a thousand other schedules as beside none", async () => {
    const { put, pass, stub } = schedulesOf();
    await put({ every: "1h", overlap: "allow", signal: { signal: "Q_TICK" } });
    const cost = async () => {
      const before = await stub().usage();
      await pass(HOUR);
      const { rows_read, rows_written } = await stub().usage();
      return [rows_read - before.rows_read, rows_written - before.rows_written];
    };
    await cost();
    const alone = await cost();
    await runInDurableObject(stub(), (_object, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 1000)
           INSERT INTO schedules SELECT 'z' || n, 8e15 + n, 0, settings, state FROM schedules, counted WHERE name = 'nightly'`,
      );
    });
    expect(await cost()).toEqual(alone);
  });
});

describe("the limits of schedules", () => {
  it("a task that no worker takes is a signal and an item of attention, resolved once when it is over", async () => {
    const { put, pass, attention, signals, eco } = schedulesOf();
    await put({ ...hourly, limits: { late_start: "5m" } });
    await pass(HOUR);
    await pass(5 * MINUTE);
    await pass(MINUTE);
    const raised = await signals("Q_SCHEDULE_LATE_START");
    expect(raised).toMatchObject([
      { facts: { schedule: "nightly", state: "raised", recipient: "coder", limit_ms: 300_000 } },
    ]);
    expect((await attention()).items).toMatchObject([
      {
        id: "schedule_late_start/nightly",
        kind: "schedule_late_start",
        severity: "warning",
        why: expect.stringContaining("no worker took"),
        since: expect.any(String),
        action: { method: "GET", path: `/v1/${eco}/schedules/nightly/runs` },
        chain: expect.any(String),
      },
    ]);
    const queue = queueOver(eco, "work");
    const [task] = await queue.lease("coder");
    await queue.act(encodeURIComponent(task?.task_id ?? ""), "complete", { lease_id: task?.lease_id });
    await vi.waitFor(async () =>
      expect((await signals("Q_SCHEDULE_LATE_START")).map(({ facts }) => facts.state)).toEqual(["raised", "resolved"]),
    );
    expect((await attention()).items).toEqual([]);
  });

  it("a job elsewhere that is silent is critical, until it reports", async () => {
    const { put, pass, attention, act, report, runs } = schedulesOf();
    await put({ every: "1h", limits: { late_start: "10m", late_finish: "30m" } });
    await pass(HOUR);
    await pass(10 * MINUTE);
    expect((await attention()).items).toMatchObject([
      { id: "schedule_late_start/nightly", severity: "critical", why: expect.stringContaining("nothing was heard") },
    ]);
    expect((await act("nightly/heartbeat", { method: "GET" })).status).toBe(200);
    expect((await attention()).items).toEqual([]);
    for (const state of ["started", "progress", "finished"])
      expect((await report({ state, run: "r1" })).status).toBe(200);
    expect(await runs()).toMatchObject([
      { run: "r1", state: "complete" },
      { state: "complete", broke: ["late_start"] },
    ]);
  });

  it("of ecosystems without schedules nobody is asked", async () => {
    const { put, act, eco } = schedulesOf();
    await put(hourly);
    expect((await directory(env).known(eco)).scheduling).toBe(true);
    await act("nightly", { method: "DELETE" });
    expect((await directory(env).known(eco)).scheduling).toBe(false);
  });
});

describe("what the API of schedules refuses", () => {
  it.each([
    [{}, "/cron"],
    [{ cron: "0 3 * * *", every: "1h", task: hourly.task }, "/cron"],
    [{ cron: "0 3 * *", task: hourly.task }, "/cron"],
    [{ cron: "0 0 30 2 *", task: hourly.task }, "/cron"],
    [{ ...hourly, zone: "Mars/Olympus" }, "/zone"],
    [{ ...hourly, signal: { signal: "X" } }, "/signal"],
    [{ every: "1h" }, "/limits/late_start"],
    [{ every: "1500ms", task: hourly.task }, "/every"],
    [{ every: "1h", signal: { signal: "OBSERVATION" } }, "/signal/facts/zooid"],
    [{ ...hourly, limits: { extend_up_to: "1h" } }, "/limits/extend_up_to"],
    [{ ...hourly, limits: { late_start: "soon" } }, "/limits/late_start"],
    [{ ...hourly, task: { ...hourly.task, payload: "x".repeat(70_000) } }, "/task/payload"],
    [{ ...hourly, overlaps: "skip" }, "/overlaps"],
  ])("%j at %s", async (settings, pointer) => {
    const { errors } = await problemOf(await schedulesOf().tryPut(settings));
    expect(errors?.map((error) => error.pointer)).toContain(pointer);
  });

  it("what the token could not make itself: commands for hosts, and the edge's own signals", async () => {
    const { tryPut, eco } = schedulesOf();
    const { token } = await makeToken(eco, ["policy:write"]);
    const commands = { ...hourly, task: { ...hourly.task, queue: "hosts" } };
    expect(await problemOf(await tryPut(commands, token))).toMatchObject({ status: 403, scope: "hosts:command" });
    const own = {
      every: "1h",
      signal: { signal: "Q_AGENT_DOWN", facts: { host: "h", since: "", reason: "", last_seen: null } },
    };
    expect(await problemOf(await tryPut(own, token))).toMatchObject({ status: 403, scope: "admin" });
  });

  it("reports of a schedule that makes tasks, and runs by hand of a job elsewhere", async () => {
    const { put, report, act } = schedulesOf();
    await put(hourly);
    expect(await problemOf(await report({ state: "started" }))).toMatchObject({
      status: 409,
      type: "/problems/other-schedule",
    });
    await put({ every: "1h", limits: { late_start: "10m" } });
    expect(await problemOf(await act("nightly/run"))).toMatchObject({ status: 409, type: "/problems/other-schedule" });
  });

  it("a schedule that does not exist", async () => {
    const { act } = schedulesOf();
    for (const path of ["nightly", "nightly/runs", "nightly/heartbeat"])
      expect((await problemOf(await act(path, { method: "GET" }))).detail).toContain("List the schedules");
  });
});

describe("the clock of an object that wakes for schedules", () => {
  it("is set at most a day ahead, so that a clock that was set back keeps nothing silent", async () => {
    const { put, stub } = schedulesOf();
    await put({ cron: "0 0 1 1 *", signal: { signal: "Q_YEAR" } });
    const alarm = await runInDurableObject(stub(), (_object, { storage }) => storage.getAlarm());
    expect((alarm ?? 0) - Date.now()).toBeLessThanOrEqual(24 * HOUR);
  });
});
