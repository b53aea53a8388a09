import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { limits, locks, questions, schedules } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { evict } from "../evict.ts";
import { aTask, queueOver, queueStub } from "../queue/queue-under-test.ts";
import { readSamples, type Samples } from "./exposed.ts";

vi.setConfig({ testTimeout: 60_000 });

const variables = env as { METRICS?: string };
beforeAll(() => {
  variables.METRICS = "on";
});
afterAll(() => {
  variables.METRICS = "off";
});

let pastMs = 0;

/** What the directory knows, and not what the Worker answered less than ten seconds ago. */
async function metricsOf(eco: string): Promise<Samples> {
  pastMs += 11_000;
  vi.setSystemTime(Date.now() + pastMs);
  try {
    return readSamples(await (await call(`/v1/${eco}/metrics`)).text());
  } finally {
    vi.useRealTimers();
  }
}
const shows = (eco: string, samples: Record<string, unknown>) =>
  expect
    .poll(async () => Object.fromEntries(await metricsOf(eco)), { timeout: 45_000, interval: 200 })
    .toMatchObject(samples);

async function done(answering: Promise<Response>): Promise<Record<string, unknown>> {
  const answer = await answering;
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status}: ${text}`);
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

describe("the metrics of what agents share", () => {
  it("are those of schedules, paused queues, questions, locks and limits, follow their changes, and wake none of them", async () => {
    const eco = freshEcosystem();
    const at = (path: string, body: object, method = "POST") => done(post(`/v1/${eco}${path}`, body, { method }));
    await queueOver(eco).put(aTask());
    await at("/queues/work/pause", { reason: "a change" });
    await at("/schedules/hourly", { every: "1h", signal: { signal: "X" } }, "PUT");
    await at("/schedules/held", { every: "1h", signal: { signal: "X" }, paused: true }, "PUT");
    await at("/questions", { id: "q1", question: "Go?", recipient: "ops" });
    await at("/questions", { id: "q2", question: "Go?", recipient: "ops" });
    await at("/permissions", { id: "p1", tool_name: "Bash", recipient: "ops" });
    await at("/locks/port:80/acquire", { owner: "a", ttl_ms: 3_600_000 });
    const { fence } = await at("/locks/port:81/acquire", { owner: "a", ttl_ms: 3_600_000, mode: "shared" });
    await at("/limits/provider", { requests_per_minute: 5 }, "PUT");
    await at("/limits/other", { requests_per_minute: 5 }, "PUT");
    await at("/limits/provider/close", { reason: "a test", retry_after_seconds: 3_600 });
    const known = {
      'ganglion_queue_paused{queue="work"}': 1,
      'ganglion_schedules{state="ok"}': 1,
      'ganglion_schedules{state="paused"}': 1,
      'ganglion_schedules{state="broken"}': 0,
      'ganglion_questions_open{kind="question"}': 2,
      'ganglion_questions_open{kind="permission"}': 1,
      'ganglion_question_oldest_seconds{kind="question"}': expect.any(Number),
      'ganglion_question_oldest_seconds{kind="permission"}': expect.any(Number),
      'ganglion_locks{mode="exclusive"}': 1,
      'ganglion_locks{mode="shared"}': 1,
      ganglion_lock_waits: 0,
      'ganglion_limits{state="open"}': 1,
      'ganglion_limits{state="closed"}': 1,
    };
    await shows(eco, known);
    const objects = [
      queueStub(eco),
      schedules(env, eco),
      questions(env, eco),
      locks(env, eco),
      limits(env, eco),
    ] as const;
    for (const object of objects) await evict(object);
    expect(Object.fromEntries(await metricsOf(eco))).toMatchObject(known);
    // Each has taken one call since it woke: this one.
    for (const object of objects) expect((await object.usage()).requests).toBe(1);

    await at("/queues/work/resume", {});
    await done(call(`/v1/${eco}/schedules/held`, { method: "DELETE" }));
    await at("/questions/q1/cancel", {});
    await at("/questions/p1/cancel", {});
    await at("/locks/port:81/release", { fence });
    await at("/limits/provider/open", {});
    await shows(eco, {
      'ganglion_queue_paused{queue="work"}': 0,
      'ganglion_schedules{state="ok"}': 1,
      'ganglion_schedules{state="paused"}': 0,
      'ganglion_questions_open{kind="question"}': 1,
      'ganglion_questions_open{kind="permission"}': 0,
      'ganglion_locks{mode="exclusive"}': 1,
      'ganglion_locks{mode="shared"}': 0,
      'ganglion_limits{state="open"}': 2,
      'ganglion_limits{state="closed"}': 0,
    });
    expect((await metricsOf(eco)).has('ganglion_question_oldest_seconds{kind="permission"}')).toBe(false);
  });

  it("count a schedule with a broken limit as broken, whether it is paused or not", async () => {
    const eco = freshEcosystem();
    const put = (name: string, more: object = {}) =>
      done(post(`/v1/${eco}/schedules/${name}`, { every: "1h", signal: { signal: "X" }, ...more }, { method: "PUT" }));
    await put("late", { paused: true });
    await put("fast");
    await put("well");
    await runInDurableObject(schedules(env, eco), (_, { storage }) =>
      storage.sql.exec("UPDATE schedules SET broken = 1 WHERE name IN ('late', 'fast')"),
    );
    await put("held", { paused: true });
    await shows(eco, {
      'ganglion_schedules{state="broken"}': 2,
      'ganglion_schedules{state="paused"}': 1,
      'ganglion_schedules{state="ok"}': 1,
    });
  });

  it("are no samples of an ecosystem that has none of them, and cost it no object", async () => {
    const eco = freshEcosystem();
    await queueOver(eco).put(aTask());
    await shows(eco, { 'ganglion_queue_paused{queue="work"}': 0 });
    const named = [...(await metricsOf(eco)).keys()];
    expect(named.filter((name) => /^ganglion_(schedules|questions|locks|lock_waits|limits)/.test(name))).toEqual([]);
  });
});
